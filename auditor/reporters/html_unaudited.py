"""What the audit could not know, for the HTML report: each reason once, and every host that was not read in full."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from auditor.errors import Phase
from auditor.model.facts import Gap
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.report import AuditReport, HostReport, HostStatus
from auditor.reporters.failures import FailureGroup, group_failures

_SHOWN = 20
_NAMES = 8
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


class Reason(NamedTuple):
    """Why hosts were not fully audited. `step` is what was being done; `hint` the next step for all of them, or ''.

    `query` finds them in the page, where a search can; `names` are the first of them. `hijacked`: they
    answered with a wrong key.
    """

    status: HostStatus
    code: str
    step: str
    message: str
    hint: str
    hosts: int
    names: tuple[str, ...]
    query: str
    hijacked: bool = False


class Lost(NamedTuple):
    """A host that could not be read at all. `hint` is its own next step, '' where its reason has one for all."""

    name: str
    address: str
    code: str
    message: str
    hint: str


class Partial(NamedTuple):
    """A host that was read, but not wholly: the findings that say so, and the gaps they do not already quote.

    `hidden` counts those not shown.
    """

    name: str
    status: str
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    hidden: int
    steps: tuple[str, ...]


class Unaudited(NamedTuple):
    """Everything that keeps a run from being complete. `hosts` counts the hosts, `reasons_hidden` reasons left out."""

    reasons: tuple[Reason, ...]
    reasons_hidden: int
    lost: tuple[Lost, ...]
    partial: tuple[Partial, ...]

    @property
    def hijacked(self) -> int:
        """How many hosts answered with a wrong key: perhaps it was somebody else who did."""
        return sum(reason.hosts for reason in self.reasons if reason.hijacked)

    @property
    def unreachable(self) -> int:
        """How many others gave nothing."""
        return len(self.lost) - self.hijacked

    @property
    def hosts(self) -> int:
        return len(self.lost) + len(self.partial)


def build_unaudited(report: AuditReport, full: Iterable[bool]) -> Unaudited:
    """Return the reasons, worst first, the hosts not reached in the same order, and those read in part by name.

    `full` says which hosts were fully audited.
    """
    failures = group_failures(report)
    partial = [host for host, whole in zip(report.hosts, full, strict=True) if not whole and host.error is None]
    gaps = _list_gaps(partial)
    return Unaudited(
        reasons=(*map(_explain, failures), *gaps[:_SHOWN]),
        reasons_hidden=max(0, len(gaps) - _SHOWN),
        lost=tuple(lost for group in failures for lost in _lose(group)),
        partial=tuple(map(_part, partial)),
    )


def _explain(group: FailureGroup) -> Reason:
    names = tuple(host.name for host in group.hosts)
    step = f"while {_STEPS[group.phase]}"
    query = f"code:{group.code}"
    return Reason(
        "unreachable", group.code, step, group.message, group.hint, len(names), names[:_NAMES], query, group.hijacked
    )


def _lose(group: FailureGroup) -> Iterator[Lost]:
    for host in group.hosts:
        if host.error is not None:
            hint = "" if group.hint else host.error.hint
            yield Lost(host.name, host.address, group.code, host.error.message, hint)


def _list_gaps(hosts: Iterable[HostReport]) -> list[Reason]:
    """Return why hosts were read only in part, what keeps most of them first."""
    names: dict[tuple[str, str, str], list[str]] = {}
    for host in hosts:
        for finding in (finding for finding in host.findings if finding.rule in INCOMPLETE_RULES):
            names.setdefault((finding.rule, finding.message, finding.remediation), []).append(host.name)
    found = sorted(names.items(), key=lambda item: (-len(item[1]), item[0]))
    return [
        Reason("incomplete", rule, "read only in part", message, hint, len(on), tuple(on[:_NAMES]), f"rule:{rule}")
        for (rule, message, hint), on in found
    ]


def _part(host: HostReport) -> Partial:
    findings = tuple(finding for finding in host.findings if finding.rule in INCOMPLETE_RULES)
    said = " ".join(finding.message for finding in findings)
    gaps = tuple(gap for gap in host.gaps if gap.reason not in said)
    steps = tuple(dict.fromkeys(finding.remediation for finding in findings if finding.remediation))
    shown = findings[:_SHOWN], gaps[:_SHOWN]
    hidden = len(findings) + len(gaps) - len(shown[0]) - len(shown[1])
    return Partial(host.name, host.status, *shown, hidden, steps[:_SHOWN])
