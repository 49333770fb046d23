"""The audit report: version 1 of the JSON that others build on, and the one place where verdicts and counts are made.

Fields may be added, never renamed. `netaudit schema report` prints the JSON Schema of `AuditReport`.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

from auditor.model.facts import Coverage, Gap, Listener, System
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.origin import Origin
from auditor.model.policy import SEVERITIES, Severity, severity_rank
from auditor.model.transcript import Failure
from auditor.model.value import Value

HostStatus = Literal["compliant", "violating", "incomplete", "unreachable"]
Verdict = Literal["pass", "fail", "incomplete"]
ListenerVerdict = Literal["allowed", "denied", "unexpected", "waived", "ignored"]


class Decision(Value):
    """The policy line that decided a listener's verdict; `entry` None: the policy's default."""

    policy: str
    entry: str | None
    file: str
    line: int


class JudgedListener(Listener):
    """A listener and what the policies say of it. `decided_by` None: no policy applies."""

    verdict: ListenerVerdict
    decided_by: Decision | None = None


class Judgement(Value):
    """What the policies say of one host's facts: the policies that apply, every listener judged, the findings."""

    policies: tuple[str, ...]
    listeners: tuple[JudgedListener, ...]
    findings: tuple[Finding, ...]


class HostReport(Value):
    """One host's result. `facts` is None exactly when the host was unreachable."""

    name: str
    address: str
    groups: tuple[str, ...]
    status: HostStatus
    policies: tuple[str, ...]
    error: Failure | None
    facts: System | None
    coverage: tuple[Coverage, ...] = ()
    gaps: tuple[Gap, ...] = ()
    listeners: tuple[JudgedListener, ...] = ()
    findings: tuple[Finding, ...] = ()


class PolicyRef(Value):
    name: str
    path: str
    sha256: str


class InventoryRef(Value):
    path: str
    sha256: str


class Run(Value):
    """Which run this was. `partial`: it was interrupted, and hosts are missing."""

    id: str
    started_at: datetime
    finished_at: datetime
    partial: bool = False
    inventory: InventoryRef
    policies: tuple[PolicyRef, ...]


class Generator(Value):
    name: str
    version: str


class HostCounts(Value):
    total: int = 0
    compliant: int = 0
    violating: int = 0
    incomplete: int = 0
    unreachable: int = 0


class FindingCounts(Value):
    """Unwaived findings that severity decides, and the waived ones. Gaps are counted by host instead."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    info: int = 0
    waived: int = 0


class Summary(Value):
    hosts: HostCounts
    findings: FindingCounts
    listeners: int


class Exit(Value):
    """The exit code and every reason for it, the deciding one first."""

    code: int
    reasons: tuple[str, ...]


class Hygiene(Value):
    """Something about the policies themselves that rots: an entry that matched nothing, a waiver about to end."""

    kind: str
    message: str
    origin: Origin


class AuditReport(Value):
    """One run over a fleet: hosts sorted by name, every list sorted, no trace of the order in which hosts answered."""

    kind: Literal["netaudit.report"] = "netaudit.report"
    schema_version: Literal[1] = 1
    generator: Generator
    run: Run
    verdict: Verdict
    exit: Exit
    summary: Summary
    hosts: tuple[HostReport, ...]
    hygiene: tuple[Hygiene, ...] = ()


def decides(finding: Finding, fail_on: Severity) -> bool:
    """Return whether `finding` fails a run: not waived, of a rule that severity decides, at or above `fail_on`."""
    counted = finding.waived is None and finding.rule not in INCOMPLETE_RULES
    return counted and severity_rank(finding.severity) >= severity_rank(fail_on)


def judge_host(findings: Sequence[Finding], failure: Failure | None, fail_on: Severity) -> HostStatus:
    """Return a host's status. Anything above info violates, whatever the gate; `--fail-on info` includes info too."""
    if failure is not None:
        return "unreachable"
    threshold: Severity = "info" if fail_on == "info" else "low"
    if any(decides(finding, threshold) for finding in findings):
        return "violating"
    if any(finding.rule in INCOMPLETE_RULES for finding in findings):
        return "incomplete"
    return "compliant"


def build_report(
    run: Run, hosts: Iterable[HostReport], hygiene: Iterable[Hygiene], fail_on: Severity, generator: Generator
) -> AuditReport:
    """Return the report of a run: the hosts sorted, counted and judged once, for every reporter and the exit code."""
    ordered = tuple(sorted(hosts, key=lambda host: host.name))
    summary = _summarise(ordered)
    reasons_fail = _failing_reasons(ordered, fail_on)
    reasons_open = _open_reasons(ordered)
    verdict: Verdict = "fail" if reasons_fail else "incomplete" if reasons_open or run.partial else "pass"
    code = 1 if reasons_fail else 3 if reasons_open or run.partial else 0
    reasons = (*reasons_fail, *reasons_open)
    if not reasons:
        reasons = (f"{summary.hosts.total} of {summary.hosts.total} hosts audited, nothing at or above {fail_on}",)
    return AuditReport(
        generator=generator,
        run=run,
        verdict=verdict,
        exit=Exit(code=code, reasons=reasons),
        summary=summary,
        hosts=ordered,
        hygiene=tuple(sorted(hygiene, key=lambda note: (note.kind, str(note.origin), note.message))),
    )


def _summarise(hosts: Sequence[HostReport]) -> Summary:
    by_status: dict[str, int] = {}
    by_severity: dict[str, int] = {}
    for host in hosts:
        by_status[host.status] = by_status.get(host.status, 0) + 1
        for finding in host.findings:
            if finding.rule not in INCOMPLETE_RULES:
                key = "waived" if finding.waived else finding.severity
                by_severity[key] = by_severity.get(key, 0) + 1
    return Summary(
        hosts=HostCounts(total=len(hosts), **by_status),
        findings=FindingCounts(**by_severity),
        listeners=sum(len(host.listeners) for host in hosts),
    )


def _failing_reasons(hosts: Sequence[HostReport], fail_on: Severity) -> tuple[str, ...]:
    failing = [(host, finding) for host in hosts for finding in host.findings if decides(finding, fail_on)]
    if not failing:
        return ()
    counts = {level: sum(finding.severity == level for _, finding in failing) for level in SEVERITIES}
    parts = ", ".join(f"{count} {level}" for level, count in counts.items() if count)
    where = len({host.name for host, _ in failing})
    return (f"{_count(len(failing), 'finding')} at or above {fail_on} on {_count(where, 'host')} ({parts})",)


def _open_reasons(hosts: Sequence[HostReport]) -> tuple[str, ...]:
    total = len(hosts)
    reasons: list[str] = []
    unreachable = [host.error.code for host in hosts if host.error is not None]
    if unreachable:
        codes = ", ".join(f"{unreachable.count(code)} {code}" for code in sorted(set(unreachable)))
        reasons.append(f"{len(unreachable)} of {total} hosts unreachable ({codes})")
    incomplete = sum(
        host.error is None and any(finding.rule in INCOMPLETE_RULES for finding in host.findings) for host in hosts
    )
    if incomplete:
        reasons.append(f"{incomplete} of {total} hosts not fully audited")
    return tuple(reasons)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
