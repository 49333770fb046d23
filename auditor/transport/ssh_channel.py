"""A logged-in connection and a script in, bounded bytes out: one exec, standard input fed, both outputs drained.

paramiko waits for the answer to an exec without a limit, keeps whatever is sent, and stalls when one of the two outputs
is not read; so the wait is guarded, both are read together, and both are capped.
"""

import time
from dataclasses import dataclass

import paramiko

from auditor.display import escape
from auditor.errors import TransportError
from auditor.transport import SHELL, Cut, Limits, Script
from auditor.transport.deadline import Deadline
from auditor.transport.secret import PasswordPrompt
from auditor.transport.ssh_connection import Connection
from auditor.transport.ssh_protocol import Engine
from auditor.transport.ssh_shell import GONE, Job, Shell
from auditor.transport.ssh_wire import Lifeline
from auditor.transport.timeline import step

COMMANDS = (f"exec {SHELL}", "sh -s")
"""What starts the script. A restricted shell (bash(1), RESTRICTED SHELL) forbids exec and paths with slashes, but finds
sh by its name."""
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


class Plan:
    """A script and how it is to be run; `password` is for its sudo.

    `prompt` is set when the connection is there: not every one may carry a password.
    """

    def __init__(self, script: Script, password: bytes) -> None:
        self.script = script
        self.prompt = PasswordPrompt(b"", b"")
        self._password = password
        self._ahead = True
        self._engine: Engine | None = None

    def lay_before(self, connection: Connection) -> None:
        """Tell the connection what is going to be run on it: it may be sent along with the login."""
        self._engine = connection.engine
        if connection.passwords:
            self.prompt = PasswordPrompt(self.script.prompt, self._password)
        if self._ahead:
            self._engine.plan(plan_job(COMMANDS[0], self.script, self.prompt))

    def backfired(self, error: TransportError) -> bool:
        """Return whether the server hung up on what was sent ahead. From then on nothing is."""
        hung_up = error.code in {"auth-closed", "exec-closed"}
        wrong = hung_up and self._ahead and self._engine is not None and self._engine.rushed
        self._ahead = False
        return wrong


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
    for command in COMMANDS:
        with step("exec", connection.host) as note:
            shell = _start(connection, plan_job(command, script, prompt), lifeline, deadline.within(EXEC_S))
            note(command)
        try:
            with step("read", connection.host) as note:
                answer = _read_answer(connection.engine, _Drain(shell, limits, prompt), deadline)
                note(f"{len(answer.stdout)} bytes")
        finally:
            # Closing tells the server, which may be long gone or deaf: never wait for that beyond the deadline.
            with lifeline.guard(deadline):
                shell.close()
        if answer.cut or b"restricted" not in answer.stderr or script.nonce.encode("ascii") in answer.stdout:
            break
    if not answer.stdout and answer.cut in ("deadline", "lost"):
        raise _nothing_came(answer, deadline)
    return answer


def plan_job(command: str, script: Script, prompt: PasswordPrompt) -> Job:
    """Return what is to be started for `script`."""
    return Job(command, script.text, more=prompt.awaited)


def _start(connection: Connection, job: Job, lifeline: Lifeline, deadline: Deadline) -> Shell:
    """Have the server start the job. Raises TransportError (exec)."""
    engine = connection.engine
    engine.seen.stream_ended = False
    engine.seen.signal = ""
    try:
        with lifeline.guard(deadline):
            return engine.start_shell(job, deadline)
    except GONE as error:
        raise _not_started(engine, error, deadline) from error


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


def _read_answer(engine: Engine, drain: "_Drain", deadline: Deadline) -> Answer:
    shell = drain.shell
    shell.feed(deadline)
    drain.run(deadline)
    if drain.ended:
        shell.wait_for_end(deadline, _GRACE_S)
    cut = _why_cut(engine, drain, deadline)
    if cut == "output-cap":
        del drain.stdout[drain.limits.kept :]
    return Answer(bytes(drain.stdout), bytes(drain.stderr), shell.exit_status, cut)


def _why_cut(engine: Engine, drain: "_Drain", deadline: Deadline) -> Cut | None:
    if drain.full or engine.seen.exhausted:
        return "output-cap"
    if engine.seen.signal:
        return "killed"
    if engine.seen.stream_ended or drain.exited:
        return None
    return "deadline" if deadline.passed else "lost"


class _Drain:
    """Reads both outputs of a channel until they end.

    `ended`: no more can come. `full`: more than the cap came. `exited`: the command ended, but something it left behind
    holds its output open; nothing more came for a while, and that was waited for.
    """

    def __init__(self, shell: Shell, limits: Limits, prompt: PasswordPrompt) -> None:
        self.shell = shell
        self.prompt = prompt
        self.stdout = bytearray()
        self.stderr = bytearray()
        self.ended = self.full = self.exited = False
        self.limits = limits

    def run(self, deadline: Deadline) -> None:
        last_news = time.monotonic()
        while not (self.full or self.ended or self.exited or deadline.passed):
            if self._pump():
                last_news = time.monotonic()
            elif not self.ended:
                self.exited = self.shell.ended and time.monotonic() - last_news > _GRACE_S
                self.shell.wait(deadline, _POLL_S)
        # Out of time: the connection is cut, and what it had brought by then still counts.
        while deadline.passed and not self.full and self._pump():
            pass

    def _pump(self) -> bool:
        """Take what is there; return whether anything was."""
        news = self.shell.look()
        self.ended = news.over
        if news.stdout:
            self.stdout += news.stdout
            if len(self.stdout) > self.limits.stdout:
                del self.stdout[self.limits.kept :]
                self.full = True
        if news.stderr:
            room = self.limits.stderr - len(self.stderr)
            self.stderr += news.stderr[: max(0, room)]
            # The password is sent once, when it is asked for.
            if password := self.prompt.answer(self.stderr):
                self.shell.answer(password)
        return bool(news.stdout or news.stderr)


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
