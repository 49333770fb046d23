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
    """A stream whose greeting has been exchanged already.

    `sent` is our version line, which paramiko will write again and which must not go out twice; `received` is what the
    server sent so far, which paramiko has yet to read.
    """

    def __init__(self, stream: Stream, sent: bytes, received: bytes) -> None:
        self._stream = stream
        self._sent = sent
        self._buffer = memoryview(received)
        self._closed = False  # under this name because paramiko's Transport.stop_thread reads it

    def recv(self, nbytes: int) -> bytes:
        if not self._buffer:
            self._buffer = memoryview(self._stream.recv(_CHUNK))
            self._acknowledge()
        data = self._buffer[:nbytes]
        self._buffer = self._buffer[nbytes:]
        return bytes(data)

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
