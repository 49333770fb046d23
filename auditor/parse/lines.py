"""An open table in, its lines out: with their newline, numbered, and not without end when none of them makes sense."""

import re
from collections.abc import Iterator

from auditor.parse.table import Table

MAX_REJECTED = 10_000
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")


def read_lines(table: Table, start: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield the lines from byte `start` on, each with its number in the table.

    Ends when so many were rejected that the rest, which may be sixteen million newlines, is not worth a look.
    """
    first = 1 + table.data.count(b"\n", 0, start)
    for number, match in enumerate(_LINE.finditer(table.data, start), first):
        if table.rejected >= MAX_REJECTED:
            return
        yield number, match.group()
