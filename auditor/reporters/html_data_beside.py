"""What a host shows beside its listeners in: unix sockets, ports that lead elsewhere, counts of states; columns out."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from operator import attrgetter
from typing import Any, NamedTuple

from auditor.model.report import HostReport
from auditor.reporters.html_columns import turn_rows
from auditor.reporters.html_share import share_rows
from auditor.reporters.html_words import Sets, Words

_UNIX = ("kind", "path")
_unix_of = attrgetter(*_UNIX)
_EXPOSURE = ("proto", "family", "address", "port", "last_port", "target", "source", "raw")
_exposure_of = attrgetter(*_EXPOSURE)
_RAW = 300


class _Table(NamedTuple):
    """A table of the page: what its rows are called, its columns, those that are words, and the rows of a host."""

    called: str
    names: Sequence[str]
    of_words: Sequence[str]
    list_rows: Callable[[HostReport], Iterable[tuple[Any, ...]]]


_TABLES = {
    "unix": _Table("unix sockets", _UNIX, _UNIX, lambda host: map(_unix_of, host.unix)),
    "exposures": _Table(
        "ports that lead elsewhere",
        _EXPOSURE,
        ("proto", "family", "address", "target", "source", "raw"),
        lambda host: ((*row[:-1], row[-1][:_RAW]) for row in map(_exposure_of, host.exposures)),
    ),
}


def gather_beside(hosts: Sequence[HostReport], words: Words, sets: Sets) -> tuple[dict[str, Any], list[str]]:
    """Return the columns, and a note for each table of which the page has no room for all."""
    columns: dict[str, Any] = {"states": _gather_states(hosts, sets)}
    notes: list[str] = []
    for name, table in _TABLES.items():
        columns[name], left_out = _gather_rows(hosts, table, words)
        if left_out:
            notes.append(
                f"the {table.called} of {left_out} of {len(hosts)} hosts, the least worrying ones, are counted but not "
                "listed in this page, so that it opens; report.json has them."
            )
    return columns, notes


def _gather_rows(hosts: Sequence[HostReport], table: _Table, words: Words) -> tuple[dict[str, Any], int]:
    """Return every different row once, the number of each row of each host, and how many of them a host shows."""
    rows = [list(table.list_rows(host)) for host in hosts]
    share = share_rows(hosts, rows)
    numbers: defaultdict[tuple[Any, ...], int] = defaultdict(count().__next__)
    listed: list[int] = []
    shown: list[int] = []
    for at, some in enumerate(rows):
        fit = some if at in share.hosts else []
        listed += map(numbers.__getitem__, fit)
        shown.append(len(fit))
    return {
        **turn_rows(list(numbers), words, table.names, table.of_words),
        "row": listed,
        "shown": shown,
    }, share.left_out


def _gather_states(hosts: Sequence[HostReport], sets: Sets) -> dict[str, list[int]]:
    """Return which states each host counts, as a set of `tcp ESTABLISHED`, and the counts one after the other."""
    kinds: list[int] = []
    counts: list[int] = []
    for host in hosts:
        states = host.facts.states if host.facts else {}
        kinds.append(sets.add(tuple(f"{proto} {state}" for proto, by_state in states.items() for state in by_state)))
        counts += [count for by_state in states.values() for count in by_state.values()]
    return {"set": kinds, "count": counts}
