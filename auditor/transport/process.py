"""A program of this machine in, what it prints out: fed, drained, bounded and ended, whatever it does.

It runs in a session of its own, and its whole process group is killed when it is done or out of time.
"""

import contextlib
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import IO

from auditor.errors import TransportError
from auditor.transport import Cut, Limits
from auditor.transport.deadline import Deadline
from auditor.transport.secret import PasswordPrompt

_CHUNK = 256 * 1024
_GRACE_S = 2.0
"""How long to wait for the end of the output once the program has ended, when something it left holds it open."""
_POLL_S = 0.25
_LOG = 64 * 1024


def start(
    command: Sequence[str], environment: Mapping[str, str], folder: str | None = "/"
) -> "subprocess.Popen[bytes]":
    """Start a program by its argument list, never by a shell, in a folder (None: ours). Raises TransportError."""
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=folder,
            start_new_session=True,
            bufsize=0,
        )
    except OSError as error:
        raise TransportError("exec", "exec-refused", f"cannot start {command[0]}: {error.strerror}") from error


def _pipes(shell: "subprocess.Popen[bytes]") -> tuple[IO[bytes], IO[bytes], IO[bytes]]:
    if shell.stdin is None or shell.stdout is None or shell.stderr is None:
        raise AssertionError("all three are pipes, see start")
    return shell.stdin, shell.stdout, shell.stderr


def end(shell: "subprocess.Popen[bytes]", seconds: float) -> int | None:
    """Give a shell that closed its outputs time to end, kill what is left of its group; None: it had to be killed."""
    status = None
    with contextlib.suppress(subprocess.TimeoutExpired):
        status = shell.wait(seconds)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()
    return status


def why_cut(drain: "Drain", status: int | None) -> Cut | None:
    if drain.full:
        return "output-cap"
    if status is None:
        return "deadline"
    return "killed" if status < 0 else None


class Drain:
    """Feeds the script and reads both outputs together, without blocking on any of the three.

    `log`: the descriptor of a third output, with what the program says of itself; whoever made it closes it.
    """

    def __init__(
        self,
        shell: "subprocess.Popen[bytes]",
        script: bytes,
        limits: Limits,
        prompt: PasswordPrompt,
        log: int | None = None,
    ) -> None:
        self.log = bytearray()
        self._log = log
        self._prompt = prompt
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.full = False
        self._shell = shell
        self._unsent = memoryview(script)
        self._limits = limits
        self._selector = selectors.PollSelector()
        self._stdin, self._stdout, self._stderr = _pipes(shell)
        for pipe in (self._stdin, self._stdout, self._stderr):
            os.set_blocking(pipe.fileno(), False)
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        self._selector.register(self._stdout, selectors.EVENT_READ)
        self._selector.register(self._stderr, selectors.EVENT_READ)
        if log is not None:
            self._selector.register(log, selectors.EVENT_READ)

    def run(self, deadline: Deadline) -> None:
        ended_at: float | None = None
        while self._outputs_open() and not self.full and not deadline.passed:
            ready = self._selector.select(deadline.left(_POLL_S))
            for key, _ in ready:
                pipe = key.fileobj
                if pipe is self._stdin:
                    self._feed()
                elif pipe == self._log:
                    self.read_log()
                else:
                    self._read(self._stdout if pipe is self._stdout else self._stderr)
            if self._shell.poll() is not None and not ready:
                ended_at = ended_at or time.monotonic()
                if time.monotonic() - ended_at > _GRACE_S:
                    return

    def _outputs_open(self) -> bool:
        return not (self._stdout.closed and self._stderr.closed)

    def _feed(self) -> None:
        try:
            self._unsent = self._unsent[os.write(self._stdin.fileno(), self._unsent[:_CHUNK]) :]
        except BrokenPipeError:
            self._unsent = self._unsent[:0]
        if self._unsent:
            return
        if self._prompt.awaited:
            self._selector.unregister(self._stdin)
        else:
            self._drop(self._stdin)

    def _read(self, pipe: IO[bytes]) -> None:
        data = os.read(pipe.fileno(), _CHUNK)
        if not data:
            self._drop(pipe)
        elif pipe is self._stderr:
            self.stderr += data[: max(0, self._limits.stderr - len(self.stderr))]
            if password := self._prompt.answer(self.stderr):
                self._unsent = memoryview(password)
                self._selector.register(self._stdin, selectors.EVENT_WRITE)
        else:
            self.stdout += data
            if len(self.stdout) > self._limits.stdout:
                del self.stdout[self._limits.kept :]
                self.full = True

    def read_log(self) -> None:
        """Take what is in the log by now: its beginning and its end are kept."""
        with contextlib.suppress(BlockingIOError):
            while self._log is not None and (data := os.read(self._log, _CHUNK)):
                self.log += data
                del self.log[_LOG : max(_LOG, len(self.log) - _LOG)]
                if len(data) < _CHUNK:
                    return

    def _drop(self, pipe: IO[bytes]) -> None:
        self._selector.unregister(pipe)
        pipe.close()

    def close(self) -> None:
        self._selector.close()
        for pipe in (self._stdin, self._stdout, self._stderr):
            pipe.close()
