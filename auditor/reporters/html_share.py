"""Hosts in, which of them may put into the page what does not compress out: checksums, keys, kernel lines, paths."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from auditor.model.facts import Coverage, System
from auditor.reporters.html_fleet import Fleet

Row = tuple[object, ...]
_BASE = 60_000
_PER_HOST = 10
"""Bytes of evidence a page may carry: 70 kB for 1,000 hosts, 160 kB for 10,000."""
_ROWS_BASE = 60_000
_ROWS_PER_HOST = 3
"""The same for unix sockets, and for exposures."""
_SUM = 53
_LINE = 28
_KEY = 45
"""What a checksum, a kernel line and a host key take in the page, compressed and in base64 (measured)."""
_ROW = 0.3
_NEW_ROW = 12
"""What a row takes that stood in the page before, and a new one beside a half of its text (measured)."""


class Share(NamedTuple):
    """Numbers of hosts whose checksums, key and lines of judged listeners are in the page, and whose every line is.

    `left_out` counts the hosts that had something to show and no room.
    """

    hosts: frozenset[int]
    whole: frozenset[int]
    left_out: int


class RowShare(NamedTuple):
    """Numbers of the hosts whose rows are in the page, and how many had rows and no room."""

    hosts: frozenset[int]
    left_out: int


def share_evidence(fleet: Fleet) -> Share:
    """Return who may show evidence, worst hosts first."""
    roll, census = fleet.roll, fleet.census
    budget = _BASE + _PER_HOST * len(roll.name)
    shown: dict[int, int] = {}
    left_out = 0
    for at in fleet.ranked:
        flagged = sum(map(census.flagged.__getitem__, census.hosts[at]))
        price = _LINE * flagged + _price_rest(roll.facts[at], roll.coverage[at])
        if price > budget:
            left_out += 1
        elif price:
            budget -= price
            shown[at] = len(census.hosts[at]) - flagged
    whole = []
    for at, rest in shown.items() if not left_out else ():
        if _LINE * rest <= budget:
            budget -= _LINE * rest
            whole.append(at)
    return Share(frozenset(shown), frozenset(whole), left_out)


def share_rows(hosts: Sequence[Sequence[int]], rows: Iterable[Row], ranked: Sequence[int]) -> RowShare:
    """Return whose rows fit, worst hosts first; one that stands in the page already costs next to nothing.

    `hosts` have the numbers of theirs among all `rows`; `ranked` are those of the hosts.
    """
    budget: float = _ROWS_BASE + _ROWS_PER_HOST * len(hosts)
    prices = list(map(_price_row, rows))
    known: set[int] = set()
    shown: list[int] = []
    left_out = 0
    for at in ranked:
        new = set(hosts[at]) - known
        price = _ROW * (len(hosts[at]) - len(new)) + sum(map(prices.__getitem__, new))
        if price > budget:
            left_out += 1
        elif hosts[at]:
            budget -= price
            known |= new
            shown.append(at)
    return RowShare(frozenset(shown), left_out)


def _price_row(row: Row) -> float:
    return _NEW_ROW + sum(len(field) for field in row if isinstance(field, str)) / 2


def _price_rest(facts: System | None, coverage: Iterable[Coverage]) -> int:
    if facts is None:
        return 0
    sums = [source.sha256 for source in coverage]
    return _SUM * (len(sums) - sums.count(None)) + _KEY * bool(facts.host_key)
