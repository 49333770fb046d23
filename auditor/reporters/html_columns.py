"""Rows in, columns out: the shape in which the data of the HTML report stands in its page."""

from collections.abc import Callable, Sequence
from typing import Any

from auditor.reporters.html_words import Words

Settle = Callable[[Sequence[int]], list[int]]
Numbers = dict[tuple[object, ...], int]
"""Every different row once, with its number."""


def split_sparse(sparse: dict[int, Any]) -> list[list[Any]]:
    """Return a column that has few values as two: where they stand, and what they are."""
    return [list(sparse), list(sparse.values())]


def number_row(numbers: Numbers, key: tuple[object, ...]) -> int:
    """Return the number of a row, the next one when it is new."""
    return numbers.setdefault(key, len(numbers))


class WordColumn(list[int]):
    """A column of provisional numbers of words."""


def turn_rows(
    rows: Sequence[tuple[object, ...]], words: Words, names: Sequence[str], of_words: Sequence[str]
) -> dict[str, Any]:
    """Return rows as columns by name; those of `of_words` as numbers of words, None as -1."""
    columns: dict[str, Any] = {}
    for at, name in enumerate(names):
        values: list[Any] = [row[at] for row in rows]
        columns[name] = (
            WordColumn(words.add_all(values))
            if name in of_words
            else [-1 if value is None else value for value in values]
        )
    return columns


def settle_columns(columns: dict[str, Any], settle: Settle) -> dict[str, Any]:
    """Return columns with final numbers of words, columns within columns too."""
    settled: dict[str, Any] = {}
    for name, column in columns.items():
        deeper = settle_columns(column, settle) if isinstance(column, dict) else column
        settled[name] = settle(column) if isinstance(column, WordColumn) else deeper
    return settled
