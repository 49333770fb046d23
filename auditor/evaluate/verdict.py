"""One host's facts and the policies in, a judgement out."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from auditor.evaluate.case import Case
from auditor.evaluate.compiled import CompiledPolicies, compile_policies
from auditor.evaluate.findings import Findings, find_all, identify
from auditor.evaluate.judge import Outcome, find_plain, judge_listener, note_allowed, note_verdict
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
    listeners = sorted(facts.listeners, key=_place)
    plain = [find_plain(book, listener) for listener in listeners]
    outcomes = [judge_listener(book, listener) for listener, line in zip(listeners, plain, strict=True) if line is None]
    found = find_all(Case(host, facts, book, listeners, outcomes), now.astimezone(UTC).date())
    others = _note_verdicts(host.name, outcomes, found)
    return _make_judgement(
        policies=book.names_of_policies if book else (),
        listeners=tuple(
            [
                next(others) if line is None else note_allowed(listener, line)
                for listener, line in zip(listeners, plain, strict=True)
            ]
        ),
        findings=found.findings,
    )


def report_unreachable(host: Host, failure: Failure) -> Finding:
    """Return the finding of a host that gave nothing to decode."""
    return unreachable.describe(host, failure)


def _note_verdicts(host: str, outcomes: Iterable[Outcome], found: Findings) -> Iterator[JudgedListener]:
    waived = found.waived
    for one in outcomes:
        yield note_verdict(one, waived=bool(waived) and identify(host, one) in waived)


def _place(listener: Listener) -> tuple[str, str, int, str, str, str]:
    of = listener.__dict__  # each attribute of a model takes as long as this
    return of["netns"], of["proto"], of["port"], of["family"] or "", of["address"], of["raw"]
