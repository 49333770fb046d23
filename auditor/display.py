"""Untrusted text in, text that is safe to show out.

Every string that came from a host or a file passes through `escape` before it reaches a terminal or a log. Formats with
their own escaping (HTML, JSON, CSV) apply that on top; this removes what no format shows safely: control characters,
bidirectional overrides and characters of no width.
"""

import re

# C0 (with newline and tab), DEL, C1, soft hyphen, Arabic letter mark, Mongolian vowel separator, zero-width and
# bidirectional marks (Unicode Bidirectional Algorithm, UAX #9), line and paragraph separators, word joiner and
# invisible operators, BOM, interlinear annotation, lone surrogates, tag characters.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def _spell(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def escape(text: str, limit: int | None = None) -> str:
    """Return `text` with every unsafe character spelled out (`\\x1b`, `\\u202e`) on one line.

    `limit` cuts the result to that many characters, with `…` in place of what was cut. Lone surrogates (undecodable
    bytes read with surrogateescape) come out as `\\udcXX`.
    """
    shown = _UNSAFE.sub(_spell, text)
    if limit is not None and len(shown) > limit:
        return shown[: max(0, limit - 1)] + "…"
    return shown


def count_columns(text: str) -> int:
    """Return how many columns of a terminal escaped `text` takes (UAX #11, East Asian Width)."""
    if text.isascii():
        return len(text)
    import unicodedata  # a megabyte of tables, which plain ASCII can do without

    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    # Marks stand on the character before them: non-spacing and enclosing ones.
    narrow = sum(unicodedata.category(character) not in ("Mn", "Me") for character in text)
    return wide + narrow


def pad(text: str, width: int) -> str:
    """Return escaped `text` with blanks behind it up to so many columns."""
    return text + " " * (width - count_columns(text))
