"""One host's facts and the policies in, a judgement out."""

from collections.abc import Iterable
from datetime import UTC, datetime

from auditor.evaluate.case import Case
from auditor.evaluate.compiled import CompiledPolicies, compile_policies
from auditor.evaluate.findings import Findings, find_all, identify
from auditor.evaluate.judge import Outcome, judge_listener, note_verdict
from auditor.evaluate.rules import unreachable
from auditor.model.facts import HostFacts, Listener
from auditor.model.finding import Finding
from auditor.model.host import Host
from auditor.model.policy import PolicySet
from auditor.model.report import JudgedListener, Judgement
from auditor.model.transcript import Failure
from auditor.model.value import trusted

_make_judgement = trusted(Judgement)


def evaluate(host: Host, facts: HostFacts, policies: PolicySet | CompiledPolicies, now: datetime) -> Judgement:
    """Judge one host. Pass compiled policies when there are many hosts; never raises on what a host said.

    `now` is the moment waivers are judged at, with its time zone: they end with their last day in UTC.
    """
    compiled = policies if isinstance(policies, CompiledPolicies) else compile_policies(policies)
    book = compiled.rulebook_for(host)
    outcomes = tuple([judge_listener(book, listener) for listener in sorted(facts.listeners, key=_place)])
    found = find_all(Case(host, facts, book, outcomes), now.astimezone(UTC).date())
    return _make_judgement(
        policies=book.names_of_policies if book else (),
        listeners=tuple(_note_verdicts(host.name, outcomes, found)),
        findings=found.findings,
    )


def report_unreachable(host: Host, failure: Failure) -> Finding:
    """Return the finding of a host that gave nothing to decode."""
    return unreachable.describe(host, failure)


def _note_verdicts(host: str, outcomes: Iterable[Outcome], found: Findings) -> list[JudgedListener]:
    waived = found.waived
    return [note_verdict(one, waived=bool(waived) and identify(host, one) in waived) for one in outcomes]


def _place(listener: Listener) -> tuple[str, str, int, str, str, str]:
    return (
        listener.netns,
        listener.proto,
        listener.port,
        listener.family or "",
        listener.address,
        listener.raw,
    )
