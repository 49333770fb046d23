"""A host in, its report out; a fleet in, the reports of all its hosts out as they finish.

    Host ─collect_host→ Evidence ─judge_evidence→ HostReport

One host never ends a run and never touches another's result: whatever goes wrong becomes that host's own failure.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, Protocol, TypeVar

from greenlet import GreenletExit

from auditor.collect import build_script, unframe
from auditor.collect.sections import TableGroup
from auditor.errors import TransportError
from auditor.evaluate import CompiledPolicies, evaluate, report_unreachable
from auditor.model.host import Connection, Host
from auditor.model.policy import Severity
from auditor.model.report import HostReport, judge_host
from auditor.model.transcript import Evidence, Failure, Transcript
from auditor.parse import parse_snapshot
from auditor.transport import Transport
from auditor.transport.loop import Loop

Clock = Callable[[], datetime]
Job = TypeVar("Job")
Done = TypeVar("Done")
Done_contra = TypeVar("Done_contra", contravariant=True)
_FIRST_WIDTH = 16
_RAMP_S = 0.25


def collect_host(
    host: Host,
    transports: Mapping[Connection, Transport],
    clock: Clock,
    *,
    owners: bool = True,
    tables: Set[TableGroup] = frozenset(),
) -> Evidence:
    """Run the probe on one host and return what came back, or why nothing did. Raises nothing for the host's sake.

    `owners`: also find out who holds the sockets that listen. `tables`: what else to fetch, see `build_script`.
    """
    script = build_script(
        secrets.token_hex(16),
        sudo=host.sudo,
        password=host.sudo_password is not None,
        namespaces=host.namespaces,
        owners=owners,
        tables=tables,
    )
    outcome: Transcript | Failure
    try:
        outcome = transports[host.connection].run(host, script)
    except TransportError as error:
        outcome = Failure(phase=error.phase, code=error.code, message=error.message, hint=error.hint)
    except (KeyboardInterrupt, SystemExit, GreenletExit):
        raise
    except BaseException as error:  # noqa: BLE001 - the one place where a defect costs one host, not the fleet
        outcome = fail_internally(error)  # that of a library in Rust is no Exception, but PyO3's PanicException
    return Evidence(host=host, outcome=outcome, finished_at=clock())


def fail_internally(error: BaseException) -> Failure:
    """Return the failure of a host on which netaudit itself broke: never a verdict, always visible."""
    return Failure(
        phase="read",
        code="internal-error",
        message=f"{type(error).__name__}: {error}"[:500],
        hint="this is a defect in netaudit: please report it, with this host's evidence if you can",
    )


def judge_evidence(evidence: Evidence, policies: CompiledPolicies, now: datetime, fail_on: Severity) -> HostReport:
    """Unframe, parse and evaluate one host's evidence. `now` is the moment waivers are judged at."""
    try:
        return _judge(evidence, policies, now, fail_on)
    except Exception as error:  # noqa: BLE001 - as in collect_host: a defect must not pass, nor end the run
        return _judge(evidence.model_copy(update={"outcome": fail_internally(error)}), policies, now, fail_on)


def _judge(evidence: Evidence, policies: CompiledPolicies, now: datetime, fail_on: Severity) -> HostReport:
    host, outcome = evidence.host, evidence.outcome
    if isinstance(outcome, Failure):
        findings = (report_unreachable(host, outcome),)
        return HostReport(
            name=host.name,
            address=host.address,
            groups=host.groups,
            labels=host.labels,
            status=judge_host(findings, outcome, fail_on),
            policies=policies.names_for(host),
            error=outcome,
            facts=None,
            findings=findings,
        )
    facts = parse_snapshot(unframe(outcome), outcome, namespaces=host.namespaces)
    judgement = evaluate(host, facts, policies, now)
    return HostReport(
        name=host.name,
        address=host.address,
        groups=host.groups,
        labels=host.labels,
        status=judge_host(judgement.findings, None, fail_on),
        policies=judgement.policies,
        error=None,
        facts=facts.system,
        coverage=facts.coverage,
        gaps=facts.gaps,
        listeners=judgement.listeners,
        findings=judgement.findings,
        exposures=facts.exposures,
        unix=facts.unix,
    )


class Source(Protocol[Job, Done_contra]):
    """Where a fleet's jobs come from, one by one as there is room for them."""

    def take(self) -> Job | None:
        """Return the next job; None when there is none, or none until one of those taken is settled."""
        ...

    def settle(self, job: Job, done: Done_contra) -> bool:
        """Learn what came of a job; return whether that is its result, or it will be taken once more."""
        ...


@dataclass(frozen=True, slots=True)
class _Settled(Generic[Job, Done]):
    """A job and what came of it: nothing, when the fleet had stopped."""

    job: Job
    done: list[Done]


class Fleet(Generic[Job, Done]):
    """Does `work` for many jobs, a bounded number at a time in one thread (`Loop`), and hands out results as they come.

    It begins with `_FIRST_WIDTH` jobs at a time and takes one more for every result, and twice as many whenever a
    quarter of a second brings none: no burst of handshakes at the start, and no wait for hosts that are slow. `stop`
    (safe in a signal handler) starts nothing new; what is in flight may still arrive for `grace` seconds. The thread is
    a daemon: a host that hangs to its deadline does not keep the program from ending.
    """

    def __init__(self, work: Callable[[Job], Done], jobs: int, grace: float = 3.0) -> None:
        self._work = work
        self._jobs = max(1, jobs)
        self._width = min(self._jobs, _FIRST_WIDTH)
        self._grace = grace
        self._in_flight = 0
        self._until: float | None = None
        self._done: SimpleQueue[_Settled[Job, Done] | BaseException | None] = SimpleQueue()
        self._loop: Loop[Job] = Loop(self._do, self._done.put)

    def stop(self) -> None:
        self._until = monotonic() + self._grace
        self._done.put(None)  # wakes `run`; SimpleQueue.put may be called from a signal handler

    @property
    def stopped(self) -> bool:
        return self._until is not None

    def run(self, source: Source[Job, Done]) -> Iterator[Done]:
        """Yield one result per job, in order of completion; fewer after `stop`.

        What the source raises comes through, and what `work` raises.
        """
        try:
            while True:
                self._hand_out(source)
                if not self._in_flight or (self._until is not None and monotonic() >= self._until):
                    return
                settled = self._await()
                if settled is None:
                    continue
                self._in_flight -= 1
                for done in settled.done:
                    if source.settle(settled.job, done):
                        yield done
        finally:
            self._until = self._until or monotonic()  # what waits is not begun any more, should it end by an error
            self._loop.end()

    def _hand_out(self, source: Source[Job, Done]) -> None:
        """Draw jobs as long as there is room."""
        while not self.stopped and self._in_flight < self._width and (job := source.take()) is not None:
            self._loop.submit(job)
            self._in_flight += 1

    def _do(self, job: Job) -> None:
        try:
            self._done.put(_Settled(job, [] if self.stopped else [self._work(job)]))
        except BaseException as error:  # noqa: BLE001 - for `run` to raise
            self._done.put(error)

    def _await(self) -> _Settled[Job, Done] | None:
        """Return what is settled next; None when it is time to look again, and then there may be room for more."""
        patience = _RAMP_S if self._width < self._jobs else None
        if self._until is not None:
            patience = max(0.0, self._until - monotonic())
        try:
            settled = self._done.get(timeout=patience)
        except Empty:
            self._width = min(self._jobs, 2 * self._width)
            return None
        if isinstance(settled, BaseException):
            raise settled
        if settled is not None:
            self._width = min(self._jobs, self._width + 1)
        return settled
