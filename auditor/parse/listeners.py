"""Sockets in, listeners out: twins folded into one, named by the host's own services, in a fixed order."""

from collections.abc import Iterable, Mapping

from auditor.model.facts import PROTOS, DualStack, Listener
from auditor.parse.socket import Socket

_Key = tuple[str, str, int]


def fold_listeners(
    sockets: Iterable[Socket], services: Mapping[str, str], *, v6only_default: bool
) -> tuple[Listener, ...]:
    """Return one listener for each (proto, address, port), sorted. SO_REUSEPORT twins become a count.

    `v6only_default`: the host's net.ipv6.bindv6only is set (or is not known).
    """
    twins: dict[_Key, list[Socket]] = {}
    for socket in sockets:
        twins.setdefault((socket.proto, socket.place.text, socket.port), []).append(socket)
    v4: dict[tuple[str, int], int] = {}
    for found in twins.values():
        if found[0].place.family == "ipv4":
            key = found[0].proto, found[0].port
            v4[key] = v4.get(key, 0) + len(found)
    ordered = sorted(twins.values(), key=lambda found: _sort_key(found[0]))
    return tuple(_fold(found, v4, services, v6only_default) for found in ordered)


def _sort_key(socket: Socket) -> tuple[int, int, tuple[int, bytes]]:
    return PROTOS.index(socket.proto), socket.port, socket.place.sort


def _fold(
    twins: list[Socket], v4: Mapping[tuple[str, int], int], services: Mapping[str, str], v6only_default: bool
) -> Listener:
    first = twins[0]
    place = first.place
    dual_stack: DualStack | None = None
    if place.family == "ipv6" and place.scope == "wildcard":
        dual_stack = _takes_ipv4(first, len(twins), v4.get((first.proto, first.port), 0), v6only_default)
    pending = [socket.pending_accepts for socket in twins if socket.pending_accepts is not None]
    return Listener(
        proto=first.proto,
        family=place.family,
        address=place.text,
        port=first.port,
        scope=place.scope,
        service=services.get(f"{first.port}/{first.proto}"),
        sockets=len(twins),
        kind=first.kind,
        dual_stack=dual_stack,
        uid=first.uid,
        pending_accepts=sum(pending) if pending else None,
        seen="all" if any(socket.seen == "all" for socket in twins) else "some",
        raw=first.raw,
    )


def _takes_ipv4(socket: Socket, sockets: int, v4: int, v6only_default: bool) -> DualStack:
    """Return whether `[::]:port` takes IPv4 too. IPV6_V6ONLY is in no table, so this is what binding rules tell.

    The kernel refuses a dual-stack `::` beside any IPv4 listener of the port (EADDRINUSE), so that one is IPv6 only;
    unless sockets share the port (SO_REUSEPORT; for UDP SO_REUSEADDR does it too), which no table shows either but
    several of them give away. Alone it takes IPv4 unless the program or the host's bindv6only says otherwise.
    """
    if socket.proto == "raw":
        return "no"
    if v4:
        return "no" if socket.proto == "tcp" and sockets == v4 == 1 else "unknown"
    return "unknown" if v6only_default else "yes"
