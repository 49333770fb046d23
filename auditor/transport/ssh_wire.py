"""A byte stream under paramiko: a TCP socket, or a channel through a jump host.

paramiko reads a packet in several small reads and polls ten times a second; here reads are buffered and waiting costs
nothing. Closing only shuts the stream down, which wakes whoever waits on it; the descriptor itself is released by
`dispose`, after paramiko's thread has ended, so that no read can ever land on a descriptor that was given out again.
"""

import contextlib
import socket
from contextlib import AbstractContextManager
from typing import Protocol

import paramiko

from auditor.transport.deadline import Deadline, Watchdog

_CHUNK = 64 * 1024
_LEAST_WAIT_S = 1.0
_TICK_S = 0.001
_QUICKACK: int | None = getattr(socket, "TCP_QUICKACK", None)
_GONE = (OSError, EOFError, paramiko.SSHException)


class Stream(Protocol):
    """What a socket and a paramiko Channel have in common."""

    def recv(self, nbytes: int, /) -> bytes: ...
    def send(self, data: bytes, /) -> int: ...
    def settimeout(self, seconds: float | None, /) -> None: ...
    def shutdown(self, how: int, /) -> None: ...
    def close(self) -> None: ...


class Wire:
    """A stream on which the version lines were exchanged before paramiko got it."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._sent = b""
        self._buffer = memoryview(b"")
        self._closed = False  # under this name because paramiko's Transport.stop_thread reads it

    def replay(self, sent: bytes, received: bytes) -> None:
        """Let paramiko write `sent` again, which must not go out twice, and read `received`, which is here already."""
        self._sent = sent
        self._buffer = memoryview(received)

    def recv(self, nbytes: int) -> bytes:
        if not self._buffer:
            self._buffer = memoryview(self._stream.recv(_CHUNK))
            self._acknowledge()
        data = self._buffer[:nbytes]
        self._buffer = self._buffer[nbytes:]
        return bytes(data)

    def receive(self, deadline: Deadline) -> bytes | None:
        """Return what comes next, empty at the end of the stream; None when nothing came in time."""
        if self._buffer:
            data, self._buffer = bytes(self._buffer), memoryview(b"")
            return data
        while not deadline.passed:
            self._stream.settimeout(max(deadline.left(), _TICK_S))
            # A Channel measures its timeout on a clock that can be set: only the deadline says when the time is up.
            with contextlib.suppress(TimeoutError):
                data = self._stream.recv(_CHUNK)
                self._acknowledge()
                return data
        return None

    def send_all(self, data: bytes, deadline: Deadline) -> None:
        """Send everything. Raises TimeoutError, OSError or EOFError when it does not go."""
        rest = memoryview(data)
        while rest:
            self._stream.settimeout(max(deadline.left(), _TICK_S))
            sent = self._stream.send(rest)  # type: ignore[arg-type]  # both kinds take a memoryview
            if not sent:
                raise EOFError
            rest = rest[sent:]

    def _acknowledge(self) -> None:
        """Acknowledge at once: sshd (Nagle) holds its next small packet back until we do, tcp(7) TCP_QUICKACK."""
        if isinstance(self._stream, socket.socket) and _QUICKACK is not None:
            with contextlib.suppress(OSError):
                self._stream.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

    def send(self, data: bytes) -> int:
        if self._sent:
            done = min(len(data), len(self._sent))
            self._sent = self._sent[done:]
            return done
        return self._stream.send(data)

    def settimeout(self, seconds: float | None) -> None:
        """Wait longer than paramiko asks for: it polls to notice that it was closed, and `close` wakes it anyway."""
        self._stream.settimeout(None if seconds is None else max(seconds, _LEAST_WAIT_S))

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            shut(self._stream)

    def dispose(self) -> None:
        self._closed = True
        close(self._stream)


def shut(stream: Stream) -> None:
    """Shut both directions; a stream that is already gone is no error."""
    with contextlib.suppress(*_GONE):
        stream.shutdown(socket.SHUT_RDWR)


def close(stream: Stream) -> None:
    """Release a stream; one that is already gone is no error."""
    with contextlib.suppress(*_GONE):
        stream.close()


class Lifeline:
    """The one TCP socket that everything of a host hangs on, jump hosts included: shut it and every wait ends."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._watchdog = watchdog
        self._stream: Stream | None = None
        self._cut = False

    def attach(self, stream: Stream) -> None:
        self._stream = stream
        if self._cut:
            shut(stream)

    def cut(self) -> None:
        self._cut = True
        if self._stream is not None:
            shut(self._stream)

    def guard(self, deadline: Deadline) -> AbstractContextManager[None]:
        """Cut the line if `deadline` passes before the block ends."""
        return self._watchdog.guard(deadline, self.cut)
