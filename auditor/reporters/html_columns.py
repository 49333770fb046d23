"""Rows in, columns out: the shape in which the data of the HTML report stands in its page."""

from collections.abc import Callable, Collection, Sequence
from itertools import repeat
from typing import Any

from auditor.reporters.html_words import Words

Settle = Callable[[Sequence[int]], list[int]]


def split_sparse(sparse: dict[int, Any]) -> list[list[Any]]:
    """Return a column that has few values as two: where they stand, and what they are."""
    return [list(sparse), list(sparse.values())]


class WordColumn(list[int]):
    """A column of provisional numbers of words."""


def turn_rows(
    rows: Collection[tuple[object, ...]], words: Words, names: Sequence[str], of_words: Collection[str]
) -> dict[str, Any]:
    """Return rows as columns by name; those of `of_words` as numbers of words, None as -1."""
    columns: dict[str, Any] = {}
    values: Any
    for name, values in zip(names, zip(*rows, strict=True) if rows else repeat(()), strict=False):
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
