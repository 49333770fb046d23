"""One listener and the rulebook in, its verdict out, with the rule it breaks and the lines that decided."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from auditor.evaluate.index import PortIndex
from auditor.evaluate.match import Candidate, Fit, Line, Reach, accept, reach_of, touch
from auditor.evaluate.rulebook import Rulebook, find_switch
from auditor.model.facts import PROTOS, Listener, Proto
from auditor.model.finding import RuleId
from auditor.model.policy import Policy, Severity, severity_rank
from auditor.model.report import Decision, JudgedListener, ListenerVerdict
from auditor.model.value import filled, trusted


class Outcome(NamedTuple):
    """What was decided on one listener.

    `rule` None: no finding. `line` decided, or `policy` by its default when it is None; `lines` are all that had a
    say, or the one that came nearest. `policy` None: no policy applies. `unseen` are the lines that would decide, or
    say worse than `rule`, if it were known who holds the socket. `home` is where a line for it would best stand, when
    there is none.
    """

    listener: Listener
    verdict: ListenerVerdict
    rule: RuleId | None = None
    severity: Severity = "info"
    policy: Policy | None = None
    line: Line | None = None
    lines: tuple[Line, ...] = ()
    unseen: tuple[Line, ...] = ()
    home: Policy | None = None


_make_judged = filled(JudgedListener)
_make_decision = trusted(Decision)
_PORTLESS: frozenset[Proto] = frozenset({"raw", "packet"})
_NEAR = 10
"""How far the number of a port may be off to be taken for a slip."""


def find_plain(book: Rulebook | None, listener: Listener) -> Line | None:
    """Return the line that accepts whatever listens on this port, if there is one and nothing is denied there.

    Then `judge_listener` comes to the same, at ten times the cost: most listeners of most fleets are on such ports.
    """
    if book is None:
        return None
    of = listener.__dict__  # each attribute of a model takes as long as this
    return book.plain(of["proto"], of["port"], of["netns"] == "host")


def judge_listener(book: Rulebook | None, listener: Listener) -> Outcome:
    """Decide on one listener: deny before allow, a line that fits before one that nearly does, defaults last."""
    if book is None:
        return Outcome(listener, "ignored")
    denying, allowing = book.deny.at(listener.proto, listener.port), book.allow.at(listener.proto, listener.port)
    reach = reach_of(listener)
    unseen: list[Line] = []
    hits: list[Line] = []
    for candidate in denying:
        answer = touch(candidate, reach).hit
        if answer != "no":
            (hits if answer == "yes" else unseen).append(candidate.line)
    if hits:
        outcome = _by_lines(listener, hits, "denied", "forbidden-listener")
    else:
        outcome = _judge_allowed(book, allowing, reach)
    if not unseen:
        return outcome
    unseen += outcome.unseen
    return _by_unseen(listener, unseen) if outcome.rule is None else outcome._replace(unseen=tuple(unseen))


def _judge_allowed(book: Rulebook, allowing: Iterable[Candidate], reach: Reach) -> Outcome:
    listener = reach.listener
    near: dict[Fit, list[Line]] = {}
    for candidate in allowing:
        fit = accept(candidate, reach).fit
        if fit == "whole":
            return Outcome(listener, "allowed", policy=candidate.line.policy, line=candidate.line)
        near.setdefault(fit, []).append(candidate.line)
    if "unseen" in near:
        return _by_unseen(listener, near["unseen"])
    if "wrong" in near:
        return _by_lines(listener, near["wrong"], "unexpected", "wrong-owner")
    if "part" in near:
        return _by_lines(listener, near["part"], "unexpected", "exposed-listener")
    return _by_default(listener, book)


def _by_lines(listener: Listener, lines: Sequence[Line], verdict: ListenerVerdict, rule: RuleId) -> Outcome:
    line = worst_line(lines)
    return Outcome(listener, verdict, rule, line.severity, line.policy, line, tuple(lines))


def _by_unseen(listener: Listener, lines: Sequence[Line]) -> Outcome:
    """Return that nothing is known: it depends on who holds the socket, and that is not seen."""
    line = worst_line(lines)
    return Outcome(listener, "unknown", policy=line.policy, line=line, unseen=tuple(lines))


def _by_default(listener: Listener, book: Rulebook) -> Outcome:
    ruling = book.rule_unlisted(listener)
    if ruling.default == "ignore":
        return Outcome(listener, "ignored", policy=ruling.policy)
    severity: Severity = ruling.policy.severity if ruling.default == "deny" else "info"
    nearest = find_nearest(book.allow, listener)
    lines = (nearest,) if nearest is not None else ()
    return Outcome(listener, "unexpected", "unexpected-listener", severity, ruling.policy, lines=lines, home=book.home)


def find_nearest(allow: PortIndex, listener: Listener) -> Line | None:
    """Return the allow line that comes nearest: of the same port, of its number elsewhere, of one close by."""
    return _find_nearest(allow, listener.proto, listener.port)


@lru_cache(maxsize=1024)  # what no line allows is mostly the same on many hosts
def _find_nearest(allow: PortIndex, proto: Proto, port: int) -> Line | None:
    same = allow.at(proto, port)
    if same or proto in _PORTLESS:
        return same[0].line if same else None
    others = (allow.at(other, port) for other in PROTOS if other not in _PORTLESS)
    found = next(filter(None, others), ())
    nearby = found[0] if found else allow.near(proto, port, _NEAR)
    return nearby.line if nearby is not None else None


def worst_line(lines: Sequence[Line]) -> Line:
    """Return the first of the lines whose severity is worst."""
    return max(lines, key=lambda line: severity_rank(line.severity))


def note_allowed(listener: Listener, line: Line) -> JudgedListener:
    """Return a listener that `line` accepts as it stands in the report."""
    return _make_judged(listener.__dict__ | {"verdict": "allowed", "decided_by": line.decision})


def note_verdict(outcome: Outcome, *, waived: bool) -> JudgedListener:
    """Return the listener as it stands in the report; `waived`: what was found about it is."""
    line, policy = outcome.line, outcome.policy
    decided = line.decision if line is not None else _decide_by_default(policy, outcome.listener) if policy else None
    verdict = "waived" if waived else outcome.verdict
    return _make_judged(outcome.listener.__dict__ | {"verdict": verdict, "decided_by": decided})


def _decide_by_default(policy: Policy, listener: Listener) -> Decision:
    origin = policy.place_of(find_switch(listener))
    return _make_decision(policy=policy.name, entry=None, file=origin.file, line=origin.line)
