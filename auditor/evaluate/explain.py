"""A listener on a host and the policies in, why it is judged as it is out.

Nothing is decided here. `select`, `match`, `judge` and `waivers` are asked again, one by one, and their answers kept.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime

from auditor.evaluate.compiled import compile_policies
from auditor.evaluate.decode import decode_listener
from auditor.evaluate.index import PortIndex
from auditor.evaluate.judge import Outcome, find_nearest, judge_listener
from auditor.evaluate.match import Candidate, Fit, Line, accept, reach_of, touch
from auditor.evaluate.reasons import say_elsewhere, say_meeting
from auditor.evaluate.rulebook import Rulebook
from auditor.evaluate.select import Key, applies, ask_selector
from auditor.evaluate.verdict import evaluate
from auditor.evaluate.waivers import has_ended, is_for
from auditor.evaluate.wording import join_words, name_claim, name_port
from auditor.model.explanation import ConsideredPolicy, Explanation, Reason, TriedLine, TriedWaiver
from auditor.model.facts import HostFacts, Listener, System
from auditor.model.host import Host
from auditor.model.policy import Policy, PolicySet, Selector, Waiver

_FITS: dict[Fit, str] = {
    "whole": "accepts it",
    "unseen": "would accept it, if the right one holds it: not seen",
    "wrong": "accepts its address, not who holds it",
    "part": "names its port, and does not hold all its addresses",
    "none": "is not about it",
}
_HITS = {"yes": "forbids it", "unknown": "forbids it, if a certain one holds it: not seen", "no": "is not about it"}


def explain_listener(
    host: Host, listener: Listener, policies: PolicySet, now: datetime, system: System | None = None
) -> Explanation:
    """Return why `listener` is judged as it is on `host`; `system` is what else is known of the host."""
    book = compile_policies(policies).rulebook_for(host)
    facts = HostFacts(system=system or System(collected_at=now), listeners=(listener,), coverage=(), gaps=())
    judgement = evaluate(host, facts, policies, now)
    outcome = judge_listener(book, listener)
    about = {outcome.rule, "accept-queue", "expired-waiver", "evidence-gap"}
    findings = tuple(finding for finding in judgement.findings if finding.rule in about)
    lines = tuple(_try_lines(book, listener)) if book else ()
    return Explanation(
        host=host.name,
        listener=judgement.listeners[0],
        decoded=tuple(decode_listener(listener, facts.system.byte_order)),
        policies=tuple(_consider(policy, host) for policy in policies.policies),
        lines=lines,
        others=len(book.lines) - len(lines) if book else 0,
        waivers=tuple(_try_waivers(book, host, outcome, now.astimezone(UTC).date())) if book else (),
        conclusion=_conclude(book, outcome, waived=judgement.listeners[0].verdict == "waived"),
        findings=findings,
    )


def _consider(policy: Policy, host: Host) -> ConsideredPolicy:
    reasons = [*_say_selector(policy.applies_to, host, "applies_to"), *_say_selector(policy.excluded, host, "except")]
    if policy.applies_to is None:
        reasons.insert(0, Reason(answer="yes", words="it has no applies_to that chooses: it holds for every host"))
    return ConsideredPolicy(
        policy=policy.name, applies=applies(policy, host), reasons=tuple(reasons), origin=policy.origin
    )


def _say_selector(selector: Selector | None, host: Host, where: str) -> Iterator[Reason]:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(host.labels.items())) or "none"
    own: dict[Key, str] = {"groups": join_words(host.groups) if host.groups else "none", "hosts": host.name}
    for key, answer in ask_selector(selector, host).items() if selector else ():
        asked = getattr(selector, key)
        words = [f"{name}={value}" for name, value in asked.items()] if isinstance(asked, dict) else list(asked)
        found = own.get(key, labels)
        holds = answer if where == "applies_to" else not answer
        yield Reason(
            answer="yes" if holds else "no",
            words=f"{where} {key} {join_words(words, 'and' if key == 'labels' else 'or')}; the host has {found}",
        )


def _try_lines(book: Rulebook, listener: Listener) -> Iterator[TriedLine]:
    """Yield every line that names the port, as it is asked; without one, the line that comes nearest."""
    reach = reach_of(listener)
    for candidate in book.deny.at(listener.proto, listener.port):
        meeting = touch(candidate, reach)
        yield _tell(candidate.line, _HITS[meeting.hit], tuple(say_meeting(candidate, listener, meeting)))
    allowing = book.allow.at(listener.proto, listener.port)
    for candidate in allowing:
        accepting = accept(candidate, reach)
        yield _tell(candidate.line, _FITS[accepting.fit], tuple(say_meeting(candidate, listener, accepting)))
    nearest = None if allowing else find_nearest(book.allow, listener)
    if nearest is not None:
        yield _tell(nearest, "comes nearest", (say_elsewhere(name_claim(nearest.entry), listener),))


def _tell(line: Line, result: str, reasons: tuple[Reason, ...]) -> TriedLine:
    return TriedLine(
        policy=line.policy.name,
        entry=line.entry.id,
        action=line.entry.action,
        claim=name_claim(line.entry),
        result=result,
        reasons=reasons,
        origin=line.entry.origin,
    )


def _try_waivers(book: Rulebook, host: Host, outcome: Outcome, today: date) -> Iterator[TriedWaiver]:
    """Yield every waiver for the rule that the listener breaks."""
    if outcome.rule is None:
        return
    covering = book.waivers.for_listener(outcome.rule, host.name, outcome.listener)
    for line, waiver in book.waivers:
        if outcome.rule in waiver.rules:
            yield TriedWaiver(
                waiver=waiver.id,
                covers=waiver in covering and not has_ended(waiver, today),
                reasons=tuple(_say_waiver(line, waiver, host, outcome.listener, today)),
                origin=waiver.origin,
            )


def _say_waiver(line: Line, waiver: Waiver, host: Host, listener: Listener, today: date) -> Iterator[Reason]:
    globs = join_words(waiver.hosts, "or")
    yield Reason(answer="yes" if is_for(waiver, host.name) else "no", words=f"it is for hosts {globs}")
    candidates: Sequence[Candidate] = PortIndex([line]).at(listener.proto, listener.port)
    for candidate in candidates:
        yield from say_meeting(candidate, listener, accept(candidate, reach_of(listener)))
    if not candidates:
        yield say_elsewhere(join_words([str(ports) for ports in waiver.ports]), listener)
    ended = has_ended(waiver, today)
    verb = "it ended" if ended else "it ends"
    yield Reason(answer="no" if ended else "yes", words=f"{verb} with {waiver.expires} (UTC); today is {today}")


def _conclude(book: Rulebook | None, outcome: Outcome, *, waived: bool) -> str:
    if book is None:
        return "no policy applies to the host: nothing is checked there, and it is not compliant for that"
    port = name_port(outcome.listener)
    if outcome.line is not None:
        decided = f"`{outcome.line.entry.id}` of {outcome.line.policy.name} ({outcome.line.entry.origin})"
        said = {
            "allowed": f"{decided} accepts it wholly, and no deny line is about it",
            "denied": f"{decided} forbids it: a deny wins over every allow",
            "unexpected": f"{decided} comes near, and no line accepts it wholly",
            "unknown": f"{decided} asks who holds it, and that is not seen: the host has a gap, and is incomplete",
        }[outcome.verdict]
    else:
        ruling = book.rule_unlisted(outcome.listener)
        said = (
            f"no line is about {port}, and the strictest setting of the policies that apply is {ruling.default} "
            f"({ruling.policy.name}, {ruling.origin})"
        )
    return f"{said}; a waiver covers it" if waived else said
