"""What a host shows beside its listeners in: unix sockets, ports that lead elsewhere, counts of states; columns out."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from auditor.model.facts import System
from auditor.reporters.html_columns import turn_rows
from auditor.reporters.html_fleet import Fleet
from auditor.reporters.html_numbers import Numbers
from auditor.reporters.html_roll import Roll
from auditor.reporters.html_share import share_rows
from auditor.reporters.html_words import Sets, Words

_UNIX = ("kind", "path")
_unix_of = itemgetter(*_UNIX)
_EXPOSURE = ("proto", "family", "address", "port", "last_port", "target", "source", "raw")
_exposure_of = itemgetter(*_EXPOSURE)
_RAW = 300
Row = tuple[Any, ...]


def _cut_row(row: Row) -> Row:
    return (*row[:-1], row[-1][:_RAW])


class _Table(NamedTuple):
    """A table of the page: what its rows are called, its columns, those that are words, and the rows of each host."""

    called: str
    names: Sequence[str]
    of_words: Sequence[str]
    list_rows: Callable[[Roll], Iterable[Iterable[Row]]]


_TABLES = {
    "unix": _Table("unix sockets", _UNIX, _UNIX, lambda roll: (map(_unix_of, map(vars, some)) for some in roll.unix)),
    "exposures": _Table(
        "ports that lead elsewhere",
        _EXPOSURE,
        ("proto", "family", "address", "target", "source", "raw"),
        lambda roll: (map(_cut_row, map(_exposure_of, map(vars, some))) for some in roll.exposures),
    ),
}


def gather_beside(fleet: Fleet, words: Words, sets: Sets) -> tuple[dict[str, Any], list[str]]:
    """Return the columns, and a note for each table of which the page has no room for all."""
    columns: dict[str, Any] = {"states": _gather_states(fleet.roll.facts, sets)}
    notes: list[str] = []
    for name, table in _TABLES.items():
        columns[name], left_out = _gather_rows(fleet, table, words)
        if left_out:
            notes.append(
                f"the {table.called} of {left_out} of {len(fleet.ranked)} hosts, the least worrying ones, are "
                "counted but not listed in this page, so that it opens; report.json has them."
            )
    return columns, notes


def _gather_rows(fleet: Fleet, table: _Table, words: Words) -> tuple[dict[str, Any], int]:
    """Return every different row once, the number of each row of each host, and how many of them a host shows."""
    found: Numbers[Row] = Numbers()
    numbered = [found.add_all(some) for some in table.list_rows(fleet.roll)]
    rows = list(found)
    share = share_rows(numbered, rows, fleet.ranked)
    fit = [some if at in share.hosts else [] for at, some in enumerate(numbered)]
    listed: Numbers[int] = Numbers()
    places = listed.add_all(chain.from_iterable(fit))
    return {
        **turn_rows([rows[number] for number in listed], words, table.names, table.of_words),
        "row": places,
        "shown": list(map(len, fit)),
    }, share.left_out


def _gather_states(systems: Iterable[System | None], sets: Sets) -> dict[str, list[int]]:
    """Return which states each host counts, as a set of `tcp ESTABLISHED`, and the counts one after the other."""
    kinds: list[int] = []
    counts: list[int] = []
    for system in systems:
        states = system.states if system else {}
        kinds.append(sets.add(tuple(f"{proto} {state}" for proto, by_state in states.items() for state in by_state)))
        counts += [count for by_state in states.values() for count in by_state.values()]
    return {"set": kinds, "count": counts}
