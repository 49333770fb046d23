"""Hosts for the HTML report: each with its facts, its listeners and how well it could be read; worst first."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from auditor.model.facts import Coverage, Gap, System
from auditor.model.finding import INCOMPLETE_RULES
from auditor.model.report import AuditReport, HostReport, HostStatus
from auditor.model.transcript import Failure
from auditor.reporters.html_findings import PER_HOST as FINDINGS
from auditor.reporters.html_findings import anchor_host
from auditor.reporters.html_listeners import PER_HOST as LISTENERS
from auditor.reporters.html_listeners import Listeners, build_listeners

ROWS = 50_000
"""Table rows the hosts may take in all: about 1,100 hosts of 30 listeners, which a browser opens in some seconds."""

GAPS = 200
"""Gaps shown of one host, so that no host can use up what the others need."""
_FACTS = 11
"""What the facts of a host cost, in rows."""

STATUSES: tuple[HostStatus, ...] = ("violating", "incomplete", "unreachable", "compliant")
"""In the order in which a reader should look."""


@dataclass(frozen=True, slots=True)
class FactLine:
    """One fact about a host; None is shown as not known. `exact` asks for a typewriter face."""

    label: str
    value: str | None
    exact: bool = False


@dataclass(frozen=True, slots=True)
class FindingLine:
    """One finding of a host in short. `id` None: it is not among the findings of this page."""

    id: str | None
    level: str
    rule: str
    subject: str


@dataclass(frozen=True, slots=True)
class HostView:
    """One host. Not `detailed`: its tables and facts are left out of a very large page."""

    name: str
    anchor: str
    address: str
    groups: tuple[str, ...]
    policies: tuple[str, ...]
    status: HostStatus
    detailed: bool
    found: int
    listening: int
    facts: tuple[FactLine, ...]
    error: Failure | None
    findings: tuple[FindingLine, ...]
    listeners: Listeners | None
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    gaps_hidden: int


@dataclass(frozen=True, slots=True)
class Hosts:
    """Every host, and how many are shown without their tables because the page would not open otherwise."""

    rows: tuple[HostView, ...]
    brief: int

    @property
    def many(self) -> bool:
        """Whether there are so many that a browser should lay out only those in sight."""
        return len(self.rows) > 500


def build_hosts(report: AuditReport, findings_shown: frozenset[str]) -> Hosts:
    """Return every host, worst first; the tables of the last ones are left out once ROWS are used up."""
    left = ROWS
    brief = 0
    views: list[HostView] = []
    for host in sorted(report.hosts, key=lambda host: (STATUSES.index(host.status), host.name)):
        listed = min(len(host.listeners), LISTENERS)
        cost = _FACTS + listed + len(host.coverage) + min(len(host.gaps), GAPS)
        detailed = cost <= left or host.facts is None
        left -= cost if detailed and host.facts is not None else 0
        brief += not detailed
        views.append(_view(host, findings_shown, detailed=detailed))
    return Hosts(rows=tuple(views), brief=brief)


def spell_time(moment: datetime) -> str:
    """Return a moment as `2026-01-02 03:04:05 UTC`. One without a zone is UTC already, as everywhere in a report."""
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%d %H:%M:%S} UTC"


def _view(host: HostReport, findings_shown: frozenset[str], *, detailed: bool) -> HostView:
    return HostView(
        name=host.name,
        anchor=anchor_host(host.name),
        address=host.address,
        groups=host.groups,
        policies=host.policies,
        status=host.status,
        detailed=detailed,
        found=len(host.findings),
        listening=len(host.listeners),
        facts=tuple(_facts(host.facts)) if detailed and host.facts else (),
        error=host.error,
        findings=tuple(
            FindingLine(
                id=finding.id if finding.id in findings_shown else None,
                level="waived" if finding.waived else finding.severity,
                rule=finding.rule,
                subject=finding.subject,
            )
            for finding in host.findings[:FINDINGS]
            if finding.rule not in INCOMPLETE_RULES
        ),
        listeners=build_listeners(host.listeners) if detailed and host.facts else None,
        coverage=host.coverage if detailed else (),
        gaps=host.gaps[:GAPS] if detailed else (),
        gaps_hidden=max(0, len(host.gaps) - GAPS) if detailed else 0,
    )


def _facts(system: System) -> Iterable[FactLine]:
    skew, ports = system.clock_skew_s, system.ephemeral_ports
    yield FactLine("Calls itself", system.hostname, exact=True)
    yield FactLine("System", system.os)
    yield FactLine("Kernel", system.kernel)
    yield FactLine("Architecture", system.arch)
    yield FactLine("Byte order", f"{system.byte_order} endian" if system.byte_order != "unknown" else None)
    yield FactLine("Read as", "root" if system.privileged else "an unprivileged user")
    yield FactLine("Host key", system.host_key, exact=True)
    yield FactLine("Key exchange", system.kex, exact=True)
    yield FactLine("Collected", spell_time(system.collected_at))
    yield FactLine("Clock against ours", f"{skew:+.1f} s" if skew is not None else None)
    yield FactLine("Ephemeral ports", f"{ports[0]}–{ports[1]}" if ports else None)
