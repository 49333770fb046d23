"""Listeners and what was read in, their columns for the page's data out."""

from collections.abc import Iterable, Sequence
from itertools import chain
from operator import itemgetter, sub
from typing import Any

from auditor.model.facts import Coverage
from auditor.model.report import JudgedListener
from auditor.reporters.html_census import DECISION, KIND, WORDS, Census
from auditor.reporters.html_columns import split_sparse, turn_rows
from auditor.reporters.html_numbers import Numbers
from auditor.reporters.html_share import Share
from auditor.reporters.html_words import Words, spell

_OWNER = ("pid", "comm", "exe", "cmdline", "unit", "container", "runtime")
_owner_of = itemgetter(*_OWNER)
_LEDGER = ("source", "status", "rows", "listeners", "rejected", "duplicates")
_ledger_of = itemgetter(*_LEDGER)
Row = tuple[object, ...]


def gather_addresses(census: Census, words: Words) -> tuple[list[list[int]], list[int]]:
    """Return each host's addresses as words, each once, and for every listener the number of its own among them."""
    addresses: list[list[int]] = []
    places: list[int] = []
    for bound in census.addresses:
        own: Numbers[str] = Numbers()
        places += own.add_all(bound)
        addresses.append(words.add_all(own))
    return addresses, places


def gather_listeners(
    tables: Sequence[Sequence[Coverage]],
    listed: Sequence[Sequence[JudgedListener]],
    census: Census,
    places: Sequence[int],
    share: Share,
    words: Words,
) -> dict[str, Any]:
    """Return the columns of the listeners in `listed`, of which `census` is and `places` as above, and of `tables`."""
    owners: Numbers[Row] = Numbers()
    held = {at: owners.add_all(map(_owner_of, map(vars, some))) for at, some in census.owners.items()}
    ledgers: Numbers[Row] = Numbers()
    ledger = ledgers.add_all(map(_ledger_of, map(vars, chain.from_iterable(tables))))
    # Each kind as its distance from the one before it on that host: small numbers, for kinds are sorted by port.
    steps = chain.from_iterable(map(sub, kinds, (0, *kinds)) for kinds in census.hosts)
    return {
        "kinds": turn_rows(census.kinds, words, KIND, WORDS),
        "decisions": turn_rows(census.decisions, words, DECISION, DECISION[:3]),
        "owners": turn_rows(owners, words, _OWNER, _OWNER[1:]),
        "ledgers": turn_rows(ledgers, words, _LEDGER, _LEDGER[:2]),
        "listeners": {
            "step": list(steps),
            "address": places,
            "owners": split_sparse(held),
            "pending": split_sparse(census.pending),
            "raw": split_sparse(_gather_lines(listed, census, share)),
        },
        "coverage": {"ledger": ledger, "sum": split_sparse(_gather_sums(tables, share))},
    }


def _gather_lines(listed: Sequence[Sequence[JudgedListener]], census: Census, share: Share) -> dict[int, str]:
    """Return the kernel's lines there is room for, by the number of the listener."""
    lines: dict[int, str] = {}
    start = 0
    for at, (listeners, kinds) in enumerate(zip(listed, census.hosts, strict=True)):
        if at in share.hosts:
            whole = at in share.whole
            numbered = enumerate(zip(listeners, kinds, strict=True), start)
            lines |= {n: spell(one.raw, 400) for n, (one, kind) in numbered if whole or census.flagged[kind]}
        start += len(kinds)
    return lines


def _gather_sums(tables: Iterable[Sequence[Coverage]], share: Share) -> dict[int, str]:
    """Return the checksums there is room for, by the number of the table."""
    sums: dict[int, str] = {}
    start = 0
    for at, some in enumerate(tables):
        if at in share.hosts:
            numbered = enumerate(some, start)
            sums |= {n: spell(one.sha256, 200) for n, one in numbered if one.sha256 is not None}
        start += len(some)
    return sums
