"""A fleet at work under a command: signals, progress, results in order of arrival."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from time import monotonic
from types import FrameType
from typing import TYPE_CHECKING, Generic, TypeVar

from auditor.audit import Clock, Fleet
from auditor.cli import log
from auditor.cli.descriptors import fit_jobs
from auditor.display import escape
from auditor.errors import Problem
from auditor.model.host import Connection, Host, Inventory
from auditor.model.transcript import Evidence, Failure, Transcript
from auditor.schedule import Schedule, Turn
from auditor.transport import Transport
from auditor.transport.loop import Threads, blocking

if TYPE_CHECKING:
    from auditor.transport.crew import Crew
    from auditor.transport.ssh import SshTransport

Done = TypeVar("Done")
_LARGE, _SHORT_S = 128 * 1024, 0.0005
SIGNAL_EXITS = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interruption:
    """Whether a signal has ended the run early; `code` is then the exit code."""

    code: int | None = None


@contextmanager
def work_interruptibly(stop: Callable[[], None]) -> Iterator[Interruption]:
    """Let the first SIGINT or SIGTERM `stop` the work gently, and the second end the program at once."""
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in SIGNAL_EXITS}

    def obey(number: int, _frame: FrameType | None) -> None:
        interruption.code = SIGNAL_EXITS[signal.Signals(number)]
        for each, previous in before.items():
            signal.signal(each, previous)
        log.note_stop()
        stop()

    for number in SIGNAL_EXITS:
        signal.signal(number, obey)
    try:
        yield interruption
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def work_through_saved(
    work: Callable[[Evidence], Done], saved: Iterable[Evidence], take: Callable[[Done], None]
) -> Interruption:
    """Do `work` for hosts that answered earlier, one after the other, and pass each result to `take`.

    There is nothing to wait for, and more threads would only take turns on the one core that an interpreter uses.
    """
    with work_interruptibly(lambda: None) as interruption:
        for evidence in saved:
            take(work(evidence))
            if interruption.code is not None:
                break
    return interruption


def gather_hosts(
    collect: Callable[[Host], Evidence],
    finish: Callable[[Evidence], Done],
    hosts: Sequence[Host],
    jobs: int,
    take: Callable[[Done], None],
    seed: str = "",
) -> Interruption:
    """`collect` from all hosts, `jobs` at a time, and pass what `finish` makes of each to `take` here, as they come.

    The order spares the network, see `Schedule`; `seed` decides it. Both functions run in the fleet's
    thread, but `finish` beside it where there is much to do.
    """

    def work(turn: Turn) -> _Asked[Done]:
        began = monotonic()
        host = turn.host.model_copy(update={"timeout": turn.seconds}) if turn.again else turn.host
        evidence = collect(host).model_copy(update={"host": turn.host})
        seconds = monotonic() - began
        if not _is_large(evidence):
            return _Asked(evidence.outcome, seconds, finish(evidence))
        return _Asked(evidence.outcome, seconds, blocking(partial(_give_way, partial(finish, evidence)), judging))

    judging = Threads("netaudit-judge", 1)  # of several, the hosts in flight would get the interpreter last
    fleet = Fleet(work, fit_jobs(min(jobs, len(hosts))))
    source: _Turns[Done] = _Turns(Schedule(hosts, seed))
    with work_interruptibly(fleet.stop) as interruption:
        for asked in fleet.run(source):
            take(asked.result)
    return interruption


def _is_large(evidence: Evidence) -> bool:
    """Return whether what is made of it would keep other hosts waiting that are in flight."""
    return isinstance(evidence.outcome, Transcript) and len(evidence.outcome.stdout) > _LARGE


def _give_way(work: Callable[[], Done]) -> Done:
    """Do what takes long, and let go of the interpreter soon after another thread asks for it."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(_SHORT_S)
    try:
        return work()
    finally:
        sys.setswitchinterval(usual)


@dataclass(frozen=True, slots=True)
class _Asked(Generic[Done]):
    """How a host's turn went, how many seconds it took, and what was made of it."""

    outcome: Transcript | Failure
    seconds: float
    result: Done


class _Turns(Generic[Done]):
    """A schedule as the source of a fleet's jobs."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def take(self) -> Turn | None:
        return self._schedule.take()

    def settle(self, turn: Turn, asked: _Asked[Done]) -> bool:
        return self._schedule.settle(turn, asked.outcome, asked.seconds)


@contextmanager
def open_transports(inventory: Inventory, clock: Clock, procs: int = 1) -> Iterator[dict[Connection, Transport]]:
    """Yield a transport for every kind of connection the hosts use; SSH in `procs` processes, see `choose_procs`."""
    kinds = {host.connection for host in inventory.hosts}
    transports: dict[Connection, Transport] = {}
    with ExitStack() as stack:
        if "ssh" in kinds:
            opening = _Opening(inventory, clock, stack)
            transports["ssh"] = opening.open_own() if procs == 1 else opening.open_crew(procs - 1)
        if "local" in kinds:
            from auditor.transport.local import LocalTransport

            transports["local"] = LocalTransport(clock=clock)
        if "replay" in kinds:
            from auditor.transport.replay import ReplayTransport

            transports["replay"] = ReplayTransport()
        yield transports


class _Opening:
    """Opens what speaks SSH, to be closed with `stack`; what there is to warn of is said once then, by whomever."""

    def __init__(self, inventory: Inventory, clock: Clock, stack: ExitStack) -> None:
        self._inventory = inventory
        self._clock = clock
        self._stack = stack
        self._opened: list[SshTransport | Crew] = []
        stack.callback(lambda: _warn(sorted({problem for each in self._opened for problem in each.warnings})))

    def open_own(self) -> Transport:
        """Return the transport of this process."""
        from auditor.transport.host_keys import HostKeys
        from auditor.transport.ssh import SshTransport

        inventory, clock = self._inventory, self._clock
        jump_hosts = {host.name: host for host in (*inventory.jump_hosts, *inventory.hosts, *inventory.others)}
        host_keys = HostKeys(policy=inventory.host_keys)
        ssh = self._stack.enter_context(SshTransport(clock=clock, jump_hosts=jump_hosts, host_keys=host_keys))
        self._opened.append(ssh)
        if all(host.client == "paramiko" for host in inventory.hosts):
            return ssh
        from auditor.cli.reach import chosen_ssh_config
        from auditor.transport.clients import ByClient
        from auditor.transport.openssh import OpenSshTransport

        config = chosen_ssh_config()
        return ByClient(ssh, OpenSshTransport(clock=clock, jump_hosts=jump_hosts, host_keys=host_keys, config=config))

    def open_crew(self, size: int) -> Transport:
        """Return one that has `size` other processes, and opens this one's only where it is needed."""
        from auditor.transport.crew import Crew
        from auditor.transport.crew_messages import Setting

        crew = Crew(size, Setting(self._clock, self._inventory.host_keys), self.open_own)
        self._stack.callback(crew.close)
        self._opened.append(crew)
        return crew


def _warn(problems: Sequence[Problem]) -> None:
    for problem in problems:
        where = f"{escape(problem.file)}:{problem.line}" if problem.line else escape(problem.file)
        log.warn(f"{where}: {escape(problem.message)}", file=problem.file, line=problem.line)
