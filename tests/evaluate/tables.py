"""Tables as text in, their rows out: expectations that a person worked out, and another can read."""

import pytest

Row = tuple[tuple[str, ...], dict[str, str]]


def read_table(table: str, keys: int) -> list[Row]:
    """Return each row: its first `keys` words, and the rest by column. The prose above the table is left out."""
    lines = table.split("\n\n", 1)[1].strip().splitlines()
    columns = lines[0].split()[keys:]
    rows = (line.split() for line in lines[1:])
    return [(tuple(words[:keys]), dict(zip(columns, words[keys:], strict=True))) for words in rows]


def name_rows(table: str, keys: int) -> list[object]:
    """Return the rows as parameters of a test."""
    return [pytest.param(*row, id=" ".join(row[0])) for row in read_table(table, keys)]
