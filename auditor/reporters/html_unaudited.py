"""What the audit could not know, for the HTML report: hosts that were not reached, and hosts read only in part."""

from dataclasses import dataclass

from auditor.errors import Phase
from auditor.model.facts import Gap
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.report import AuditReport, HostReport
from auditor.model.transcript import Failure
from auditor.reporters.html_findings import anchor_host

_SHOWN = 20
_STEPS: dict[Phase, str] = {
    "dns": "looking up the name",
    "tcp": "connecting",
    "banner": "waiting for SSH to answer",
    "kex": "agreeing on keys",
    "hostkey": "checking the host key",
    "auth": "logging in",
    "exec": "starting the script",
    "read": "reading the answer",
}


@dataclass(frozen=True, slots=True)
class Lost:
    """A host that could not be read at all."""

    name: str
    anchor: str
    address: str
    finding: str | None
    message: str
    hint: str


@dataclass(frozen=True, slots=True)
class LostGroup:
    """Hosts lost for one reason. `hint` is the next step when it is the same for all of them, else ''."""

    phase: Phase
    step: str
    code: str
    hint: str
    hosts: tuple[Lost, ...]


@dataclass(frozen=True, slots=True)
class Partial:
    """A host that was read, but not wholly: the findings that say so, and the gaps they do not already quote.

    `hidden` counts those not shown.
    """

    name: str
    anchor: str
    status: str
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    hidden: int
    steps: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unaudited:
    """Everything that keeps a run from being complete. `hosts` counts the hosts."""

    lost: tuple[LostGroup, ...]
    partial: tuple[Partial, ...]

    @property
    def unreachable(self) -> int:
        return sum(len(group.hosts) for group in self.lost)

    @property
    def hosts(self) -> int:
        return self.unreachable + len(self.partial)


def build_unaudited(report: AuditReport) -> Unaudited:
    """Return the hosts not fully audited: the unreachable by reason, commonest first, then the incomplete by name."""
    by_code: dict[tuple[Phase, str], list[Lost]] = {}
    for host in report.hosts:
        if host.error is not None:
            by_code.setdefault((host.error.phase, host.error.code), []).append(_lose(host, host.error))
    groups = sorted(by_code.items(), key=lambda item: (-len(item[1]), item[0]))
    return Unaudited(
        lost=tuple(_group(phase, code, hosts) for (phase, code), hosts in groups),
        partial=tuple(_part(host) for host in report.hosts if host.error is None and not host.fully_audited),
    )


def _lose(host: HostReport, failure: Failure) -> Lost:
    finding = next((finding.id for finding in host.findings if finding.rule == "unreachable"), None)
    return Lost(host.name, anchor_host(host.name), host.address, finding, failure.message, failure.hint)


def _group(phase: Phase, code: str, hosts: list[Lost]) -> LostGroup:
    hints = {host.hint for host in hosts}
    return LostGroup(phase, _STEPS[phase], code, hints.pop() if len(hints) == 1 else "", tuple(hosts))


def _part(host: HostReport) -> Partial:
    findings = tuple(finding for finding in host.findings if finding.rule in INCOMPLETE_RULES)
    said = " ".join(finding.message for finding in findings)
    gaps = tuple(gap for gap in host.gaps if gap.reason not in said)
    steps = tuple(dict.fromkeys(finding.remediation for finding in findings if finding.remediation))
    shown = findings[:_SHOWN], gaps[:_SHOWN]
    hidden = len(findings) + len(gaps) - len(shown[0]) - len(shown[1])
    return Partial(host.name, anchor_host(host.name), host.status, *shown, hidden, steps[:_SHOWN])
