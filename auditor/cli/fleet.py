"""A fleet at work under a command: signals, progress, results in order of arrival."""

import signal
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from types import FrameType
from typing import TypeVar

from auditor.audit import Clock, Fleet
from auditor.display import escape
from auditor.errors import Problem
from auditor.model.host import Connection, Inventory
from auditor.transport import Transport

Job = TypeVar("Job")
Done = TypeVar("Done")
SIGNAL_EXITS = {signal.SIGINT: 130, signal.SIGTERM: 143}


class Interruption:
    """Whether a signal has ended the run early; `code` is then the exit code."""

    code: int | None = None


@contextmanager
def work_interruptibly(fleet: Fleet[Job, Done]) -> Iterator[Interruption]:
    """Let the first SIGINT or SIGTERM stop the fleet gently, and the second end the program at once."""
    interruption = Interruption()
    before = {number: signal.getsignal(number) for number in SIGNAL_EXITS}

    def stop(number: int, _frame: FrameType | None) -> None:
        interruption.code = SIGNAL_EXITS[signal.Signals(number)]
        for each, previous in before.items():
            signal.signal(each, previous)
        fleet.stop()

    for number in SIGNAL_EXITS:
        signal.signal(number, stop)
    try:
        yield interruption
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)


def gather(work: Callable[[Job], Done], items: Iterable[Job], jobs: int, take: Callable[[Done], None]) -> Interruption:
    """Do `work` for all items, `jobs` at a time, passing each result to `take` here, in order of arrival."""
    fleet = Fleet(work, jobs)
    with work_interruptibly(fleet) as interruption:
        for done in fleet.run(items):
            take(done)
    return interruption


@contextmanager
def open_transports(inventory: Inventory, clock: Clock) -> Iterator[dict[Connection, Transport]]:
    """Yield a transport for every kind of connection the hosts use."""
    kinds = {host.connection for host in inventory.hosts}
    transports: dict[Connection, Transport] = {}
    with ExitStack() as stack:
        if "ssh" in kinds:
            from auditor.transport.ssh import SshTransport

            jump_hosts = {host.name: host for host in (*inventory.hosts, *inventory.others)}
            ssh = stack.enter_context(SshTransport(clock=clock, jump_hosts=jump_hosts))
            stack.callback(lambda: _warn(ssh.warnings))
            transports["ssh"] = ssh
        if "local" in kinds:
            from auditor.transport.local import LocalTransport

            transports["local"] = LocalTransport(clock=clock)
        if "replay" in kinds:
            from auditor.transport.replay import ReplayTransport

            transports["replay"] = ReplayTransport()
        yield transports


def _warn(problems: Sequence[Problem]) -> None:
    for problem in problems:
        where = f"{escape(problem.file)}:{problem.line}" if problem.line else escape(problem.file)
        print(f"warning: {where}: {escape(problem.message)}", file=sys.stderr)
