"""An address in, a connected TCP socket out: name resolution and dialling, each within a limit.

All addresses of a name are tried, started a quarter of a second apart or as soon as the one before failed (RFC 8305,
Happy Eyeballs), so that one dead address costs no time.
"""

import contextlib
import errno
import os
import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from queue import Empty

from auditor.errors import TransportError
from auditor.model.address import join_port
from auditor.model.host import AddressFamily
from auditor.transport.deadline import Deadline
from auditor.transport.loop import Threads, wait_for

_MOST_ADDRESSES = 8
_STAGGER_S = 0.25
_MOST_LOOKUPS = 32
_CODES = {
    errno.ETIMEDOUT: "tcp-timeout",
    errno.ECONNREFUSED: "tcp-refused",
    errno.ECONNRESET: "tcp-reset",
    errno.ENETUNREACH: "tcp-unreachable",
    errno.EHOSTUNREACH: "tcp-unreachable",
    errno.ENETDOWN: "tcp-unreachable",
    errno.EHOSTDOWN: "tcp-unreachable",
    errno.EADDRNOTAVAIL: "tcp-unreachable",
    errno.EMFILE: "out-of-descriptors",
    errno.ENFILE: "out-of-descriptors",
}
_FAMILIES = {"inet": (socket.AF_INET, "IPv4"), "inet6": (socket.AF_INET6, "IPv6")}

SockAddr = tuple[str, int] | tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address of a name, as getaddrinfo(3) returned it."""

    family: int
    sockaddr: SockAddr

    def __str__(self) -> str:
        return join_port(self.sockaddr[0], self.sockaddr[1])


class Resolver:
    """Names to endpoints, remembered for the run.

    getaddrinfo(3) has no timeout, so it runs in a thread that may outlive the wait for it; at most `_MOST_LOOKUPS` of
    them exist.
    """

    def __init__(self) -> None:
        self._lookups = Threads("netaudit-dns", _MOST_LOOKUPS)
        self._known: dict[tuple[str, int], tuple[Endpoint, ...]] = {}

    def resolve(
        self, address: str, port: int, deadline: Deadline, family: AddressFamily = "any"
    ) -> tuple[Endpoint, ...]:
        """Return the endpoints of `address`, at least one, all of `family`. Raises TransportError (dns)."""
        known = self._known.get((address, port))
        if known is None:
            known = _literal(address, port) or self._ask(address, port, deadline)
            self._known[address, port] = known
        if family == "any":
            return known
        number, name = _FAMILIES[family]
        if fitting := tuple(endpoint for endpoint in known if endpoint.family == number):
            return fitting
        message = f"{address} has no {name} address"
        raise TransportError("dns", "dns-no-address", message, f"AddressFamily {family} (ssh_config) allows no other")

    def _ask(self, address: str, port: int, deadline: Deadline) -> tuple[Endpoint, ...]:
        try:
            return self._lookups.call(partial(_getaddrinfo, address, port), deadline.left())
        except Empty:
            message = f"{address} was not resolved within {deadline.seconds:.3g} s"
            hint = "check the resolver of this machine, or give the host an `address`"
            raise TransportError("dns", "dns-timeout", message, hint) from None
        except (OSError, UnicodeError) as error:
            raise _not_resolved(address, error) from error


def _not_resolved(address: str, error: OSError | UnicodeError) -> TransportError:
    hint = "check the spelling in the inventory, or give the host an `address`"
    if isinstance(error, UnicodeError):
        return TransportError("dns", "dns-invalid", f"{address} is not a host name", hint)
    code = "dns-temporary" if error.errno == socket.EAI_AGAIN else "dns-not-found"
    return TransportError("dns", code, f"{address} cannot be resolved: {error.strerror or error}", hint)


def _literal(address: str, port: int) -> tuple[Endpoint, ...]:
    """Return the endpoint of an address that needs no resolver; empty for a name."""
    with contextlib.suppress(OSError, ValueError):
        # Written as nearly all are: getaddrinfo would say the same, and takes a hundred times as long.
        socket.inet_pton(socket.AF_INET, address)
        return (Endpoint(socket.AF_INET, (address, port)),)
    try:
        return _getaddrinfo(address, port, socket.AI_NUMERICHOST)
    except (OSError, UnicodeError):
        return ()


def _getaddrinfo(address: str, port: int, flags: int = 0) -> tuple[Endpoint, ...]:
    found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=flags)
    unique = dict.fromkeys(Endpoint(family, sockaddr) for family, _, _, _, sockaddr in found)  # type: ignore[arg-type]  # typeshed's sockaddr also covers Python built without IPv6
    return tuple(unique)[:_MOST_ADDRESSES]


def dial(
    endpoints: Sequence[Endpoint], deadline: Deadline, source: str | None = None
) -> tuple[socket.socket, Endpoint]:
    """Return the first connection that succeeds, without Nagle's delay, and where to. Raises TransportError (tcp).

    `source`: the address of this machine to come from; only endpoints of its own family are tried.
    """
    attempts = _Attempts(endpoints, source)
    try:
        winner = attempts.race(deadline)
    finally:
        attempts.close_losers()
    if winner is None:
        raise _not_connected(endpoints, attempts.failures, deadline)
    with contextlib.suppress(OSError):  # it may be gone again already, which the first read will tell
        winner[0].setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return winner


class _BindError(OSError):
    """The socket could not take the address it was to come from."""


class _Attempts:
    """Connections under way to the addresses of one name."""

    def __init__(self, endpoints: Sequence[Endpoint], source: str | None) -> None:
        self.failures: dict[Endpoint, OSError] = {}
        self._source = source
        self._waiting = deque(endpoints)
        self._pending: dict[socket.socket, Endpoint] = {}

    def race(self, deadline: Deadline) -> tuple[socket.socket, Endpoint] | None:
        """Return the winner; None when all failed or the time is up."""
        next_start = 0.0
        while (self._waiting or self._pending) and not deadline.passed:
            if self._waiting and (not self._pending or time.monotonic() >= next_start):
                self._start(self._waiting.popleft())
                next_start = time.monotonic() + _STAGGER_S
                continue
            ready = wait_for(self._pending, select.POLLOUT, deadline.left(_STAGGER_S if self._waiting else inf))
            for sock in [sock for sock in self._pending if sock.fileno() in ready]:
                if endpoint := self._settle(sock):
                    return sock, endpoint
        return None

    def _start(self, endpoint: Endpoint) -> None:
        try:
            sock = socket.socket(endpoint.family, socket.SOCK_STREAM)
        except OSError as error:
            self.failures[endpoint] = error
            return
        self._pending[sock] = endpoint
        sock.setblocking(False)
        if self._source is not None:
            try:
                sock.bind((self._source, 0))
            except OSError as error:  # also when it is of the other family
                self._fail(sock, _BindError(error.errno, f"cannot come from {self._source}: {error.strerror}"))
                return
        code = sock.connect_ex(endpoint.sockaddr)
        if code not in {0, errno.EINPROGRESS}:
            self._fail(sock, OSError(code, os.strerror(code)))

    def _settle(self, sock: socket.socket) -> Endpoint | None:
        """Take a finished attempt out of the race; return what it is connected to, if it is."""
        code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._fail(sock, OSError(code, os.strerror(code)))
            return None
        return self._pending.pop(sock)

    def _fail(self, sock: socket.socket, error: OSError) -> None:
        self.failures[self._pending.pop(sock)] = error
        sock.close()

    def close_losers(self) -> None:
        for sock in self._pending:
            sock.close()
        self._pending.clear()


def _not_connected(
    endpoints: Sequence[Endpoint], failures: dict[Endpoint, OSError], deadline: Deadline
) -> TransportError:
    codes: dict[str, None] = {}
    reasons = []
    for endpoint in endpoints:
        error = failures.get(endpoint)
        codes[_code_of(error)] = None
        reason = error.strerror if error else f"no answer within {deadline.seconds:.3g} s"
        reasons.append(f"{endpoint}: {reason}")
    # What says most about the host; that an address could not even be tried says nothing about it.
    code = min(codes, key=lambda code: (code != "tcp-timeout", code == "bind-failed"))
    hints = {
        "tcp-refused": "the host is up but nothing listens there: check the port, and that sshd runs",
        "tcp-timeout": "the host is down, or a firewall drops the connection: check the address and the route",
        "tcp-reset": "a firewall, tcp wrappers or a full sshd does this: look at the server's log",
        "tcp-unreachable": "this machine has no route there: check the address, or set a `jump` host",
        "bind-failed": "BindAddress (ssh_config) must be an address of this machine, of the host's own family",
        "out-of-descriptors": "raise the limit of open files (ulimit -n), or run with fewer jobs",
    }
    return TransportError("tcp", code, "; ".join(reasons), hints.get(code, ""))


def _code_of(error: OSError | None) -> str:
    if isinstance(error, _BindError):
        return "bind-failed"
    return "tcp-timeout" if error is None or error.errno is None else _CODES.get(error.errno, "tcp-failed")
