"""Patterns of OpenSSH (PATTERNS in ssh_config(5)): `*` is any text, `?` any one character, `!` in front takes out."""

import re
from collections.abc import Iterable
from functools import lru_cache


def matches(text: str, pattern: str) -> bool:
    """Return whether the whole of `text` fits `pattern`."""
    return text == pattern or (_is_wild(pattern) and _compile(pattern).fullmatch(text) is not None)


def matches_any(text: str, patterns: Iterable[str]) -> bool:
    """Return whether one pattern fits and no negated one does: the words of a Host line, or a list between commas."""
    fits = False
    for pattern in patterns:
        if pattern.startswith("!"):
            if matches(text, pattern[1:]):
                return False
        elif not fits:
            fits = matches(text, pattern)
    return fits


def is_literal(pattern: str) -> bool:
    """Return whether `pattern` fits itself only."""
    return not _is_wild(pattern) and not pattern.startswith("!")


def _is_wild(pattern: str) -> bool:
    return "*" in pattern or "?" in pattern


@lru_cache(maxsize=65536)
def _compile(pattern: str) -> re.Pattern[str]:
    """Return the pattern as an expression that never goes back behind an asterisk, and so needs no more than n*m."""
    head, *parts = ["".join("." if char == "?" else re.escape(char) for char in part) for part in pattern.split("*")]
    if not parts:
        return re.compile(head, re.DOTALL)
    *middle, tail = parts
    return re.compile(head + "".join(f"(?>.*?{part})" for part in middle if part) + f".*{tail}", re.DOTALL)
