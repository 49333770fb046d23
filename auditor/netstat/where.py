"""A filter in words in, a test for rows out: the language of ss(8)'s filters, with words for what a fleet adds.

    filter  = and { ("or" | "||" | "|") and }
    and     = test { ["and" | "&&" | "&"] test }
    test    = ("not" | "!") test | "(" filter ")" | word [operator] value

The words are in `words.py`. Keywords are read in any case. Every mistake names its column.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import NamedTuple

from auditor.errors import DocumentError, Problem
from auditor.netstat.words import (
    OPERATORS,
    WORDS,
    Subject,
    Test,
    WordError,
)

Services = Callable[[str], frozenset[int]]
"""The ports a service name stands for, by the trusted table; none when it does not know the name."""

_TOKEN = re.compile(r'\s*(?:([()])|(!=|<=|>=|==|&&|\|\||[=<>!&|])|"([^"]*)"|([^\s()=<>!&|"]+))')
_OR, _AND, _NOT = {"or", "||", "|"}, {"and", "&&", "&"}, {"not", "!"}
_SOURCE = "--where"
_MAX_DEPTH = 50
_MAX_LENGTH = 4096


class Where(NamedTuple):
    """A filter: `matches` tests one row; `needs_owners` says that it asks who holds a socket."""

    matches: Test
    needs_owners: bool


class _Token(NamedTuple):
    text: str
    start: int
    quoted: bool = False


def parse_where(text: str, services: Services) -> Where:
    """Return the filter that `text` describes. Raises DocumentError with the column of the mistake."""
    reader = _Reader(text, services)
    matches = reader.read_or(0)
    if reader.ahead is not None:
        what = "nothing is open here" if reader.ahead.text == ")" else "expected `and`, `or` or the end"
        raise reader.mistake(reader.ahead, what)
    return Where(matches, reader.needs_owners)


class _Reader:
    """Reads tokens from left to right, one ahead."""

    def __init__(self, text: str, services: Services) -> None:
        self._text = text
        self._services = services
        self.needs_owners = False
        if len(text) > _MAX_LENGTH:
            raise self.mistake(_Token("", 0), f"a filter has at most {_MAX_LENGTH} characters")
        self._tokens = self._split()
        self._at = 0

    def _split(self) -> list[_Token]:
        found, at, end = [], 0, len(self._text.rstrip())
        while at < end:
            match = _TOKEN.match(self._text, at)
            if match is None:
                raise self.mistake(
                    _Token("", at + len(self._text[at:]) - len(self._text[at:].lstrip())), "a lonely quote"
                )
            kind = match.lastindex or 0
            found.append(_Token(match[kind], match.start(kind), quoted=kind == 3))
            at = match.end()
        return found

    @property
    def ahead(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _sees(self, words: set[str]) -> bool:
        return self.ahead is not None and not self.ahead.quoted and self.ahead.text.lower() in words

    def _takes(self, words: set[str]) -> bool:
        if self._sees(words):
            self._at += 1
            return True
        return False

    def read_or(self, depth: int) -> Test:
        tests = [self._read_and(depth)]
        while self._takes(_OR):
            tests.append(self._read_and(depth))
        return tests[0] if len(tests) == 1 else lambda subject: any(test(subject) for test in tests)

    def _read_and(self, depth: int) -> Test:
        tests = [self._read_test(depth)]
        while self.ahead is not None and not self._sees(_OR | {")"}):
            self._takes(_AND)
            tests.append(self._read_test(depth))
        return tests[0] if len(tests) == 1 else lambda subject: all(test(subject) for test in tests)

    def _read_test(self, depth: int) -> Test:
        if depth > _MAX_DEPTH:
            raise self.mistake(self.ahead, f"more than {_MAX_DEPTH} levels deep")
        if self._takes(_NOT):
            inner = self._read_test(depth + 1)
            return lambda subject: not inner(subject)
        opening = self.ahead
        if self._takes({"("}):
            group = self.read_or(depth + 1)
            if not self._takes({")"}):
                raise self.mistake(opening if self.ahead is None else self.ahead, "this `(` is never closed")
            return group
        return self._read_comparison()

    def _read_comparison(self) -> Test:
        word = self._next("expected a test, such as `state established` or `sport = :443`")
        build = WORDS.get(word.text.lower()) if not word.quoted else None
        if build is None:
            near = get_close_matches(word.text.lower(), WORDS, n=1)
            hint = f"did you mean {near[0]}?" if near else f"the words are {', '.join(WORDS)}"
            raise self.mistake(word, f"unknown word {word.text!r}", hint)
        operator, sign = "=", None
        if self.ahead is not None and not self.ahead.quoted and self.ahead.text.lower() in OPERATORS:
            sign = self._next("")
            operator = OPERATORS[sign.text.lower()]
        value = self._next(f"`{word.text}` needs a value")
        self.needs_owners |= word.text.lower() in {"process", "pid"}
        try:
            return build(operator, value.text, self._services)
        except WordError as mistake:
            raise self.mistake(sign if mistake.at_operator and sign else value, mistake.message, mistake.hint) from None

    def _next(self, otherwise: str) -> _Token:
        token = self.ahead
        if token is None or (not token.quoted and token.text in {"(", ")"}):
            raise self.mistake(token, otherwise)
        self._at += 1
        return token

    def mistake(self, token: _Token | None, message: str, hint: str = "") -> DocumentError:
        column = (token.start if token is not None else len(self._text.rstrip())) + 1
        return DocumentError([Problem(_SOURCE, 1, column, message, hint, self._text)])


__all__ = ["Services", "Subject", "Where", "parse_where"]
