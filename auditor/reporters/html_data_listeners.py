"""Listeners and what was read in, their columns for the page's data out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter, sub
from typing import Any

from auditor.model.report import HostReport, JudgedListener
from auditor.reporters.html_census import DECISION, KIND, WORDS, Census
from auditor.reporters.html_columns import Numbers, number_row, split_sparse, turn_rows
from auditor.reporters.html_words import Words, spell

_OWNER = ("pid", "comm", "exe", "cmdline", "unit", "container", "runtime")
_owner_of = attrgetter(*_OWNER)
_LEDGER = ("source", "status", "rows", "listeners", "rejected", "duplicates")
_ledger_of = attrgetter(*_LEDGER)
_address_of = attrgetter("address")
_owners_of = attrgetter("owners")
_pending_of = attrgetter("pending_accepts")


@dataclass
class ListenerColumns:
    """The columns as they grow; numbers of words in them are provisional until the dictionary is closed."""

    words: Words
    census: Census
    owners: Numbers = field(default_factory=dict)
    ledgers: Numbers = field(default_factory=dict)
    steps: list[int] = field(default_factory=list)
    addresses: list[list[int]] = field(default_factory=list)
    address: list[int] = field(default_factory=list)
    listener_owners: dict[int, list[int]] = field(default_factory=dict)
    pending: dict[int, int] = field(default_factory=dict)
    raw: dict[int, str] = field(default_factory=dict)
    sums: dict[int, str] = field(default_factory=dict)
    ledger: list[int] = field(default_factory=list)

    def add(self, listeners: Sequence[JudgedListener], kinds: Sequence[int], *, flagged: bool, whole: bool) -> None:
        """Add a host's listeners; `flagged` and `whole` say whose kernel lines come along."""
        start = len(self.steps)
        bound = list(map(_address_of, listeners))
        places = {address: at for at, address in enumerate(dict.fromkeys(bound))}
        self.address += map(places.__getitem__, bound)
        self.addresses.append(self.words.add_all(places))
        # Each kind as its distance from the one before it on that host: small numbers, for kinds are sorted by port.
        self.steps += map(sub, kinds, (0, *kinds))
        shown = self.census.flagged
        for at, owners in enumerate(map(_owners_of, listeners), start):
            if owners:
                self.listener_owners[at] = [number_row(self.owners, _owner_of(owner)) for owner in owners]
        for at, waiting in enumerate(map(_pending_of, listeners), start):
            if waiting:
                self.pending[at] = waiting
        for at, kind in enumerate(kinds if whole or flagged else ()):
            if whole or shown[kind]:
                self.raw[start + at] = spell(listeners[at].raw, 400)

    def add_ledger(self, host: HostReport, *, shared: bool) -> None:
        for at, source in enumerate(host.coverage if shared else (), len(self.ledger)):
            if source.sha256 is not None:
                self.sums[at] = spell(source.sha256, 200)
        self.ledger += [number_row(self.ledgers, one) for one in map(_ledger_of, host.coverage)]

    def build(self) -> dict[str, Any]:
        """Return all columns by name, to be settled by `settle_columns`."""
        return {
            "kinds": turn_rows(self.census.kinds, self.words, KIND, WORDS),
            "decisions": turn_rows(self.census.decisions, self.words, DECISION, DECISION[:3]),
            "owners": turn_rows(list(self.owners), self.words, _OWNER, _OWNER[1:]),
            "ledgers": turn_rows(list(self.ledgers), self.words, _LEDGER, _LEDGER[:2]),
            "listeners": {
                "step": self.steps,
                "address": self.address,
                "owners": split_sparse(self.listener_owners),
                "pending": split_sparse(self.pending),
                "raw": split_sparse(self.raw),
            },
            "coverage": {"ledger": self.ledger, "sum": split_sparse(self.sums)},
        }
