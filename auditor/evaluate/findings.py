"""What was decided on one host in, the findings out: said by the rules, settled by the waivers, worst first."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from auditor.evaluate.case import Case
from auditor.evaluate.controls import add_controls, unite_controls
from auditor.evaluate.exposures import judge_exposures
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome
from auditor.evaluate.rules import HOST_RULES, LISTENER_RULES, PORT_RULES, QUEUE_RULES, expired_waiver
from auditor.evaluate.waivers import Cover, settle
from auditor.model.finding import Finding
from auditor.model.policy import Waiver, severity_rank


class Findings(NamedTuple):
    """The findings of a host, and what those of them that are waived are about."""

    findings: tuple[Finding, ...]
    waived: frozenset[Identity]


class _Raised(NamedTuple):
    """A finding, and the waivers for each thing it is about. `identity` None: it is not about listeners."""

    finding: Finding
    covers: Sequence[Cover]
    identity: Identity | None = None


def find_all(case: Case, today: date) -> Findings:
    """Return every finding of a host; `today` is the date in UTC."""
    findings = [finding for find in HOST_RULES for finding in find(case)]
    waived: set[Identity] = set()
    ended: dict[Waiver, list[Finding]] = {}
    for finding, covers, identity in (*_ask_listener_rules(case), *_ask_port_rules(case)):
        settled, causes = settle(finding, covers, today) if any(covers) else (finding, ())
        findings.append(settled)
        if settled.waived is not None and identity is not None:
            waived.add(identity)
        for waiver in causes:
            ended.setdefault(waiver, []).append(finding)
    findings += [expired_waiver.describe(case.host, waiver, about) for waiver, about in ended.items()]
    return Findings(tuple(_keep_worst(findings)), frozenset(waived))


def identify(host: str, outcome: Outcome) -> Identity | None:
    """Return what the finding about a listener is known by: the IPv4 and the IPv6 row of a service are one matter."""
    if outcome.rule is None:
        return None
    seen = outcome.listener
    return Identity(outcome.rule, host, seen.netns, seen.proto, seen.scope, str(seen.port))


def _ask_listener_rules(case: Case) -> Iterable[_Raised]:
    if case.book is None:
        return
    waivers = case.book.waivers
    twins: dict[Identity, list[Outcome]] = {}
    for outcome in case.outcomes:
        identity = identify(case.host.name, outcome)
        if identity is not None:
            twins.setdefault(identity, []).append(outcome)
    for identity, group in twins.items():
        finding = add_controls(LISTENER_RULES[identity.rule](identity, group), case.book, group)
        covers = [waivers.for_listener(identity.rule, case.host.name, twin.listener) for twin in group]
        yield _Raised(finding, covers, identity)


def _ask_port_rules(case: Case) -> Iterable[_Raised]:
    if case.book is None:
        return
    waivers = case.book.waivers
    for found in judge_exposures(case, case.book):
        rule = found.finding.rule
        yield _Raised(found.finding, [waivers.for_listener(rule, case.host.name, one) for one in found.listeners])
    for find in PORT_RULES:
        for finding, ports in find(case, case.book):
            yield _Raised(finding, [waivers.for_ports(finding.rule, case.host.name, one) for one in ports])
    for find_queues in QUEUE_RULES:
        for finding, listeners in find_queues(case, case.book):
            yield _Raised(finding, [waivers.for_listener(finding.rule, case.host.name, one) for one in listeners])


def _keep_worst(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings worst first; of several with one identity (two policies, one matter) only the first.

    It counts against the controls of all of them. What is waived is never in the way of what is not: where there are
    both, as a waiver covers all that one policy finds and not all that another does, it stays under an id of its own.
    """
    kept: dict[str, Finding] = {}
    for finding in sorted(findings, key=lambda one: (one.waived is not None, *_badness(one))):
        first = kept.setdefault(finding.id, finding)
        if finding.waived is not None and first.waived is None:
            own = fingerprint(Identity(finding.rule, finding.id, port=finding.waived.waiver))
            first = kept.setdefault(own, finding.model_copy(update={"id": own}))
        kept[first.id] = unite_controls(first, finding.controls)
    return sorted(kept.values(), key=_badness)


def _badness(finding: Finding) -> tuple[int, str, str, str, str]:
    return -severity_rank(finding.severity), finding.rule, finding.subject, finding.message, str(finding.origin)
