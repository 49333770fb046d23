"""A host in, its report out; a fleet in, the reports of all its hosts out as they finish.

    Host ─collect_host→ Evidence ─judge_evidence→ HostReport

One host never ends a run and never touches another's result: whatever goes wrong becomes that host's own failure.
"""

import secrets
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Generic, TypeVar

from auditor.collect import build_script, unframe
from auditor.errors import TransportError
from auditor.evaluate import CompiledPolicies, evaluate, report_unreachable
from auditor.model.host import Connection, Host
from auditor.model.policy import Severity
from auditor.model.report import HostReport, judge_host
from auditor.model.transcript import Evidence, Failure, Transcript
from auditor.parse import parse_snapshot
from auditor.transport import Transport

Clock = Callable[[], datetime]
Job = TypeVar("Job")
Done = TypeVar("Done")


def collect_host(
    host: Host, transports: Mapping[Connection, Transport], clock: Clock, *, owners: bool = True
) -> Evidence:
    """Run the probe on one host and return what came back, or why nothing did. Raises nothing for the host's sake.

    `owners`: also find out who holds the sockets that listen.
    """
    script = build_script(
        secrets.token_hex(16),
        sudo=host.sudo,
        password=host.sudo_password is not None,
        namespaces=host.namespaces,
        owners=owners,
    )
    outcome: Transcript | Failure
    try:
        outcome = transports[host.connection].run(host, script)
    except TransportError as error:
        outcome = Failure(phase=error.phase, code=error.code, message=error.message, hint=error.hint)
    except Exception as error:  # noqa: BLE001 - the one place where a defect of ours costs one host, not the fleet
        outcome = fail_internally(error)
    return Evidence(host=host, outcome=outcome, finished_at=clock())


def fail_internally(error: Exception) -> Failure:
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
    facts = parse_snapshot(unframe(outcome), outcome)
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


class Fleet(Generic[Job, Done]):
    """Does `work` for many jobs on a fixed number of threads and hands out results as they come.

    Jobs are drawn as they are needed, so they may be many. `stop` (safe in a signal handler) starts nothing new; what
    is in flight may still arrive for `grace` seconds. The threads are daemons: a host that hangs to its deadline does
    not keep the program from ending.
    """

    def __init__(self, work: Callable[[Job], Done], jobs: int, grace: float = 3.0) -> None:
        self._work = work
        self._jobs = max(1, jobs)
        self._grace = grace
        self._in_flight = 0
        self._until: float | None = None
        self._waiting: SimpleQueue[list[Job]] = SimpleQueue()
        self._done: SimpleQueue[list[Done] | None] = SimpleQueue()

    def stop(self) -> None:
        self._until = monotonic() + self._grace
        self._done.put(None)  # wakes `run`; SimpleQueue.put may be called from a signal handler

    @property
    def stopped(self) -> bool:
        return self._until is not None

    def run(self, jobs: Iterable[Job]) -> Iterator[Done]:
        """Yield one result per job, in order of completion; fewer after `stop`. What `jobs` raises comes through."""
        threads = 0
        try:
            for job in jobs:
                if self.stopped:
                    break
                self._waiting.put([job])
                self._in_flight += 1
                if threads < self._jobs:
                    threading.Thread(target=self._drain, daemon=True, name="netaudit-worker").start()
                    threads += 1
                yield from self._settle(2 * self._jobs)
            yield from self._settle(0)
        finally:
            for _ in range(threads):
                self._waiting.put([])

    def _drain(self) -> None:
        while job := self._waiting.get():
            self._done.put([] if self.stopped else [self._work(job[0])])

    def _settle(self, most: int) -> Iterator[Done]:
        """Yield results until at most `most` jobs are in flight, or the grace after `stop` is over."""
        while self._in_flight > most:
            try:
                done = self._done.get(timeout=None if self._until is None else max(0.0, self._until - monotonic()))
            except Empty:
                self._in_flight = 0
                return
            if done is not None:
                self._in_flight -= 1
                yield from done
