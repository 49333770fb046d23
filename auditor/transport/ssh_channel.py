"""A logged-in connection and a script in, bounded bytes out: one exec, standard input fed, both outputs drained.

paramiko waits for the answer to an exec without a limit, keeps whatever is sent, and stalls when one of the two outputs
is not read; so the wait is guarded, both are read together, and both are capped.
"""

import contextlib
import threading
import time
from dataclasses import dataclass

import paramiko

from auditor.display import escape
from auditor.errors import TransportError
from auditor.transport import MEBIBYTE, SHELL, Cut, Limits, Script
from auditor.transport.deadline import Deadline
from auditor.transport.secret import PasswordPrompt
from auditor.transport.ssh_connection import Connection
from auditor.transport.ssh_protocol import Engine
from auditor.transport.ssh_wire import Lifeline

EXEC_S = 30.0
_GRACE_S = 2.0
"""How long to wait for an exit status after the last output, and for the end of the output after an exit status."""
_POLL_S = 0.25


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the fields of a Transcript that a shell fills."""

    stdout: bytes
    stderr: bytes
    exit_status: int | None
    cut: Cut | None


def run_script(
    connection: Connection,
    script: Script,
    prompt: PasswordPrompt,
    limits: Limits,
    lifeline: Lifeline,
    deadline: Deadline,
) -> Answer:
    """Run `script` in the login's shell. Raises TransportError (exec, read) when not one byte of output came."""
    answer = Answer(b"", b"", None, None)
    for command in (f"exec {SHELL}", "sh -s"):
        channel = _start(connection, command, lifeline, deadline.within(EXEC_S))
        try:
            answer = _read_answer(connection.engine, _Drain(channel, limits, prompt), script, deadline)
        finally:
            # Closing tells the server, which may be long gone or deaf: never wait for that beyond the deadline.
            with lifeline.guard(deadline), contextlib.suppress(paramiko.SSHException, EOFError, OSError):
                channel.close()
        # A restricted shell (bash(1), RESTRICTED SHELL) forbids exec and paths with slashes, but finds sh by its name.
        if answer.cut or b"restricted" not in answer.stderr or script.nonce.encode("ascii") in answer.stdout:
            break
    if not answer.stdout and answer.cut in ("deadline", "lost"):
        raise _nothing_came(answer, deadline)
    return answer


def _start(connection: Connection, command: str, lifeline: Lifeline, deadline: Deadline) -> paramiko.Channel:
    """Open a session channel and have `command` accepted. Raises TransportError (exec)."""
    engine = connection.engine
    engine.seen.stream_ended = False
    engine.seen.signal = ""
    try:
        with lifeline.guard(deadline):
            channel = engine.open_session()
            channel.exec_command(command)
    except (paramiko.SSHException, EOFError, OSError) as error:
        raise _not_started(engine, error, deadline) from error
    return channel


def _not_started(engine: Engine, error: Exception, deadline: Deadline) -> TransportError:
    if deadline.passed:
        message = f"logged in, but the server did not start a shell within {deadline.seconds:.3g} s"
        return TransportError("exec", "exec-timeout", message, "the host hangs, or is out of processes or memory")
    if engine.seen.exhausted:
        return TransportError("exec", "exec-flood", "the server floods the connection instead of starting a shell")
    if not engine.is_active():
        said = f': it says "{engine.seen.disconnect}"' if engine.seen.disconnect else ""
        message = f"the server closed the connection instead of starting a shell{said}"
        return TransportError("exec", "exec-closed", message, "look at its log; the account may be expired or limited")
    reason = f" ({escape(error.text, 120)})" if isinstance(error, paramiko.ChannelException) else ""
    return TransportError(
        "exec",
        "exec-refused",
        f"the server lets us log in but not run a command{reason}",
        "check MaxSessions, ForceCommand and the options before the key in authorized_keys",
    )


def _read_answer(engine: Engine, drain: "_Drain", script: Script, deadline: Deadline) -> Answer:
    channel = drain.channel
    # A shell that does not read (nologin, sftp) closes its input early or never takes it; what it printed counts.
    with contextlib.suppress(OSError, paramiko.SSHException, EOFError):
        channel.sendall(script.text)
        if not drain.prompt.awaited:
            channel.shutdown_write()
    drain.run(deadline)
    if drain.ended:
        channel.status_event.wait(deadline.left(_GRACE_S))
    status = channel.exit_status if channel.status_event.is_set() and channel.exit_status >= 0 else None
    cut = _why_cut(engine, drain, deadline)
    if cut == "output-cap":
        del drain.stdout[drain.limits.kept :]
    return Answer(bytes(drain.stdout), bytes(drain.stderr), status, cut)


def _why_cut(engine: Engine, drain: "_Drain", deadline: Deadline) -> Cut | None:
    if drain.full or engine.seen.exhausted:
        return "output-cap"
    if engine.seen.signal:
        return "killed"
    if engine.seen.stream_ended or drain.exited:
        return None
    return "deadline" if deadline.passed else "lost"


class _Wakeup(threading.Event):
    """Set when either output has news. The two share it, so neither may clear it: only the reader does, by `rearm`."""

    def clear(self) -> None:
        """Do nothing: paramiko clears it when one output is empty, and the other may not be."""

    def rearm(self) -> None:
        super().clear()


class _Drain:
    """Reads both outputs of a channel until they end.

    `ended`: no more can come. `full`: more than the cap came. `exited`: the command ended, but something it left behind
    holds its output open; nothing more came for a while, and that was waited for.
    """

    def __init__(self, channel: paramiko.Channel, limits: Limits, prompt: PasswordPrompt) -> None:
        self.prompt = prompt
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.ended = self.full = self.exited = False
        self.channel = channel
        self.limits = limits
        self._wakeup = _Wakeup()
        channel.in_buffer.set_event(self._wakeup)
        channel.in_stderr_buffer.set_event(self._wakeup)

    def run(self, deadline: Deadline) -> None:
        last_news = time.monotonic()
        while not (self.full or self.ended or self.exited or deadline.passed):
            self._wakeup.rearm()
            # Asked before reading: what arrives between reading and asking must not be taken for read.
            over = self.channel.eof_received or self.channel.closed
            if self._pump():
                last_news = time.monotonic()
            elif over:
                self.ended = True
            elif self.channel.exit_status_ready() and time.monotonic() - last_news > _GRACE_S:
                self.exited = True
            else:
                self._wakeup.wait(deadline.left(_POLL_S))
        # Out of time: the connection is cut, and what it had brought by then still counts.
        while deadline.passed and not self.full and self._pump():
            pass

    def _pump(self) -> bool:
        """Take what is there; return whether anything was."""
        moved = False
        if self.channel.recv_ready():
            moved = True
            self.stdout += self.channel.recv(MEBIBYTE)
            if len(self.stdout) > self.limits.stdout:
                del self.stdout[self.limits.kept :]
                self.full = True
        if self.channel.recv_stderr_ready():
            moved = True
            room = self.limits.stderr - len(self.stderr)
            self.stderr += self.channel.recv_stderr(MEBIBYTE)[: max(0, room)]
            self._answer()
        return moved

    def _answer(self) -> None:
        """Send the password, once, when it is asked for. It is a line, so the channel's window always has room."""
        if password := self.prompt.answer(self.stderr):
            with contextlib.suppress(OSError, paramiko.SSHException, EOFError):
                self.channel.sendall(password)
                self.channel.shutdown_write()


def _nothing_came(answer: Answer, deadline: Deadline) -> TransportError:
    errors = escape(answer.stderr[:600].decode("utf-8", "surrogateescape"), 200)
    said = f'; its error output: "{errors}"' if errors else ""
    if answer.cut == "lost":
        message = f"the connection was lost before the script printed anything{said}"
        return TransportError(
            "read", "connection-lost", message, "the host or its sshd went down, or a firewall cut in"
        )
    message = f"the script was started but printed nothing within {deadline.seconds:.3g} s{said}"
    return TransportError(
        "read", "read-timeout", message, "the login shell may wait for something: run `ssh HOST true`"
    )
