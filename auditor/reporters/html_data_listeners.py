"""Listeners and what was read in, their columns for the page's data out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import Any

from auditor.display import escape
from auditor.model.report import Decision, HostReport, JudgedListener
from auditor.reporters.html_columns import Numbers, number_row, split_sparse, turn_rows
from auditor.reporters.html_share import is_flagged
from auditor.reporters.html_words import Words

_WORDS_OF_KIND = (
    *("proto", "family", "scope", "service", "kind", "dual_stack"),
    *("netns", "user", "owner_status", "seen", "verdict"),
)
_NUMBERS_OF_KIND = ("port", "sockets", "uid")
_kind_of = itemgetter(*_WORDS_OF_KIND, *_NUMBERS_OF_KIND)  # of vars(): twice as fast, for 300,000 of them
_DECISION = ("policy", "entry", "file", "line")
_decision_of = attrgetter(*_DECISION)
_OWNER = ("pid", "comm", "exe", "cmdline", "unit", "container")
_owner_of = attrgetter(*_OWNER)
_LEDGER = ("source", "status", "rows", "listeners", "rejected", "duplicates")
_ledger_of = attrgetter(*_LEDGER)


@dataclass
class ListenerColumns:
    """The columns as they grow; numbers of words in them are provisional until the dictionary is closed."""

    words: Words
    kinds: Numbers = field(default_factory=dict)
    decisions: Numbers = field(default_factory=dict)
    owners: Numbers = field(default_factory=dict)
    ledgers: Numbers = field(default_factory=dict)
    listener_kind: list[int] = field(default_factory=list)
    addresses: list[list[int]] = field(default_factory=list)
    address: list[int] = field(default_factory=list)
    listener_owners: dict[int, list[int]] = field(default_factory=dict)
    pending: dict[int, int] = field(default_factory=dict)
    raw: dict[int, str] = field(default_factory=dict)
    sums: dict[int, str] = field(default_factory=dict)
    ledger: list[int] = field(default_factory=list)
    decided: dict[int, int] = field(default_factory=lambda: {id(None): -1})

    def _decide(self, decision: Decision) -> int:
        """Number a decision and keep that under its address: the report keeps every decision alive meanwhile."""
        number = self.decided[id(decision)] = number_row(self.decisions, _decision_of(decision))
        return number

    def add(self, listeners: Sequence[JudgedListener], *, flagged: bool, whole: bool) -> None:
        kinds, column = self.kinds, self.listener_kind
        places: dict[str, int] = {}
        self.address += [places.setdefault(one.address, len(places)) for one in listeners]
        self.addresses.append(self.words.add_all(tuple(places)))
        decided = self.decided
        for one in listeners:
            by = decided.get(id(one.decided_by))
            if by is None and one.decided_by is not None:
                by = self._decide(one.decided_by)
            key = (*_kind_of(vars(one)), by)
            number = kinds.get(key)
            if number is None:
                number = kinds[key] = len(kinds)
            if one.owners:
                owners = [number_row(self.owners, _owner_of(owner)) for owner in one.owners]
                self.listener_owners[len(column)] = owners
            if one.pending_accepts:
                self.pending[len(column)] = one.pending_accepts
            if whole or (flagged and is_flagged(one)):
                self.raw[len(column)] = escape(one.raw, 400)
            column.append(number)

    def _step_kinds(self, counts: Sequence[int]) -> list[int]:
        """Return each listener's kind as its distance from the one before it on that host, kinds sorted by port."""
        names = (*_WORDS_OF_KIND, *_NUMBERS_OF_KIND, "by")
        port = names.index("port")
        ordered = sorted(self.kinds, key=lambda key: (key[port], *(str(part) for part in key)))
        places = {self.kinds[key]: place for place, key in enumerate(ordered)}
        self.kinds = {key: place for place, key in enumerate(ordered)}
        settled = [places[number] for number in self.listener_kind]
        steps = [here - before for before, here in zip([0, *settled], settled, strict=False)]
        at = 0
        for count in counts:
            if count:
                steps[at] = settled[at]
            at += count
        return steps

    def add_ledger(self, host: HostReport, *, shared: bool) -> None:
        for source in host.coverage:
            if shared and source.sha256 is not None:
                self.sums[len(self.ledger)] = escape(source.sha256, 200)
            self.ledger.append(number_row(self.ledgers, _ledger_of(source)))

    def build(self, counts: Sequence[int]) -> dict[str, Any]:
        """Return all columns by name; `counts` are the listeners of each host. To be settled by `settle_columns`."""
        steps = self._step_kinds(counts)
        return {
            "kinds": turn_rows(
                list(self.kinds), self.words, (*_WORDS_OF_KIND, *_NUMBERS_OF_KIND, "by"), _WORDS_OF_KIND
            ),
            "decisions": turn_rows(list(self.decisions), self.words, _DECISION, _DECISION[:3]),
            "owners": turn_rows(list(self.owners), self.words, _OWNER, _OWNER[1:]),
            "ledgers": turn_rows(list(self.ledgers), self.words, _LEDGER, _LEDGER[:2]),
            "listeners": {
                "step": steps,
                "address": self.address,
                "owners": split_sparse(self.listener_owners),
                "pending": split_sparse(self.pending),
                "raw": split_sparse(self.raw),
            },
            "coverage": {"ledger": self.ledger, "sum": split_sparse(self.sums)},
        }
