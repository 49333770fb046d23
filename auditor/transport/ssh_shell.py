"""A command to run on a logged-in connection: what it is, and what a running one can do, on either kind of engine.

`PublicShell` is the one on paramiko's own Channel, which is fed from paramiko's thread; `ssh_session` has the other.
"""

import contextlib
import threading
from dataclasses import dataclass
from math import inf
from typing import NamedTuple, Protocol

import paramiko

from auditor.transport import MEBIBYTE
from auditor.transport.deadline import Deadline


@dataclass(frozen=True, slots=True)
class Job:
    """`command` with `text` on its standard input. `more`: the input stays open, for an answer to a prompt."""

    command: str
    text: bytes
    more: bool = False


class News(NamedTuple):
    """What came on both outputs since the last look. `over`: nothing can come after it."""

    stdout: bytes
    stderr: bytes
    over: bool


class Shell(Protocol):
    """A running command. Nothing here waits beyond the deadline it is given."""

    @property
    def exit_status(self) -> int | None:
        """The status, once it is known."""
        ...

    @property
    def ended(self) -> bool:
        """Whether the server said that the command is over: by its exit status, its signal, or by closing."""
        ...

    def feed(self, deadline: Deadline) -> None:
        """See to it that the job's text gets to the command, and the end of it unless there is more."""
        ...

    def answer(self, line: bytes) -> None:
        """Send the last line of the input, and its end."""
        ...

    def look(self) -> News:
        """Take what came."""
        ...

    def wait(self, deadline: Deadline, most: float) -> None:
        """Return when there may be news, or after `most` seconds."""
        ...

    def wait_for_end(self, deadline: Deadline, most: float) -> None:
        """Return when the command has `ended`, or after `most` seconds."""
        ...

    def close(self) -> None: ...


GONE = (OSError, EOFError, paramiko.SSHException)
"""What paramiko raises when the far side is no longer there, or no longer listens."""


class _Wakeup(threading.Event):
    """Set when either output has news. The two share it, so neither may clear it: only the reader does, by `rearm`."""

    def clear(self) -> None:
        """Do nothing: paramiko clears it when one output is empty, and the other may not be."""

    def rearm(self) -> None:
        super().clear()


class PublicShell:
    """A Shell on a paramiko Channel on which the job's command was accepted."""

    def __init__(self, channel: paramiko.Channel, job: Job) -> None:
        self._channel = channel
        self._job = job
        self._wakeup = _Wakeup()
        channel.in_buffer.set_event(self._wakeup)
        channel.in_stderr_buffer.set_event(self._wakeup)

    @property
    def exit_status(self) -> int | None:
        status = self._channel.exit_status
        return status if self.ended and status >= 0 else None

    @property
    def ended(self) -> bool:
        return self._channel.status_event.is_set()

    def feed(self, deadline: Deadline) -> None:  # noqa: ARG002  # the watchdog ends a send that hangs
        # A shell that does not read (nologin, sftp) closes its input early or never takes it; what it printed counts.
        with contextlib.suppress(*GONE):
            self._channel.sendall(self._job.text)
            if not self._job.more:
                self._channel.shutdown_write()

    def answer(self, line: bytes) -> None:
        # It is one line, so the channel's window always has room.
        with contextlib.suppress(*GONE):
            self._channel.sendall(line)
            self._channel.shutdown_write()

    def look(self) -> News:
        self._wakeup.rearm()
        # Asked before reading: what arrives between reading and asking must not be taken for read.
        over = bool(self._channel.eof_received or self._channel.closed)
        stdout = stderr = b""
        with contextlib.suppress(*GONE):  # after a good part of a window paramiko answers the server, who may be gone
            stdout = self._channel.recv(MEBIBYTE) if self._channel.recv_ready() else b""
            stderr = self._channel.recv_stderr(MEBIBYTE) if self._channel.recv_stderr_ready() else b""
        return News(stdout, stderr, over and not stdout and not stderr)

    def wait(self, deadline: Deadline, most: float = inf) -> None:
        self._wakeup.wait(deadline.left(most))

    def wait_for_end(self, deadline: Deadline, most: float) -> None:
        self._channel.status_event.wait(deadline.left(most))

    def close(self) -> None:
        with contextlib.suppress(*GONE):
            self._channel.close()
