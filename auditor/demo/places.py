"""Where the demo's servers stand: loopback addresses of their own, taken before anything else is written."""

import socket
from collections.abc import Collection, Sequence
from contextlib import ExitStack

PORT = 22022
"""One port for every sample host, as in a real fleet; below the ports a kernel hands out to clients."""
_NETWORKS = range(20, 30)
_BACKLOG = 16
Place = tuple[str, int]


def take_places(numbers: Sequence[int], silent: Collection[int]) -> list[socket.socket]:
    """Return one listening socket per number: 127.20.0.NUMBER, all on one port. A `silent` one is bound, no more.

    Another demo running gets the next network, 127.21.0.NUMBER and so on. Where the system has only 127.0.0.1 on
    loopback (macOS), or all are taken, the places are ports of it. Raises OSError when not even those can be had.
    """
    for network in _NETWORKS:
        taken = _try_take([((f"127.{network}.0.{number}", PORT), number in silent) for number in numbers])
        if taken is not None:
            return taken
    return _take([(("127.0.0.1", 0), number in silent) for number in numbers])


def _try_take(places: Sequence[tuple[Place, bool]]) -> list[socket.socket] | None:
    try:
        return _take(places)
    except OSError:
        return None


def _take(places: Sequence[tuple[Place, bool]]) -> list[socket.socket]:
    with ExitStack() as undo:
        taken = []
        for place, is_silent in places:
            bound = undo.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM))
            # A demo that ended a minute ago leaves connections in TIME_WAIT, which would hold the port (tcp(7)).
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            bound.bind(place)
            if not is_silent:
                bound.listen(_BACKLOG)  # only now is the place really taken
            taken.append(bound)
        undo.pop_all()
    return taken
