"""AuditReport in, what it shows about each control out: scope, result, exceptions. What was not read proves nothing."""

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from auditor.model.finding import INCOMPLETE_RULES, Finding, Waived
from auditor.model.policy import severity_rank
from auditor.model.report import AuditReport, HostReport, PolicyRef

Conclusion = Literal["not met", "not concluded", "met with exceptions", "met", "not tested"]
NAMED = 60
"""Names listed in one place; the JSON report has all of them."""
_REASONS = 3
"""Reasons given why a host was not read in full; the JSON report has all of them."""
_ID_DIGITS = 8
"""How much of a finding's id is shown: enough to find it by."""


class Names(NamedTuple):
    """The first of some names, and how many more there are."""

    shown: tuple[str, ...]
    more: int

    @property
    def total(self) -> int:
        return len(self.shown) + self.more


class Deviation(NamedTuple):
    """Findings against a control that are alike in all but their ids, and the hosts they were found on."""

    finding: Finding
    hosts: Names


class Unread(NamedTuple):
    """A host of which nothing is concluded, and why."""

    name: str
    reason: str


class ControlException(NamedTuple):
    """A waiver that keeps findings against a control from counting."""

    waived: Waived
    rules: tuple[str, ...]
    hosts: Names


class Control(NamedTuple):
    """What the run shows about one control. `policies` are those that name it; `scope` the hosts they apply to.

    A host of the scope is conforming, excepted (all it deviates by is waived), deviating or not concluded. `elsewhere`
    counts the conforming hosts that break other rules of theirs.
    """

    id: str
    conclusion: Conclusion
    policies: tuple[PolicyRef, ...]
    scope: Names
    tested: int
    conforming: int
    elsewhere: int
    excepted: Names
    deviating: Names
    unread: Names
    reasons: tuple[Unread, ...]
    deviations: tuple[Deviation, ...]
    deviations_hidden: int
    exceptions: tuple[ControlException, ...]
    observations: int


Sighting = tuple[HostReport, Finding]


def build_controls(report: AuditReport) -> tuple[Control, ...]:
    """Return every control that a policy or a finding of the report names, in order of its id."""
    named: dict[str, list[PolicyRef]] = {}
    for policy in report.run.policies:
        for control in policy.controls:
            named.setdefault(control, []).append(policy)
    against: dict[str, list[Sighting]] = {}
    for host in report.hosts:
        for finding in host.findings:
            for control in finding.controls if finding.rule not in INCOMPLETE_RULES else ():
                against.setdefault(control, []).append((host, finding))
    return tuple(
        _build(report, control, named.get(control, []), against.get(control, []))
        for control in sorted({*named, *against})
    )


def list_deviations(report: AuditReport) -> tuple[Deviation, ...]:
    """Return each kind of finding against any control once, worst first; its hosts come with the finding's id."""
    found = [(host, one) for host in report.hosts for one in host.findings if one.controls and _deviates(one)]
    return tuple(_deviate(found, numbered=True))


def _deviates(finding: Finding) -> bool:
    return finding.rule not in INCOMPLETE_RULES and finding.waived is None and finding.severity != "info"


def _build(report: AuditReport, control: str, policies: Sequence[PolicyRef], against: Sequence[Sighting]) -> Control:
    names = {policy.name for policy in policies}
    found_on = {host.name for host, _ in against}
    scope = [host for host in report.hosts if names.intersection(host.policies) or host.name in found_on]
    open_ = [(host, one) for host, one in against if _deviates(one)]
    deviating = {host.name for host, _ in open_}
    unread = [host for host in scope if not host.fully_audited and host.name not in deviating]
    unsettled = deviating.union(host.name for host in unread)
    excepted = {host.name for host, one in against if one.waived is not None} - unsettled
    conforming = [host for host in scope if host.name not in unsettled | excepted]
    exceptions = tuple(_except(one for one in against if one[1].waived is not None))
    deviations = tuple(_deviate(open_))
    return Control(
        id=control,
        conclusion=_conclude(bool(scope), bool(open_), bool(unread) or report.run.partial, bool(exceptions)),
        policies=tuple(policies),
        scope=_name(host.name for host in scope),
        tested=sum(host.fully_audited for host in scope),
        conforming=len(conforming),
        elsewhere=sum(host.status == "violating" for host in conforming),
        excepted=_name(excepted),
        deviating=_name(deviating),
        unread=_name(host.name for host in unread),
        reasons=tuple(Unread(host.name, _say_unread(host)) for host in unread[:NAMED]),
        deviations=deviations[:NAMED],
        deviations_hidden=max(0, len(deviations) - NAMED),
        exceptions=exceptions,
        observations=sum(one.waived is None and one.severity == "info" for _, one in against),
    )


def _conclude(scope: bool, deviates: bool, unread: bool, excepted: bool) -> Conclusion:
    """Return the conclusion: a deviation proves a control is not met, and only a whole reading proves that it is."""
    if not scope:
        return "not tested"
    if deviates:
        return "not met"
    if unread:
        return "not concluded"
    return "met with exceptions" if excepted else "met"


def _deviate(found: Iterable[Sighting], *, numbered: bool = False) -> Iterable[Deviation]:
    groups: dict[Finding, list[str]] = {}
    for host, finding in found:
        alike = finding.model_copy(update={"id": "", "controls": ()})  # which name the host, and its other policies
        groups.setdefault(alike, []).append(f"{host.name} ({finding.id[:_ID_DIGITS]})" if numbered else host.name)
    for one, hosts in sorted(groups.items(), key=_worst):
        yield Deviation(one, _name(hosts))


def _worst(item: tuple[Finding, list[str]]) -> tuple[int, int, str, str, str]:
    finding, hosts = item
    return -severity_rank(finding.severity), -len(hosts), finding.rule, finding.subject, finding.message


def _say_unread(host: HostReport) -> str:
    """Return why nothing is concluded of a host."""
    if host.error is not None:
        return f"{host.error.code}: {host.error.message}"
    said = [one.message for one in host.findings if one.rule in INCOMPLETE_RULES] or [one.reason for one in host.gaps]
    more = f"; and {len(said) - _REASONS} more" if len(said) > _REASONS else ""
    return "; ".join(said[:_REASONS]) + more


def _except(found: Iterable[Sighting]) -> Iterable[ControlException]:
    groups: dict[Waived, list[Sighting]] = {}
    for host, finding in found:
        if finding.waived is not None:
            groups.setdefault(finding.waived, []).append((host, finding))
    for waived, some in sorted(groups.items(), key=lambda item: (item[0].expires, item[0].waiver, item[0].reason)):
        rules = tuple(sorted({finding.rule for _, finding in some}))
        yield ControlException(waived, rules, _name(host.name for host, _ in some))


def _name(names: Iterable[str]) -> Names:
    listed = sorted(set(names))
    return Names(tuple(listed[:NAMED]), max(0, len(listed) - NAMED))
