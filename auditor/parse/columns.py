"""Tables whose columns changed over kernel versions: the header says which field is which."""

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from auditor.parse.table import Table

_LINE = re.compile(rb"([^\n]*)\n|([^\n]+)\Z")
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


def read_columns(table: Table, needed: Sequence[bytes]) -> Iterator[ColumnRow]:
    """Yield the rows and reject other lines; note a fault when a needed column is missing."""
    columns = table.data.partition(b"\n")[0].split()
    if table.data and any(name not in columns for name in needed):
        table.fail("malformed", "this table does not begin with the kernel's header, so it is not a whole table")
        return
    for number, match in enumerate(_LINE.finditer(table.data), 1):
        line = match[1]
        fields = line.split() if line is not None else []
        if number == 1 and line is not None:
            continue
        if len(fields) < len(columns) or not _PRINTABLE.fullmatch(line):
            table.reject(number, match.group())
            continue
        yield ColumnRow(number, line, dict(zip(columns, fields, strict=False)), fields[len(columns) - 1 :])
