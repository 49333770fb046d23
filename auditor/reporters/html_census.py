"""Listeners in, every different one once and each host's as numbers out: what the HTML reports count and list.

A fleet of 10,000 hosts has 300,000 listeners and some thousand different ones. They are looked at here, once; whatever
is counted of them afterwards is counted of numbers.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, NamedTuple

from auditor.model.facts import Owner
from auditor.model.report import JudgedListener
from auditor.reporters.html_numbers import Numbers

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
Port = tuple[int, str]
_PORT, _VERDICT = KIND.index("port"), KIND.index("verdict")
_port_of = itemgetter(_PORT, KIND.index("proto"))
_kind_of = itemgetter(*WORDS, *NUMBERS)
_decision_of = itemgetter(*DECISION)
_decided_by = itemgetter("decided_by")
_address_of = itemgetter("address")
_owners_of = itemgetter("owners")
_pending_of = itemgetter("pending_accepts")
_UNDECIDED = dict.fromkeys(DECISION)


class Census(NamedTuple):
    """`kinds` are rows of KIND, `decisions` of DECISION; `hosts` has for each host the kinds of its listeners in order.

    `addresses` are theirs in the same order. `owners` and `pending` are of those that have any, by their number in the
    fleet. `flagged` says of each kind whether its verdict is one of FLAGGED, `tally` how many listeners are of it.
    `ports` are all there are, sorted, `port_of` has for each kind the number of its own, and `host_ports` for each host
    those of its listeners, in their order.
    """

    kinds: tuple[Row, ...]
    decisions: tuple[Row, ...]
    hosts: tuple[Sequence[int], ...]
    addresses: tuple[Sequence[str], ...]
    owners: dict[int, Sequence[Owner]]
    pending: dict[int, int]
    flagged: tuple[bool, ...]
    tally: Counter[int]
    ports: Sequence[Port]
    port_of: Sequence[int]
    host_ports: tuple[Sequence[int], ...]

    def column(self, name: str) -> list[Any]:
        """Return one field of every kind."""
        at = KIND.index(name)
        return [kind[at] for kind in self.kinds]

    def count_by(self, *names: str) -> Counter[Any]:
        """Return how many listeners there are for each value of a field, or of several together."""
        pick = itemgetter(*map(KIND.index, names))
        counts: Counter[Any] = Counter()
        for kind, number in self.tally.items():
            counts[pick(self.kinds[kind])] += number
        return counts


def take_census(hosts: Iterable[Sequence[JudgedListener]]) -> Census:
    """Return the listeners of some hosts, sorted by port so that neighbours have near numbers."""
    numbers: Numbers[tuple[Row, Row]] = Numbers()
    counted: list[list[int]] = []
    addresses: list[list[str]] = []
    owners: dict[int, Sequence[Owner]] = {}
    pending: dict[int, int] = {}
    start = 0
    for listeners in hosts:
        # Every listener of the fleet passes here, and only here: all of them do not fit into the processor's cache. The
        # fields of a model are its dict (getattr: None has none), and these loops run in C.
        fields = list(map(vars, listeners))
        decided = map(getattr, map(_decided_by, fields), repeat("__dict__"), repeat(_UNDECIDED))
        counted.append(numbers.add_all(zip(map(_kind_of, fields), map(_decision_of, decided), strict=True)))
        addresses.append(list(map(_address_of, fields)))
        if any(map(_owners_of, fields)):
            owners |= {at: some for at, some in enumerate(map(_owners_of, fields), start) if some}
        if any(map(_pending_of, fields)):
            pending |= {at: waiting for at, waiting in enumerate(map(_pending_of, fields), start) if waiting}
        start += len(fields)
    decisions: Numbers[Row] = Numbers()
    decisions[_decision_of(_UNDECIDED)] = -1
    rows = [(*row, decisions[decided]) for row, decided in numbers]
    order = _sort_rows(rows)
    places = sorted(range(len(rows)), key=order.__getitem__)  # the inverse of an order
    numbered = tuple(list(map(places.__getitem__, numbers)) for numbers in counted)
    kinds = tuple(map(rows.__getitem__, order))
    ports, port_of = _number_ports(kinds)
    return Census(
        kinds=kinds,
        decisions=tuple(decisions)[1:],
        hosts=numbered,
        addresses=tuple(addresses),
        owners=owners,
        pending=pending,
        tally=Counter(chain.from_iterable(numbered)),
        flagged=tuple(kind[_VERDICT] in FLAGGED for kind in kinds),
        ports=ports,
        port_of=port_of,
        host_ports=tuple(list(map(port_of.__getitem__, numbers)) for numbers in numbered),
    )


def _sort_rows(rows: Sequence[Row]) -> list[int]:
    """Return the order of the rows by port, and then as they are written out, which most need not be for it."""
    ports = [row[_PORT] for row in rows]
    sharing = Counter(ports)
    keys = [(port, repr(row) if sharing[port] > 1 else "") for port, row in zip(ports, rows, strict=True)]
    return sorted(range(len(rows)), key=keys.__getitem__)


def _number_ports(kinds: Sequence[Row]) -> tuple[list[Port], list[int]]:
    """Return all ports with their protocols, sorted, and for each kind the number of its own."""
    ports: list[Any] = list(map(_port_of, kinds))
    numbers = {port: number for number, port in enumerate(sorted(dict.fromkeys(ports)))}  # nearly sorted, like kinds
    return list(numbers), list(map(numbers.__getitem__, ports))
