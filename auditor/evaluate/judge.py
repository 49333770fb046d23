"""One listener and the rulebook in, its verdict out, with the rule it breaks and the lines that decided."""

from collections.abc import Sequence
from typing import NamedTuple

from auditor.evaluate.index import Rulebook, Ruling
from auditor.evaluate.match import Candidate, Line, Reach, accept, reach_of, touch
from auditor.model.facts import Listener
from auditor.model.finding import RuleId
from auditor.model.policy import Policy, Severity, severity_rank
from auditor.model.report import Decision, JudgedListener, ListenerVerdict


class Outcome(NamedTuple):
    """What was decided on one listener.

    `rule` None: no finding. `line` decided, or `policy` by its default when it is None; `lines` are all that had a
    say. `policy` None: no policy applies.
    """

    listener: Listener
    verdict: ListenerVerdict
    rule: RuleId | None = None
    severity: Severity = "info"
    policy: Policy | None = None
    line: Line | None = None
    lines: tuple[Line, ...] = ()


def judge_listener(book: Rulebook | None, listener: Listener) -> Outcome:
    """Decide on one listener: deny before allow, a line that fits before one that nearly does, defaults last."""
    if book is None:
        return Outcome(listener, "ignored")
    reach = reach_of(listener)
    hits = [candidate for candidate in book.deny.at(listener.proto, listener.port) if touch(candidate, reach)]
    if hits:
        return _by_lines(listener, hits, "denied", "forbidden-listener")
    return _judge_allowed(book, listener, reach)


def _judge_allowed(book: Rulebook, listener: Listener, reach: Reach) -> Outcome:
    near: list[Candidate] = []
    for candidate in book.allow.at(listener.proto, listener.port):
        fit = accept(candidate, reach)
        # Owner conditions belong here: a line that fits in port and bind must then fit in owner too.
        if fit == "whole":
            return Outcome(listener, "allowed", policy=candidate.line.policy, line=candidate.line)
        if fit == "part":
            near.append(candidate)
    if near:
        return _by_lines(listener, near, "unexpected", "exposed-listener")
    return _by_default(listener, book.rule_unlisted(listener))


def _by_lines(listener: Listener, candidates: Sequence[Candidate], verdict: ListenerVerdict, rule: RuleId) -> Outcome:
    lines = tuple(candidate.line for candidate in candidates)
    line = worst_line(lines)
    return Outcome(listener, verdict, rule, line.severity, line.policy, line, lines)


def _by_default(listener: Listener, ruling: Ruling) -> Outcome:
    if ruling.default == "ignore":
        return Outcome(listener, "ignored", policy=ruling.policy)
    severity: Severity = ruling.policy.severity if ruling.default == "deny" else "info"
    return Outcome(listener, "unexpected", "unexpected-listener", severity, ruling.policy)


def worst_line(lines: Sequence[Line]) -> Line:
    """Return the first of the lines whose severity is worst."""
    return max(lines, key=lambda line: severity_rank(line.severity))


def note_verdict(outcome: Outcome) -> JudgedListener:
    """Return the listener as it stands in the report."""
    return JudgedListener(**outcome.listener.__dict__, verdict=outcome.verdict, decided_by=_decision(outcome))


def _decision(outcome: Outcome) -> Decision | None:
    if outcome.line is not None:
        return outcome.line.decision
    if outcome.policy is None:
        return None
    return Decision(
        policy=outcome.policy.name, entry=None, file=outcome.policy.origin.file, line=outcome.policy.origin.line
    )
