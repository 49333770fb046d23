"""Spans of text in, terminal lines out: the one place where text of this format is made safe, and coloured."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from auditor.display import escape

Style = Literal["plain", "strong", "faint", "critical", "high", "medium", "low", "info", "waived", "good"]

# SGR parameters (ECMA-48 §8.3.117), of the sixteen colours every terminal has.
_SGR: dict[Style, str] = {
    "strong": "1",
    "faint": "2",
    "critical": "1;31",
    "high": "31",
    "medium": "33",
    "low": "36",
    "info": "2",
    "waived": "2",
    "good": "1;32",
}


class Span(NamedTuple):
    """Some text of one line, in one style."""

    text: str
    style: Style = "plain"


Line = tuple[Span, ...]


def write_lines(lines: Iterable[Line], *, color: bool) -> str:
    """Return the lines, every span escaped, so that nothing a host said can end a line or reach the terminal."""
    return "".join("".join(_paint(span, color) for span in line).rstrip() + "\n" for line in lines)


def _paint(span: Span, color: bool) -> str:
    shown = escape(span.text)
    return f"\x1b[{_SGR[span.style]}m{shown}\x1b[0m" if color and span.style != "plain" and shown else shown


def list_some(names: Iterable[str], most: int) -> str:
    """Return `a, b, c and 11 more`: at most `most` names."""
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
