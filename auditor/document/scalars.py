"""Plain YAML scalars in, Python values out: the core schema of YAML 1.2 (chapter 10.3.2), minus what people misread.

`022`, `0x16`, `22:22`, `1_0`, `no` and `on` mean different things to different YAML readers. They become `Disputed`,
which is neither text nor a number nor a truth value: every field refuses them, one that takes text with the advice to
put them in quotes, the others with the words of `explain_number` and `explain_truth`. A date is text: what it means is
the same to everybody.
"""

import re
from dataclasses import dataclass

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TRUTHS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})", re.ASCII)
_DECIMAL = re.compile(r"-?(?:[0-9]{1,300}\.[0-9]*|\.[0-9]+|[0-9]{1,300}(?=[eE]))(?:[eE][-+]?[0-9]{1,2})?", re.ASCII)

# What is a number to YAML 1.1 (yaml.org/type/int.html, float.html) or to 1.2, and none of the above: with leading
# zeros, a plus sign, underscores, another base, more digits than everybody keeps.
_DISPUTED_NUMBER = re.compile(
    r"""[-+]?(?:
        [0-9][0-9_]* (?: \.[0-9_]* )? (?: [eE][-+]?[0-9]+ )?
        | 0[box][0-9a-fA-F_]+
        | [0-9][0-9_]* (?: :[0-5]?[0-9] )+ (?: \.[0-9_]* )?
        | \.[0-9]+ (?: [eE][-+]?[0-9]+ )?
        | \.(?:inf|Inf|INF|nan|NaN|NAN)
    )""",
    re.ASCII | re.VERBOSE,
)
_DISPUTED_WORDS = frozenset(
    spell(word) for word in ("yes", "no", "on", "off") for spell in (str.lower, str.capitalize, str.upper)
)

_YAML_1_1_TRUTHS = {"yes": "true", "y": "true", "on": "true", "no": "false", "n": "false", "off": "false"}


@dataclass(frozen=True, slots=True, repr=False)
class Disputed:
    """A plain scalar that is text to some YAML readers, and a number or a truth value to others."""

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return repr(self.text)


Scalar = str | int | float | bool | Disputed | None


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar."""
    if text in _NULLS:
        return None
    if text in _TRUTHS:
        return _TRUTHS[text]
    if text[0] in "-+.0123456789":
        if _WHOLE.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text):
            return float(text)
        if _DISPUTED_NUMBER.fullmatch(text):
            return Disputed(text)
    return Disputed(text) if text in _DISPUTED_WORDS else text


def explain_number(text: str, plain: bool) -> str:
    """Return what to write instead of `text` where a number is expected, '' when that cannot be guessed."""
    if not plain and _WHOLE.fullmatch(text):
        return f"write {text} without quotes"
    if re.fullmatch(r"0[xX][0-9a-fA-F]{1,16}", text):
        return f"write the decimal number: {int(text, 16)}"
    if re.fullmatch(r"[0-9]{1,9}(:[0-9]{1,9})+", text):
        return "write one number without a colon; some YAML readers take this for a number in base 60"
    bare = text.replace("_", "").lstrip("+0")
    if re.fullmatch(r"[0-9]{1,18}", bare, re.ASCII):
        return f"write {bare}: no leading zero, plus sign or underscore, which YAML readers disagree about"
    return ""


def explain_truth(text: str) -> str:
    """Return what to write instead of `text` where true or false is expected."""
    meant = _YAML_1_1_TRUTHS.get(text.lower()) or (text.lower() if text.lower() in ("true", "false") else None)
    return f"write {meant}" if meant else "write true or false, without quotes"
