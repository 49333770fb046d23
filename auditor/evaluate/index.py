"""Policy lines in, the same ready to be asked which of them name a port out.

The cost of a listener does not grow with the number of lines: each protocol's ports are cut where any line begins or
ends, and one bisection finds the piece a port lies in.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from auditor.evaluate.match import FAMILIES, Candidate, Line
from auditor.model.address import Family
from auditor.model.facts import Proto

_Claim = tuple[int, Family | None]


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

    def near(self, proto: Proto, port: int, most: int) -> Candidate | None:
        """Return the first line for the nearest port of the protocol, at most so many numbers away."""
        starts, candidates = self._pieces.get(proto, ([], []))
        position = bisect_right(starts, port)
        found: list[tuple[int, Candidate]] = []
        for index in range(max(0, position - 2), min(len(starts), position + 2)):
            if candidates[index]:
                last = starts[index + 1] - 1  # the last piece is the empty one behind every line
                found.append((max(starts[index] - port, port - last, 0), candidates[index][0]))
        distance, candidate = min(found, key=lambda pair: pair[0], default=(most + 1, None))
        return candidate if distance <= most else None

    def cuts(self, proto: Proto, first: int, last: int) -> list[int]:
        """Return where, behind `first` and up to `last`, the lines that name a port change."""
        starts, _ = self._pieces.get(proto, ([], []))
        return starts[bisect_right(starts, first) : bisect_right(starts, last)]

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
