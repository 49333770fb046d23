"""Policies in, the same ready to be asked about one port out: which lines name it, and what holds when none does.

The cost of a listener does not grow with the number of lines: each protocol's ports are cut where any line begins or
ends, and one bisection finds the piece a port lies in.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

from auditor.evaluate.match import FAMILIES, Candidate, Line, ready_line
from auditor.model.address import Family
from auditor.model.facts import Listener, Proto
from auditor.model.policy import Default, Policy, severity_rank

Switch = Literal["default", "ephemeral_udp", "raw_sockets"]
"""Which setting of a policy decides on a listener that no line names."""

_STRICTNESS: tuple[Default, ...] = get_args(Default)
_RAW: frozenset[Proto] = frozenset({"raw", "packet"})
_Claim = tuple[int, Family | None]


class Ruling(NamedTuple):
    """What holds for a listener no line names, and the policy that says so."""

    default: Default
    policy: Policy


class PortIndex:
    """Lines by protocol and port."""

    def __init__(self, lines: Sequence[Line]) -> None:
        edges: dict[Proto, dict[int, list[tuple[_Claim, int]]]] = {}
        for number, line in enumerate(lines):
            for ports in line.entry.ports:
                claim = (number, ports.family)
                of_proto = edges.setdefault(ports.proto, {})
                of_proto.setdefault(ports.first, []).append((claim, 1))
                of_proto.setdefault(ports.last + 1, []).append((claim, -1))
        self._pieces = {proto: _cut(of_proto, lines) for proto, of_proto in edges.items()}

    def at(self, proto: Proto, port: int) -> tuple[Candidate, ...]:
        """Return the lines that name this port, in the order of their policies and files."""
        pieces = self._pieces.get(proto)
        if pieces is None:
            return ()
        starts, candidates = pieces
        position = bisect_right(starts, port) - 1
        return candidates[position] if position >= 0 else ()


def _cut(
    edges: dict[int, list[tuple[_Claim, int]]], lines: Sequence[Line]
) -> tuple[list[int], list[tuple[Candidate, ...]]]:
    starts = sorted(edges)
    held: list[tuple[Candidate, ...]] = []
    active: Counter[_Claim] = Counter()
    for start in starts:
        for claim, change in edges[start]:
            active[claim] += change
            if not active[claim]:
                del active[claim]
        held.append(tuple(_gather(active, lines)))
    return starts, held


def _gather(active: Iterable[_Claim], lines: Sequence[Line]) -> Iterator[Candidate]:
    families: dict[int, frozenset[Family]] = {}
    for number, family in active:
        named = FAMILIES if family is None else frozenset({family})
        families[number] = families.get(number, frozenset()) | named
    for number in sorted(families):
        yield Candidate(lines[number], families[number])


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """All policies that apply to a host, as one."""

    policies: tuple[Policy, ...]
    allow: PortIndex
    deny: PortIndex
    required: tuple[Line, ...]
    named: tuple[Line, ...]
    unlisted: dict[Switch, Ruling]

    def rule_unlisted(self, listener: Listener) -> Ruling:
        """Return what holds for a listener that no line names."""
        if listener.kind == "ephemeral-udp":
            return self.unlisted["ephemeral_udp"]
        return self.unlisted["raw_sockets" if listener.proto in _RAW else "default"]


def compile_rulebook(policies: Iterable[Policy]) -> Rulebook | None:
    """Return the rulebook of these policies, whatever order they come in; None when there are none."""
    ordered = tuple(sorted(policies, key=lambda policy: policy.name))
    if not ordered:
        return None
    allow = [ready_line(entry, policy) for policy in ordered for entry in policy.allow]
    deny = [ready_line(entry, policy) for policy in ordered for entry in policy.deny]
    return Rulebook(
        policies=ordered,
        allow=PortIndex(allow),
        deny=PortIndex(deny),
        required=tuple(line for line in allow if line.entry.required),
        named=tuple(line for line in (*deny, *allow) if line.entry.service),
        unlisted={
            "default": _strictest((policy.default, policy) for policy in ordered),
            "ephemeral_udp": _strictest((policy.ephemeral_udp, policy) for policy in ordered),
            # Policies have no switch for raw and packet sockets yet: they are shown, and judged only by lines.
            "raw_sockets": Ruling("ignore", ordered[0]),
        },
    )


def _strictest(choices: Iterable[tuple[Default, Policy]]) -> Ruling:
    """Return the strictest setting and, of the policies that have it, the one with the worst severity."""
    default, policy = min(
        choices, key=lambda choice: (_STRICTNESS.index(choice[0]), -severity_rank(choice[1].severity))
    )
    return Ruling(default, policy)
