"""Jump hosts: one connection to each, shared by all the hosts behind it.

A connection is made when the first host needs it, by that host's own thread; the others wait for it, each until its own
deadline. When it dies it is made once more; after that, or after a refusal, every host behind it fails at once with the
same words, and nothing more is sent to the jump host. A chain a > b has a connection to a, and one to b through it.
"""

import contextlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from auditor.errors import TransportError
from auditor.model.address import join_port
from auditor.model.host import Host
from auditor.transport.deadline import Deadline, Watchdog
from auditor.transport.ssh_line import STUCK_S, Link, Tunnel, explain_death
from auditor.transport.ssh_shared import CONNECT_FAILED, SharedEngine, TunnelRefusedError
from auditor.transport.ssh_shell import GONE

_MOST_CONNECTS = 2
_PROBE_S = 2.0
_TRANSIENT = frozenset(
    {"tcp-timeout", "tcp-reset", "banner-timeout", "closed-before-banner", "kex-timeout", "kex-closed", "auth-closed"}
)
"""What may go better the second time, and earns no penalty."""
_REFUSALS = {1: "administratively prohibited", 3: "unknown channel type", 4: "resource shortage"}  # RFC 4254 §5.1
_CAUSES = {
    "Connection refused": ("tcp-refused", "the host is up but nothing listens there: check the port"),
    "Connection timed out": ("tcp-timeout", "the host is down, or a firewall drops the connection"),
    "No route to host": ("tcp-unreachable", "check the host's address, as the jump host sees it"),
    "Network is unreachable": ("tcp-unreachable", "check the host's address, as the jump host sees it"),
}

Enter = Callable[[Sequence[Host], Host, Deadline], Link]
"""Connect to a jump host through those before it, and log in; raises TransportError."""


@dataclass(slots=True)
class _Way:
    """A chain of jump hosts and what has become of the connection to its last."""

    jumps: tuple[Host, ...]
    changed: threading.Condition = field(default_factory=threading.Condition)
    link: Link | None = None
    connecting: bool = False
    connects: int = 0
    failure: TransportError | None = None


class Bastions:
    """The connections of one run to its jump hosts. Safe to use from several threads; `close` it at the end."""

    def __init__(self, enter: Enter, watchdog: Watchdog, allowance: int) -> None:
        """`allowance`: how many bytes may come from a jump host for each host behind it."""
        self._enter = enter
        self._watchdog = watchdog
        self._allowance = allowance
        self._ways: dict[tuple[str, ...], _Way] = {}
        self._lock = threading.Lock()
        self._probing = threading.Lock()

    def reach(self, jumps: Sequence[Host], deadline: Deadline) -> Link:
        """Return the connection to the last of `jumps`. Raises TransportError: jump-failed, and in which phase."""
        with self._lock:
            way = self._ways.setdefault(tuple(jump.name for jump in jumps), _Way(tuple(jumps)))
        with way.changed:
            while (link := _look(way)) is None and way.connecting:
                if not way.changed.wait(deadline.left()):
                    raise _waited_too_long(way, deadline)
            if link is not None:
                return link
            way.connecting = True
            dead, way.link = way.link, None
        try:
            if dead is not None:
                dead.close()
            return self._connect(way, dead, deadline)
        finally:
            with way.changed:
                way.connecting = False
                way.changed.notify_all()

    def _connect(self, way: _Way, dead: Link | None, deadline: Deadline) -> Link:
        """Connect, a second time where that may help. Only one thread at a time does this for a way."""
        *before, jump = way.jumps
        error = None if dead is None else explain_death(dead)
        while way.connects < _MOST_CONNECTS and not deadline.passed:
            way.connects += 1
            try:
                link = self._enter(before, jump, deadline)
            except TransportError as failure:
                error = _jump_failed(jump, failure)
                if failure.code not in _TRANSIENT and not deadline.passed:
                    way.connects = _MOST_CONNECTS
            else:
                with way.changed:
                    if way.failure is None:
                        way.link = link
                        return link
                link.close()  # too late: the run is over
                break
        error = way.failure or error or _waited_too_long(way, deadline)
        if way.connects >= _MOST_CONNECTS:
            way.failure = error
        raise _copy(error)

    def open(self, via: Link, host: Host, limit: Deadline, deadline: Deadline) -> Tunnel:
        """Return a stream to the host's port, opened within `limit`; `deadline` is the host's.

        Raises TransportError: what the jump host says of the host, or jump-failed.
        """
        engine = via.connection.engine
        assert isinstance(engine, SharedEngine)  # noqa: S101  # `reach` returns no others
        self._grant(via)
        heard = engine.seen.received
        where = f"{join_port(host.address, host.port)} through the jump host {via.connection.host.name}"
        try:
            # A jump host that does not even take the question in would hold up whoever asks it.
            with self._watchdog.guard(Deadline(limit.left() + STUCK_S), via.lifeline.cut):
                channel = engine.open_tunnel(host.address, host.port, limit, self._watchdog)
        except TunnelRefusedError as refusal:
            raise _not_opened(via.connection.host, where, refusal) from refusal
        except GONE as error:
            self._probe(via, heard, deadline)
            if not via.alive:
                raise explain_death(via) from error
            message = f"{where}: no answer within {limit.seconds:.3g} s"
            hint = "the host is down, or a firewall behind the jump host drops the connection"
            raise TransportError("tcp", "tcp-timeout", message, hint) from error
        return Tunnel(channel, via, self._watchdog)

    def _probe(self, via: Link, heard: int, deadline: Deadline) -> None:
        """Cut a jump host that has sent nothing since `heard` bytes and does not answer when it is spoken to."""
        engine = via.connection.engine
        with self._probing:
            if engine.seen.received == heard and via.alive and not deadline.passed:
                with self._watchdog.guard(deadline.within(_PROBE_S), via.lifeline.cut), contextlib.suppress(*GONE):
                    engine.global_request("keepalive@openssh.com")  # sshd does not know it, and says so

    def _grant(self, via: Link) -> None:
        """Let one more guest's answer come through `via`, and through what that itself comes through."""
        with self._lock:
            link: Link | None = via
            while link is not None:
                link.connection.engine.seen.budget += self._allowance
                link = link.line.via if isinstance(link.line, Tunnel) else None

    def close(self) -> None:
        """Close every connection, the inner before the outer. Hosts that still come get no other."""
        with self._lock:
            ways = sorted(self._ways.values(), key=lambda way: -len(way.jumps))
        for way in ways:
            with way.changed:
                link, way.link = way.link, None
                way.failure = way.failure or TransportError("tcp", "jump-failed", "the run is over")
                way.changed.notify_all()
            if link is not None:
                link.close()


def _look(way: _Way) -> Link | None:
    """Return the way's connection if it lives. Raises its failure when there will not be one any more."""
    if way.failure is not None:
        raise _copy(way.failure)
    return way.link if way.link is not None and way.link.alive else None


def _copy(error: TransportError) -> TransportError:
    """Return the same again: an exception that several threads raise gathers their tracebacks."""
    return TransportError(error.phase, error.code, error.message, error.hint)


def _waited_too_long(way: _Way, deadline: Deadline) -> TransportError:
    message = f"the jump host {way.jumps[-1].name} was not ready within {deadline.seconds:.3g} s"
    return TransportError("tcp", "jump-failed", message, "try `ssh` to it by hand")


def _jump_failed(jump: Host, error: TransportError) -> TransportError:
    if error.code == "jump-failed":
        return error
    message = f"the jump host {jump.name} failed: {error.message} ({error.code})"
    return TransportError(error.phase, "jump-failed", message, error.hint)


def _not_opened(jump: Host, where: str, refusal: TunnelRefusedError) -> TransportError:
    if refusal.code == CONNECT_FAILED and refusal.text in _CAUSES:
        code, hint = _CAUSES[refusal.text]
        return TransportError("tcp", code, f"{where}: {refusal.text}", hint)
    if refusal.code == CONNECT_FAILED:
        hint = "check the host's address, as the jump host sees it; the log of its sshd may say more"
        return TransportError("tcp", "jump-failed", f"{where}: it cannot connect there ({refusal.text})", hint)
    hint = "check AllowTcpForwarding, DisableForwarding and PermitOpen on the jump host"
    why = _REFUSALS.get(refusal.code, f"reason {refusal.code}")
    message = f"the jump host {jump.name} opens no connection to other hosts: {why} ({refusal.text})"
    return TransportError("tcp", "jump-failed", message, hint)
