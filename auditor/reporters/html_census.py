"""Listeners in, every different one once and each host's as numbers out: what the HTML reports count and list.

A fleet of 10,000 hosts has 300,000 listeners and some thousand different ones. They are looked at here, once; whatever
is counted of them afterwards is counted of numbers.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain, count
from operator import itemgetter
from typing import Any, NamedTuple

from auditor.model.report import JudgedListener

WORDS = (
    *("proto", "family", "scope", "service", "kind", "dual_stack"),
    *("netns", "user", "owner_status", "seen", "verdict"),
)
NUMBERS = ("port", "sockets", "uid")
KIND = (*WORDS, *NUMBERS, "by")
"""What tells listeners apart here: not address, owners or the kernel's line. `by` numbers the decision, or is -1."""
DECISION = ("policy", "entry", "file", "line")
FLAGGED = frozenset({"denied", "unexpected", "unknown", "waived"})
"""Verdicts of which a reader will want to see where the listener was seen."""

Row = tuple[object, ...]
Numbering = defaultdict[Row, int]
_kind_of = itemgetter(*WORDS, *NUMBERS)
_decision_of = itemgetter(*DECISION)
_decided_by = itemgetter("decided_by")


class Census(NamedTuple):
    """`kinds` are rows of KIND, `decisions` of DECISION; `hosts` has for each host the kinds of its listeners in order.

    `flagged` says of each kind whether its verdict is one of FLAGGED, `tally` how many listeners are of it.
    """

    kinds: tuple[Row, ...]
    decisions: tuple[Row, ...]
    hosts: tuple[Sequence[int], ...]
    flagged: tuple[bool, ...]
    tally: Counter[int]

    def column(self, name: str) -> list[Any]:
        """Return one field of every kind."""
        at = KIND.index(name)
        return [kind[at] for kind in self.kinds]

    def count_by(self, *names: str) -> Counter[Any]:
        """Return how many listeners there are for each value of a field, or of several together."""
        fields = self.column(names[0]) if len(names) == 1 else list(zip(*map(self.column, names), strict=True))
        counts: Counter[Any] = Counter()
        for kind, number in self.tally.items():
            counts[fields[kind]] += number
        return counts


def take_census(hosts: Iterable[Sequence[JudgedListener]]) -> Census:
    """Return the listeners of some hosts, sorted by port so that neighbours have near numbers."""
    plain: Numbering = defaultdict(count().__next__)
    decisions: Numbering = defaultdict(count().__next__)
    whole: defaultdict[tuple[int, int], int] = defaultdict(count().__next__)
    counted: list[list[int]] = []
    for listeners in hosts:
        # Every listener of the fleet passes here: the fields of a model are its dict, and these loops run in C.
        fields = list(map(vars, listeners))
        kinds = map(plain.__getitem__, map(_kind_of, fields))
        decided = [-1 if by is None else decisions[_decision_of(vars(by))] for by in map(_decided_by, fields)]
        counted.append(list(map(whole.__getitem__, zip(kinds, decided, strict=True))))
    rows = list(plain)
    joined = [(*rows[kind], by) for kind, by in whole]
    port = KIND.index("port")
    order = sorted(range(len(joined)), key=lambda at: (joined[at][port], repr(joined[at])))
    places = [0] * len(order)
    for place, at in enumerate(order):
        places[at] = place
    verdict = KIND.index("verdict")
    numbered = tuple(list(map(places.__getitem__, numbers)) for numbers in counted)
    return Census(
        kinds=tuple(joined[at] for at in order),
        decisions=tuple(decisions),
        hosts=numbered,
        tally=Counter(chain.from_iterable(numbered)),
        flagged=tuple(joined[at][verdict] in FLAGGED for at in order),
    )
