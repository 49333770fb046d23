"""A host and a script in, a transcript out, by way of other processes: one interpreter uses no more than one core.

Each process (`crew_mate`) serves many hosts at the same time and streams back what they sent. Only hosts go there that
share nothing with others but files that are read, see `is_separable`. All else stays here: whose turn it is, what is
made of an answer, and whatever is written.
"""

import io
import itertools
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import BinaryIO, TypeVar, cast

from auditor.errors import Problem, TransportError
from auditor.model.host import Host, HostKeyPolicy
from auditor.model.transcript import Transcript
from auditor.transport import Script, Transport
from auditor.transport.crew_messages import Answer, Farewell, News, Order, Said, Setting, read_message, write_message
from auditor.transport.loop import Inbox
from auditor.transport.process import start
from auditor.transport.timeline import Watcher, watching

_PROGRAM = "import sys; sys.path[:] = sys.argv[1:]; from auditor.transport.crew_mate import serve; serve()"
_PATIENCE_S = 30.0
"""How much later than a host's deadline an answer may come: then the process that owes it hangs, and is ended."""
_FAREWELL_S = 2.0
_CHUNK = 1 << 16
Pipe = TypeVar("Pipe")


def is_separable(host: Host, policy: HostKeyPolicy) -> bool:
    """Return whether a process of its own may ask a host: no other's answer, and no file, depends on how that goes.

    Not behind a jump host, whose connection is shared; not with a password, of which wrong ones are counted over the
    whole fleet; not where a new host key is written down. What asks through a program of its own has one already.
    """
    shared = host.jump or host.ssh.proxy_command is not None or host.password is not None
    accepts = policy == "accept-new" or host.accepts_new_keys
    return host.connection == "ssh" and host.client == "paramiko" and not shared and not accepts


class Crew:
    """A transport that has `size` processes beside this one; `own` gives that of this process, when it is needed.

    It runs what is not separable, and everything once all others are gone. The processes start with the first host.
    Safe to use from several threads; `close` it at the end.
    """

    def __init__(self, size: int, setting: Setting, own: Callable[[], Transport]) -> None:
        self._size = size
        self._setting = setting
        self._open_own = own
        self._lock = threading.Lock()
        self._own: Transport | None = None
        self._mates: list[_Mate] | None = None
        self._troubles: list[Problem] = []

    @property
    def warnings(self) -> tuple[Problem, ...]:
        """What the processes had to say of files when they were closed, and what became of them before that."""
        mates = self._mates or []
        return tuple(sorted({*self._troubles, *(problem for mate in mates for problem in mate.problems)}))

    def run(self, host: Host, script: Script) -> Transcript:
        """See `Transport.run`."""
        while is_separable(host, self._setting.host_keys) and (mate := self._choose()) is not None:
            outcome = mate.run(host, script)
            if isinstance(outcome, Transcript):
                return outcome
            if outcome is not None:
                raise outcome
        return self._find_own().run(host, script)

    def close(self) -> None:
        """Send the processes home, and see them gone."""
        mates = self._mates or []
        for mate in mates:
            mate.dismiss()
        for mate in mates:
            mate.await_end()

    def _choose(self) -> "_Mate | None":
        """Return the process with the least to do; None when there is none any more."""
        with self._lock:
            if self._mates is None:
                self._mates = self._start()
        return min((mate for mate in self._mates if mate.alive), key=lambda mate: mate.in_flight, default=None)

    def _start(self) -> "list[_Mate]":
        mates: list[_Mate] = []
        try:
            for _ in range(self._size):
                mates.append(_Mate(self._setting))  # noqa: PERF401 - what was started stays when the next cannot be
        except TransportError as error:
            self._troubles.append(Problem("--procs", 0, 0, f"fewer processes than wanted: {error.message}"))
        return mates

    def _find_own(self) -> Transport:
        with self._lock:
            if self._own is None:
                self._own = self._open_own()
        return self._own


class _Waiting:
    """An order given and not answered yet: where its answer goes, and who wants to hear of its phases."""

    def __init__(self, told: tuple[Host, Watcher] | None) -> None:
        self.inbox: Inbox[Transcript | Exception | None] = Inbox()
        self.told = told
        self.sent = False


class _Mate:
    """A process of the crew, from outside. Safe to use from several threads."""

    def __init__(self, setting: Setting) -> None:
        # -P: nothing is imported from the working directory, which it has from us: paths may be relative to it.
        self._process = start([sys.executable, "-P", "-c", _PROGRAM, *sys.path], os.environ, folder=None)
        pipes = self._process.stdin, self._process.stdout, self._process.stderr
        orders, answers, strays = cast(tuple[io.FileIO, io.FileIO, io.FileIO], pipes)  # see `start`
        self.alive = True
        self.problems: Sequence[Problem] = ()
        self._dismissed = False
        self._numbers = itertools.count()
        self._waiting: dict[int, _Waiting] = {}
        self._lock = threading.Lock()
        self._outbox: SimpleQueue[Setting | Order | None] = SimpleQueue()
        self._outbox.put(setting)
        try:
            self._listener = self._begin(self._listen, io.BufferedReader(answers, _CHUNK))
            self._begin(self._pass_on, io.BufferedReader(strays, _CHUNK))
            self._begin(self._send, orders)
        except RuntimeError as error:  # threading's word for the process or memory limit
            self._process.kill()
            self._process.wait()
            raise TransportError("exec", "exec-refused", str(error)) from error

    @staticmethod
    def _begin(work: Callable[[Pipe], None], pipe: Pipe) -> threading.Thread:
        thread = threading.Thread(target=work, args=(pipe,), name="netaudit-crew", daemon=True)
        thread.start()
        return thread

    @property
    def in_flight(self) -> int:
        return len(self._waiting)

    def run(self, host: Host, script: Script) -> Transcript | Exception | None:
        """Return what came of it; None when the process had ended before, and never heard of it."""
        number, waiting = next(self._numbers), _Waiting(watching())
        with self._lock:
            if not self.alive:
                return None
            self._waiting[number] = waiting
            self._outbox.put(Order(number, host, script, watched=waiting.told is not None))
        try:
            return waiting.inbox.get(host.timeout + _PATIENCE_S)
        except Empty:
            self._process.kill()
            return waiting.inbox.get()  # from `_bury`

    def dismiss(self) -> None:
        """Tell the process to end, by the end of its orders: what it owes is not wanted any more."""
        with self._lock:
            self._dismissed = True
        self._outbox.put(None)

    def await_end(self) -> None:
        """Wait until the process has ended, not long."""
        self._listener.join(_FAREWELL_S)
        self._process.kill()
        self._listener.join()

    def _send(self, orders: io.FileIO) -> None:
        """Send whatever is ordered, at the pace at which it is read. If it ends, `_listen` sees to the rest."""
        with orders, suppress(OSError):
            while (message := self._outbox.get()) is not None:
                write_message(orders, message)
                if isinstance(message, Order) and (waiting := self._waiting.get(message.number)) is not None:
                    waiting.sent = True

    def _listen(self, answers: BinaryIO) -> None:
        try:
            with answers, suppress(EOFError):
                while True:
                    for each in cast(Said, read_message(answers)):
                        self._deliver(each)
        finally:
            self._bury()

    def _deliver(self, said: News | Answer | Farewell) -> None:
        match said:
            case News(number, step, over):
                told = self._waiting[number].told
                if told is not None:
                    host, watcher = told
                    (watcher.end if over else watcher.begin)(host, step)
            case Answer(number, outcome):
                with self._lock:
                    waiting = self._waiting.pop(number)
                waiting.inbox.put(RuntimeError(outcome) if isinstance(outcome, str) else outcome)
            case Farewell(warnings):
                self.problems = warnings

    def _bury(self) -> None:
        """Let everybody know who still waits. Nothing that was in flight is known: it failed."""
        with self._lock:
            self.alive = False
            lost, self._waiting = self._waiting, {}
        self._process.kill()
        status = self._process.wait()
        self._outbox.put(None)
        if not self._dismissed:
            how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
            message = f"a process that talks to hosts has ended before its time ({how})"
            self.problems = (Problem("--procs", 0, 0, message),)
        else:
            message = "the run is over"
        hint = "see whether memory ran out (dmesg); run it again, with --procs 1 if need be"
        for waiting in lost.values():
            waiting.inbox.put(TransportError("read", "process-died", message, hint) if waiting.sent else None)

    @staticmethod
    def _pass_on(strays: BinaryIO) -> None:
        """Print what the process printed, which is nothing when all is well: also where lines are to be JSON."""
        with strays:
            for line in strays:
                sys.stderr.write(line.decode("utf-8", "backslashreplace"))
