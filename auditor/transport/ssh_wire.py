"""A byte stream under paramiko: a TCP socket, or a channel through a jump host.

paramiko reads a packet in several small reads and polls ten times a second; here reads are buffered and waiting costs
nothing. Closing only shuts the stream down, which wakes whoever waits on it; the descriptor itself is released by
`dispose`, after paramiko's thread has ended, so that no read can ever land on a descriptor that was given out again.
"""

import contextlib
import select
import socket
from contextlib import AbstractContextManager
from math import inf
from typing import NamedTuple, Protocol

import paramiko

from auditor.transport.deadline import Deadline, Watchdog
from auditor.transport.loop import pause, wait_for

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


class Lull(NamedTuple):
    """How long to leave alone what comes, in seconds, unless `enough` bytes are there: each waking up has its price.

    Memory goes cold in a pause, so it is more than the system calls: a read that waits costs up to a tenth of an ms.
    `sure`: so many are bound to come, and less is nothing to look at; so where one cannot wait for a number of bytes
    there is no lull.
    """

    seconds: float
    enough: int
    sure: bool = False


class Wire:
    """A stream on which the version lines were exchanged before paramiko got it.

    `receive` and `send_all` are for who drives the connection; `recv`, `send` and `settimeout` are what paramiko calls.
    A socket that is driven never blocks, and poll(2) waits for it: a timeout of Python's takes three system calls for
    each read and write, and each of them lets other threads in.
    """

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self._socket = stream if isinstance(stream, socket.socket) else None
        self._sent = b""
        self._buffer = memoryview(b"")
        self._owed = False  # whether something came that was not acknowledged
        self._enough = 1  # bytes that poll(2) waits for
        self._closed = False  # under this name because paramiko's Transport.stop_thread reads it

    def replay(self, sent: bytes, received: bytes) -> None:
        """Let paramiko write `sent` again, which must not go out twice, and read `received`, which is here already."""
        self._sent = sent
        self._buffer = memoryview(received)

    def recv(self, nbytes: int) -> bytes:
        if not self._buffer:
            self._want(1)
            self._buffer = memoryview(self._stream.recv(_CHUNK))
            self._owed = True
            self.acknowledge()
        data = self._buffer[:nbytes]
        self._buffer = self._buffer[nbytes:]
        return bytes(data)

    def receive(self, deadline: Deadline, lull: Lull | None = None) -> bytes | None:
        """Return what comes next, empty at the end of the stream; None when nothing came in time.

        `lull`: what is left to gather before anybody looks.
        """
        if self._buffer:
            data, self._buffer = bytes(self._buffer), memoryview(b"")
            return data
        if lull and (gathered := self._gather(deadline, lull)) is not None:
            return gathered
        self.acknowledge()
        self._want(1)
        while True:
            # A Channel measures its timeout on a clock that can be set: only the deadline says when the time is up.
            with contextlib.suppress(TimeoutError, BlockingIOError):
                self._await(select.POLLIN, deadline)
                data = self._stream.recv(_CHUNK)
                self._owed = True
                return data
            if deadline.passed:
                return None

    def _gather(self, deadline: Deadline, lull: Lull) -> bytes | None:
        """Wait for enough bytes, or for the lull's time; return what there is by then, if anything is known of it."""
        if self._socket is None or _QUICKACK is None:  # only Linux' poll(2) minds SO_RCVLOWAT
            self.acknowledge()
            pause(0.0 if lull.sure else deadline.left(lull.seconds))
            return None
        self._want(lull.enough)
        # Also when nothing is owed: what is about to come is acknowledged as it comes, and not held for us to answer.
        self._owed = True
        self.acknowledge()
        while True:
            self._await(select.POLLIN, deadline, lull.seconds)
            with contextlib.suppress(BlockingIOError):
                data = self._socket.recv(_CHUNK)
                self._owed = True
                return data
            if not lull.sure or deadline.passed:
                return None

    def _want(self, enough: int) -> None:
        """Have poll(2) wait for so many bytes, the end or an error: socket(7), SO_RCVLOWAT."""
        if self._socket is not None and self._enough != enough:
            self._enough = enough
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, enough)

    def send_all(self, data: bytes, deadline: Deadline) -> None:
        """Send everything. Raises TimeoutError, OSError or EOFError when it does not go."""
        rest = memoryview(data)
        if self._socket is not None and self._socket.gettimeout() != 0:
            self._socket.setblocking(False)
        while rest:
            try:
                if self._socket is None:
                    self._await(select.POLLOUT, deadline)
                sent = self._stream.send(rest)  # type: ignore[arg-type]  # both kinds take a memoryview
            except BlockingIOError:
                if deadline.passed:
                    raise TimeoutError from None
                self._await(select.POLLOUT, deadline)
                continue
            if not sent:
                raise EOFError
            rest = rest[sent:]
            self._owed = False  # what goes out acknowledges what came in

    def _await(self, event: int, deadline: Deadline, most: float = inf) -> None:
        """Wait until a socket is ready, or the time is up, or `most` seconds; tell another
        stream how long it may wait itself.
        """
        if self._socket is None:
            self._stream.settimeout(max(deadline.left(), _TICK_S))
            return
        if self._socket.gettimeout() != 0:
            self._socket.setblocking(False)
        wait_for((self._socket,), event, max(deadline.left(most), _TICK_S))

    def acknowledge(self) -> None:
        """Acknowledge what came, if nothing was sent since: sshd (Nagle) holds its next small packet back until then.

        tcp(7) TCP_QUICKACK.
        """
        if self._owed and self._socket is not None and _QUICKACK is not None:
            self._owed = False
            with contextlib.suppress(OSError):
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)

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
