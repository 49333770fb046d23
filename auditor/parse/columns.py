"""Tables whose columns changed over kernel versions: the header says which field is which."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from auditor.parse.table import Table

_DECIMAL = re.compile(rb"[0-9]{1,20}")
_HEX = re.compile(rb"[0-9A-Fa-f]{1,16}")
_PRINTABLE = re.compile(rb"[ -~\t]*")


class ColumnRow(NamedTuple):
    """A row by column names; `rest` are the fields from the last column on, where several may stand."""

    line: int
    text: bytes
    fields: dict[bytes, bytes]
    rest: list[bytes]

    def decimal(self, column: bytes) -> int | None:
        """Return the number in a column, None when it is none."""
        value = self.fields[column]
        return int(value) if _DECIMAL.fullmatch(value) else None

    def hexadecimal(self, column: bytes) -> int | None:
        value = self.fields[column]
        return int(value, 16) if _HEX.fullmatch(value) else None


def read_columns(table: Table, needed: Sequence[bytes]) -> tuple[list[ColumnRow], list[tuple[int, bytes]]]:
    """Return the rows, and the lines that are none with their numbers; note a fault when a needed column is missing."""
    header, *lines = table.data.split(b"\n")
    columns = header.split()
    if any(name not in columns for name in needed):
        table.fail("malformed", "this table does not begin with the kernel's header, so it is not a whole table")
        return [], []
    cut = lines.pop() if lines else b""
    rows: list[ColumnRow] = []
    bad: list[tuple[int, bytes]] = []
    for number, line in enumerate(lines, 2):
        fields = line.split()
        if len(fields) < len(columns) or not _PRINTABLE.fullmatch(line):
            bad.append((number, line))
        else:
            rows.append(ColumnRow(number, line, dict(zip(columns, fields, strict=False)), fields[len(columns) - 1 :]))
    if cut:
        bad.append((len(lines) + 2, cut))
    return rows, bad
