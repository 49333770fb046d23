"""Untrusted text in, GitHub Flavored Markdown out that shows it and does nothing with it.

What is not a plain word becomes a code span: there neither markup nor links, mentions, references or emoji have a
meaning. A code span cannot hold `|` in a table in a way all renderers agree on, so it is spelled out.
"""

import re

from auditor.display import escape

_WORD = re.compile(r"[(\"']?[A-Za-z0-9]+(?:[-/.,'][A-Za-z0-9]+)*[)\"'.,;:]*")
_LIVE = re.compile(r"www\.|gh-", re.IGNORECASE)
"""Plain words that GitHub makes links of (GFM §6.9, issue references)."""
_RUNS = re.compile("`+")


def write_code(text: str, limit: int = 300) -> str:
    """Return `text` as one code span, with a fence longer than any run of backticks in it."""
    shown = escape(text, limit).replace("|", "\\x7c").strip() or "—"
    fence = "`" * (max((len(run) for run in _RUNS.findall(shown)), default=0) + 1)
    space = " " if shown[0] == "`" or shown[-1] == "`" else ""
    return f"{fence}{space}{shown}{space}{fence}"


def write_prose(text: str, limit: int = 600) -> str:
    """Return a sentence: plain words as they are, everything else as code. Not for the beginning of a line."""
    words: list[str] = []
    special: list[str] = []
    for word in escape(text, limit).split(" "):
        if _WORD.fullmatch(word) and not _LIVE.match(word.lstrip("(\"'")):
            words += [*_close(special), word]
            special = []
        elif word:
            special.append(word)
    return " ".join([*words, *_close(special)])


def _close(special: list[str]) -> list[str]:
    return [write_code(" ".join(special), limit=len(" ".join(special)))] if special else []
