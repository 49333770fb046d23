"""Strings in, numbers out: the dictionary behind the data of the HTML report, in the order in which words sort."""

import re
from collections.abc import Sequence

from auditor.display import escape

LONGEST = 4_000
"""Characters shown of one string; the JSON report has all of it."""
_DIGITS = re.compile(r"\d+")


class Words:
    """Every string once, spelled out safely on its way in. A number from `add` is provisional until `close`."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._places: list[int] = []

    def add(self, text: str | None) -> int:
        """Return the number of a string; -1 stands for None, which means not known."""
        if text is None:
            return -1
        number = self._numbers.get(text)
        if number is None:
            number = self._numbers[text] = len(self._numbers)
        return number

    def add_all(self, texts: Sequence[str]) -> list[int]:
        return [self.add(text) for text in texts]

    def close(self) -> list[str]:
        """Return the strings in natural order (`web-9` before `web-10`); `settle` then gives their last numbers."""
        shown = [(_sort_key(word), word, number) for number, word in enumerate(_spell(self._numbers))]
        shown.sort()
        self._places = [-1] * (len(shown) + 1)  # the last place is what -1 finds
        for place, (_, _, number) in enumerate(shown):
            self._places[number] = place
        return [word for _, word, _ in shown]

    def settle(self, numbers: Sequence[int]) -> list[int]:
        """Return final numbers for provisional ones."""
        places = self._places
        return [places[number] for number in numbers]


class Sets:
    """Every list of strings once, such as the groups of a host."""

    def __init__(self, words: Words) -> None:
        self._words = words
        self._numbers: dict[tuple[str, ...], int] = {}

    def add(self, texts: tuple[str, ...]) -> int:
        return self._numbers.setdefault(texts, len(self._numbers))

    def list_words(self) -> list[list[int]]:
        """Return the provisional numbers of the words of each set."""
        return [self._words.add_all(texts) for texts in self._numbers]


def _spell(texts: dict[str, int]) -> list[str]:
    return [escape(text, LONGEST) for text in texts]


def _sort_key(word: str) -> str:
    return _DIGITS.sub(lambda run: run.group().zfill(12), word.lower())
