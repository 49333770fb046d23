"""A section in, an open table out: the one place where a read status becomes a coverage status and a gap.

A parser adds to the table what it finds; `settle` then says once what is wrong with it.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import TypeVar

from auditor.display import escape
from auditor.model.facts import Coverage, CoverageStatus, Gap
from auditor.model.snapshot import Section
from auditor.model.value import trusted
from auditor.parse.socket import Socket

MAX_SOCKETS = 65_536  # of one table: every port of an address, and a bound on what a lying host can cost
_make_coverage = trusted(Coverage)
SMALL = 1024  # bytes
"""Such tables are alike on most hosts of a fleet, and read once: then what is kept of them has a bound."""
_SAMPLES = 3
_SAMPLE_LENGTH = 100
_REASONS: dict[str, str] = {
    "absent": "the host has no such table",
    "denied": "the account may not read this table: let it, or set `sudo: true` for the host",
    "error": "reading this table failed",
    "truncated": "the answer ends inside this table",
    "missing": "the answer has no such table",
}
T = TypeVar("T")


@dataclass(slots=True)
class Table:
    """One table: its bytes, what was counted in it, and what is wrong with it.

    `sockets` are the rows that matter to an audit; `rows` counts all that were understood, `full` those that the kernel
    counts in /proc/net/sockstat, `states` how many are in which. Any of `faults`, which are sentences, is a gap. A
    table that is settled may be several hosts' at once, and does not change any more.
    """

    name: str
    data: bytes = b""
    status: CoverageStatus = "ok"
    faults: list[str] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)
    rows: int = 0
    full: int = 0
    rejected: int = 0
    duplicates: int = 0
    listeners: int = 0
    states: dict[int, int] = field(default_factory=dict)
    samples: list[str] = field(default_factory=list)
    _coverage: Coverage | None = field(init=False, default=None)

    def fail(self, status: CoverageStatus, fault: str) -> None:
        """Note a fault; the first one names the status."""
        if self.status == "ok":
            self.status = status
        self.faults.append(fault)

    def add(self, socket: Socket) -> None:
        """Keep a socket that matters, up to the limit."""
        self.listeners += 1
        if self.listeners <= MAX_SOCKETS:
            self.sockets.append(socket)

    def reject(self, line: int | None, text: bytes) -> None:
        """Note a line that no kernel prints; the first few are shown."""
        self.rejected += 1
        if len(self.samples) < _SAMPLES:
            where = self.name if line is None else f"{self.name}:{line}"
            self.samples.append(f'{where} "{escape(text[:1000].decode("latin-1"), _SAMPLE_LENGTH)}"')

    def settle(self) -> None:
        """Say what the rows that were rejected or left out amount to. To be called once, when all are read."""
        if self.rejected:
            word: CoverageStatus = "malformed" if self.data.endswith(b"\n") else "truncated"
            noun = "row is" if self.rejected == 1 else "rows are"
            self.fail(word, f"{self.rejected} {noun} not what a kernel prints: {', '.join(self.samples)}")
        if self.listeners > MAX_SOCKETS and self.sockets:
            self.fail("truncated", f"only the first {MAX_SOCKETS} of {self.listeners} sockets that listen were kept")

    def coverage(self) -> Coverage:
        """Return the table's line in the ledger. To be called when it is settled."""
        if self._coverage is None:
            self._coverage = _make_coverage(
                source=self.name,
                status=self.status,
                rows=self.rows,
                listeners=self.listeners,
                rejected=self.rejected,
                duplicates=self.duplicates,
                sha256=hashlib.sha256(self.data).hexdigest() if self.data else None,
            )
        return self._coverage

    def gap(self) -> Gap | None:
        return Gap(source=self.name, reason="; ".join(self.faults)) if self.faults else None


def read_once(
    *, size: int = SMALL, kept: int = 64
) -> Callable[[Callable[[Section | None], T]], Callable[[Section | None], T]]:
    """Return a decorator of parsers for what is alike on most hosts: of sections up to `size` bytes the last `kept` are
    remembered, with what was made of them, which is nobody's own then and must not be changed."""

    def decorate(parse: Callable[[Section | None], T]) -> Callable[[Section | None], T]:
        remember = lru_cache(maxsize=kept)(parse)

        @wraps(parse)
        def read(section: Section | None) -> T:
            return remember(section) if section is None or len(section.data) <= size else parse(section)

        return read

    return decorate


def open_table(name: str, section: Section | None, *, optional: bool = False) -> Table:
    """Return the table of a section, not yet parsed.

    `optional`: the host need not have it, so its absence is no fault. A table of no bytes at all is one: every kernel
    prints at least the header, and WSL 1 prints nothing whatever listens.
    """
    table = Table(name, section.data if section else b"")
    status = section.status if section else "missing"
    if status == "absent" and optional:
        table.status = "absent"
    elif status != "ok":
        word: CoverageStatus = "absent" if status == "absent" else "denied" if status == "denied" else "truncated"
        table.fail(word, _REASONS[status])
    elif not table.data:
        table.fail("empty", "this table is empty, without even its header: nothing can be said about it")
    return table
