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
    """Return the lines, every span escaped, so that nothing a host said can end a line, or act."""
    return "".join(_write(line, color) + "\n" for line in lines)


def _write(line: Line, color: bool) -> str:
    spans = [span._replace(text=escape(span.text)) for span in line]
    if "".join(span.text for span in spans).lstrip().startswith("::"):
        # The runners of GitHub and Azure obey a line that begins so, and the two marks below anywhere in one.
        first = next(number for number, span in enumerate(spans) if span.text.strip())
        spans[first] = spans[first]._replace(text=spans[first].text.replace(":", "\\x3a", 1))
    whole = "".join(_paint(span, color) for span in spans).rstrip()
    return whole.replace("##[", "##\\x5b").replace("##vso[", "##vso\\x5b")


def _paint(span: Span, color: bool) -> str:
    return f"\x1b[{_SGR[span.style]}m{span.text}\x1b[0m" if color and span.style != "plain" and span.text else span.text


def list_some(names: Iterable[str], most: int) -> str:
    """Return `a, b, c and 11 more`: at most `most` names."""
    every = list(names)
    shown = ", ".join(every[:most])
    return shown if len(every) <= most else f"{shown} and {len(every) - most} more"


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
