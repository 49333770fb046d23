"""A section in, an open table out: the one place where a read status becomes a coverage status and a gap."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

from auditor.display import escape
from auditor.model.facts import Coverage, CoverageStatus, Gap
from auditor.model.snapshot import Section
from auditor.parse.socket import Socket

_SHOWN = 3
_SHOWN_LENGTH = 100
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
    counts in /proc/net/sockstat. Any of `faults`, which are sentences, is a gap.
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
    listening: int | None = None

    def fail(self, status: CoverageStatus, fault: str) -> None:
        """Note a fault; the first one names the status."""
        if self.status == "ok":
            self.status = status
        self.faults.append(fault)

    def reject(self, bad: Sequence[tuple[int, bytes]], total: int | None = None) -> None:
        """Note rows that no kernel prints: `bad` with line numbers; `total` when they are only the first of more."""
        total = len(bad) if total is None else total
        if not total:
            return
        self.rejected += total
        shown = [f'{self.name}:{line} "{escape(row.decode("latin-1"), _SHOWN_LENGTH)}"' for line, row in bad[:_SHOWN]]
        noun = "row is" if total == 1 else "rows are"
        status: CoverageStatus = "malformed" if self.data.endswith(b"\n") else "truncated"
        self.fail(status, f"{total} {noun} not what a kernel prints: {', '.join(shown)}")

    def coverage(self) -> Coverage:
        return Coverage(
            source=self.name,
            status=self.status,
            rows=self.rows,
            listeners=len(self.sockets) if self.listening is None else self.listening,
            rejected=self.rejected,
            duplicates=self.duplicates,
            sha256=hashlib.sha256(self.data).hexdigest() if self.data else None,
        )

    def gap(self) -> Gap | None:
        return Gap(source=self.name, reason="; ".join(self.faults)) if self.faults else None


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
