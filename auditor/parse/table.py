"""A section in, an open table out: the one place where a read status becomes a coverage status and a gap.

A parser adds to the table what it finds; `settle` then says once what is wrong with it.
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache

from auditor.display import escape
from auditor.model.facts import Coverage, CoverageStatus, Gap
from auditor.model.snapshot import Section
from auditor.model.value import trusted
from auditor.parse.socket import Socket

MAX_SOCKETS = 65_536  # of one table: every port of an address, and a bound on what a lying host can cost
_make_coverage = trusted(Coverage)
# Such tables, and /etc/services, are alike on most hosts of a fleet, as is their coverage. What is kept has a bound.
_SMALL = 1024  # bytes
_LARGE = 1 << 20
_SAMPLES = 3
_SAMPLE_LENGTH = 100
_REASONS: dict[str, str] = {
    "absent": "the host has no such table",
    "denied": "the account may not read this table: let it, or set `sudo: true` for the host",
    "error": "reading this table failed",
    "truncated": "the answer ends inside this table",
    "missing": "the answer has no such table",
}


@dataclass(slots=True)
class Table:
    """One table: its bytes, what was counted in it, and what is wrong with it.

    `sockets` are the rows that matter to an audit; `rows` counts all that were understood, `full` those that the kernel
    counts in /proc/net/sockstat, `states` how many are in which. Any of `faults`, which are sentences, is a gap.
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
        size = len(self.data)
        is_services = self.name == "services" and size <= _LARGE
        cover = _cover_small if size <= _SMALL else _cover_services if is_services else _cover
        counts = self.rows, self.listeners, self.rejected, self.duplicates
        return cover(self.name, self.status, *counts, self.data)

    def gap(self) -> Gap | None:
        return Gap(source=self.name, reason="; ".join(self.faults)) if self.faults else None


def _cover(  # noqa: PLR0913, PLR0917 - as many as a ledger's line has fields; by position, for lru_cache
    name: str, status: CoverageStatus, rows: int, listeners: int, rejected: int, duplicates: int, data: bytes
) -> Coverage:
    return _make_coverage(
        source=name,
        status=status,
        rows=rows,
        listeners=listeners,
        rejected=rejected,
        duplicates=duplicates,
        sha256=hashlib.sha256(data).hexdigest() if data else None,
    )


_cover_small = lru_cache(maxsize=128)(_cover)
_cover_services = lru_cache(maxsize=8)(_cover)


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
