"""Strings in, numbers out: the dictionary behind the data of the HTML report, in the order in which words sort."""

import re
from collections.abc import Iterable, Sequence
from itertools import repeat

from auditor.display import escape
from auditor.reporters.html_numbers import Numbers

LONGEST = 4_000
"""Characters shown of one string; the JSON report has all of it."""
_DIGITS = re.compile(r"(\d+)")


class Words:
    """Every string once, spelled out safely on its way in. Numbers are provisional until `close`."""

    def __init__(self) -> None:
        self._numbers: Numbers[str | None] = Numbers()
        self._numbers[None] = -1
        self._places: list[int] = []

    def add(self, text: str | None) -> int:
        """Return the number of a string; -1 stands for None, which means not known."""
        return self._numbers[text]

    def add_all(self, texts: Iterable[str | None]) -> list[int]:
        return self._numbers.add_all(texts)

    def close(self) -> list[str]:
        """Return the strings in natural order (`web-9` before `web-10`); `settle` then gives their last numbers."""
        words = spell_all([text for text in self._numbers if text is not None])
        shown = sorted(zip(_sort_keys(words), words, range(len(words)), strict=True))
        self._places = [-1] * (len(shown) + 1)  # the last place is what -1 finds
        for place, (_, _, number) in enumerate(shown):
            self._places[number] = place
        return [word for _, word, _ in shown]

    def settle(self, numbers: Sequence[int]) -> list[int]:
        """Return final numbers for provisional ones."""
        return list(map(self._places.__getitem__, numbers))


class Sets:
    """Every list of strings once, such as the groups of a host."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._numbers: Numbers[tuple[str, ...]] = Numbers()

    def add(self, texts: tuple[str, ...]) -> int:
        return self._numbers[texts]

    def add_all(self, some: Iterable[tuple[str, ...]]) -> list[int]:
        return self._numbers.add_all(some)

    def list_words(self) -> list[list[int]]:
        """Return the provisional numbers of the words of each set."""
        return [self._words.add_all(texts) for texts in self._numbers]


def spell(text: str, longest: int = LONGEST) -> str:
    """Return what `escape` does, without asking it about text that is plainly fit to print."""
    return text if text.isprintable() and len(text) <= longest else escape(text, longest)


def spell_all(texts: Sequence[str], longest: int = LONGEST) -> Sequence[str]:
    """Return what `spell` makes of each, without asking when it is plain that nothing needs it."""
    if "".join(texts).isprintable() and max(map(len, texts), default=0) <= longest:
        return texts
    return [spell(text, longest) for text in texts]


def _sort_keys(words: Sequence[str]) -> list[str]:
    """Return each word in lower case, its numbers filled up with zeros. No spelled out word has a newline."""
    if not words:
        return []
    parts = _DIGITS.split("\n".join(words).lower())  # every other part is a number
    parts[1::2] = map(str.zfill, parts[1::2], repeat(12))
    return "".join(parts).split("\n")
