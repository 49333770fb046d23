"""One host's facts and the policies in, a judgement out: every listener with its verdict, and the findings.

    CompiledPolicies.rulebook_for(host) ─┐
    HostFacts.listeners ─────────────────┴─judge_listener→ Outcome… ─rules→ Finding…

Pure: no I/O, no clock, nothing kept but what was compiled. `match` decides what satisfies a policy line, `judge` what
wins, `rules/` how it is said.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity
from auditor.evaluate.index import Rulebook, compile_rulebook
from auditor.evaluate.judge import Outcome, judge_listener, note_verdict
from auditor.evaluate.rules import HOST_RULES, LISTENER_RULES, unreachable
from auditor.evaluate.select import applies
from auditor.model.facts import HostFacts, Listener
from auditor.model.finding import Finding
from auditor.model.host import Host
from auditor.model.policy import PolicySet, severity_rank
from auditor.model.report import Judgement
from auditor.model.transcript import Failure

__all__ = ["CompiledPolicies", "compile_policies", "evaluate", "report_unreachable"]


class CompiledPolicies:
    """A policy set made ready once for a whole fleet; many threads may ask it at once.

    Hosts to which the same policies apply share one rulebook. Two threads may compile the same one at the same moment;
    both are equal, and `setdefault` keeps one.
    """

    def __init__(self, policies: PolicySet) -> None:
        self._policies = tuple(sorted(policies.policies, key=lambda policy: policy.name))
        self._rulebooks: dict[tuple[int, ...], Rulebook | None] = {}

    def rulebook_for(self, host: Host) -> Rulebook | None:
        """Return all policies that apply to `host` as one; None when there are none."""
        chosen = tuple(number for number, policy in enumerate(self._policies) if applies(policy, host))
        if chosen not in self._rulebooks:
            self._rulebooks.setdefault(chosen, compile_rulebook(self._policies[number] for number in chosen))
        return self._rulebooks[chosen]

    def names_for(self, host: Host) -> tuple[str, ...]:
        """Return the names of the policies that apply to `host`, sorted."""
        book = self.rulebook_for(host)
        return tuple(policy.name for policy in book.policies) if book else ()


def compile_policies(policies: PolicySet) -> CompiledPolicies:
    """Return `policies` ready for many hosts."""
    return CompiledPolicies(policies)


def evaluate(
    host: Host,
    facts: HostFacts,
    policies: PolicySet | CompiledPolicies,
    now: datetime,  # noqa: ARG001 - the moment waivers are judged at, part of the contract before there are any
) -> Judgement:
    """Judge one host. Pass compiled policies when there are many hosts; never raises on what a host said."""
    compiled = policies if isinstance(policies, CompiledPolicies) else compile_policies(policies)
    book = compiled.rulebook_for(host)
    outcomes = [judge_listener(book, listener) for listener in sorted(facts.listeners, key=_place)]
    findings = [*_describe_outcomes(host, outcomes), *_ask_rules(Case(host, facts, book))]
    return Judgement(
        policies=compiled.names_for(host),
        listeners=tuple(note_verdict(outcome) for outcome in outcomes),
        findings=tuple(_keep_worst(findings)),
    )


def report_unreachable(host: Host, failure: Failure) -> Finding:
    """Return the finding of a host that gave nothing to decode."""
    return unreachable.describe(host, failure)


def _place(listener: Listener) -> tuple[str, str, int, str, str, str]:
    return (
        listener.netns,
        listener.proto,
        listener.port,
        listener.family or "",
        listener.address,
        listener.raw,
    )


def _describe_outcomes(host: Host, outcomes: Iterable[Outcome]) -> Iterable[Finding]:
    """Yield one finding for all outcomes of one identity: the IPv4 and the IPv6 row of a service are one matter."""
    twins: dict[Identity, list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.rule is not None:
            seen = outcome.listener
            identity = Identity(outcome.rule, host.name, seen.netns, seen.proto, seen.scope, str(seen.port))
            twins.setdefault(identity, []).append(outcome)
    for identity, group in twins.items():
        yield LISTENER_RULES[identity.rule](identity, group)


def _ask_rules(case: Case) -> Iterable[Finding]:
    for find in HOST_RULES:
        yield from find(case)


def _keep_worst(findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings worst first; of several with one identity (two policies, one matter) only the first."""
    kept: dict[str, Finding] = {}
    for finding in sorted(findings, key=_badness):
        kept.setdefault(finding.id, finding)
    return list(kept.values())


def _badness(finding: Finding) -> tuple[int, str, str, str, str]:
    return -severity_rank(finding.severity), finding.rule, finding.subject, finding.message, str(finding.origin)
