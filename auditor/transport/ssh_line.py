"""What carries a host's bytes: a TCP socket, a ProxyCommand's (`ssh_proxy`), or a channel of a jump host.

A line is closed by whoever opened it, after the connection on it; when something goes wrong on it, it may know better
than the connection what that was.
"""

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import paramiko

from auditor.errors import TransportError
from auditor.transport.deadline import Deadline, Watchdog
from auditor.transport.ssh_connection import Connection
from auditor.transport.ssh_wire import Lifeline, Stream

STUCK_S = 5.0
"""How long a jump host may take to accept a message, or to answer beyond a guest's own time; then it counts as dead."""

_THREAD_END_S = 0.2


class Line(Protocol):
    """One way to a host, and the stream on it."""

    @property
    def stream(self) -> Stream: ...

    def explain(self, error: TransportError) -> TransportError:
        """Return what to say instead of `error`; mostly `error` itself."""
        ...

    def close(self) -> None: ...


@contextlib.contextmanager
def explaining(line: Line) -> Iterator[None]:
    """Let the line say what went wrong, where it knows better."""
    try:
        yield
    except TransportError as error:
        better = line.explain(error)
        if better is error:
            raise
        raise better from error


@dataclass(frozen=True, slots=True)
class Straight:
    """A TCP connection to the host itself."""

    stream: socket.socket

    def explain(self, error: TransportError) -> TransportError:
        return error

    def close(self) -> None:
        self.stream.close()


@dataclass(frozen=True, slots=True)
class Link:
    """A logged-in connection with everything it hangs on."""

    connection: Connection
    line: Line
    lifeline: Lifeline

    @property
    def alive(self) -> bool:
        return bool(self.connection.engine.is_active())

    def close(self) -> None:
        self.lifeline.cut()  # first: nothing is left to wait for then
        self.connection.close()
        self.line.close()


class Tunnel:
    """A channel of a jump host, as a Stream and a Line. To shut it wakes whoever waits, here, and sends nothing."""

    def __init__(self, channel: paramiko.Channel, via: Link, watchdog: Watchdog) -> None:
        self._channel = channel
        self._via = via
        self._watchdog = watchdog

    @property
    def via(self) -> Link:
        """The jump host's connection."""
        return self._via

    @property
    def stream(self) -> "Tunnel":
        return self

    def recv(self, nbytes: int, /) -> bytes:
        return self._channel.recv(nbytes)

    def send(self, data: bytes, /) -> int:
        sent = self._channel.send(bytes(data))
        if not sent:  # paramiko's word for a channel that is shut
            raise EOFError
        return sent

    def settimeout(self, seconds: float | None, /) -> None:
        self._channel.settimeout(seconds)

    def shutdown(self, _how: int, /) -> None:
        """End every wait on the channel. Called by the watchdog, so it must not wait: not even for the jump host."""
        channel = self._channel
        with channel.lock:
            channel.eof_sent = True  # ends a send that waits for room
            channel.out_buffer_cv.notify_all()
        channel.in_buffer.close()

    def explain(self, error: TransportError) -> TransportError:
        # paramiko's thread closes its channels first, and only then calls the connection ended.
        self._via.connection.engine.join(_THREAD_END_S)
        return error if self._via.alive else explain_death(self._via)

    def close(self) -> None:
        """Give the channel back; a jump host that does not take even that much is cut off."""
        gone = (OSError, EOFError, paramiko.SSHException)
        with self._watchdog.guard(Deadline(STUCK_S), self._via.lifeline.cut), contextlib.suppress(*gone):
            self._channel.close()


def explain_death(via: Link) -> TransportError:
    """Return what to say of a jump host whose connection has ended."""
    seen = via.connection.engine.seen
    said = f', and it says "{seen.disconnect}"' if seen.disconnect else ""
    how = "it sent more than its share" if seen.exhausted else f"it broke{said}"
    message = f"the connection to the jump host {via.connection.host.name} did not last: {how}"
    return TransportError("tcp", "jump-failed", message, "look at the log of its sshd, and at what lies between")
