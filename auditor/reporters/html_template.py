"""The one place where templates become text.

`_show` is applied by Jinja to every expression of every template, so no string reaches a page without
`display.escape`; autoescape follows it; and the content security policy of a page admits only its own style and script.
"""

import re
import sys
from base64 import b64encode
from collections.abc import Callable, Sequence
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from auditor.display import escape
from auditor.reporters.html_words import LONGEST
from auditor.reporters.template_bytecode import TemplateBytecode

_UNKNOWN = "—"


class _Templates(PackageLoader):
    """The templates of this package, of which JavaScript and CSS come lean."""

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool] | None]:
        """Return a template's text, its file, and whether it still is what the file says."""
        source, path, is_current = super().get_source(environment, template)
        return _lean(source) if template.endswith((".js", ".css")) else source, path, is_current


_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_INDENT = re.compile(r"^[ \t]+", re.MULTILINE)


@cache
def _lean(source: str) -> str:
    """Return JavaScript or CSS without comments on lines of their own and without indentation.

    A page carries its whole program, and thousands of pages are kept: what only the authors of the program read stays
    in its sources. No template literal may go on in another line, for its indentation would be lost.
    """
    return _INDENT.sub("", _COMMENT.sub("", source))


@cache
def environment() -> Environment:
    """Return the templates of this package, with escaping that no template can leave out."""
    made = Environment(
        loader=_Templates("auditor.reporters"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=TemplateBytecode() if sys.implementation.cache_tag else None,
    )
    made.globals.clear()
    made.filters["group_digits"] = _group_digits
    return made


def hash_content(names: Sequence[str], end: str = "") -> str:
    """Return what a content security policy admits an element by that holds these templates, one by one, and `end`."""
    content = "".join([*(environment().get_template(name).render() for name in names), end])
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


_COUNT = re.compile(r"(?<![\w.,:/-])\d{4,}(?![\w.,:/-])")


def _group_digits(text: str) -> str:
    """Return a sentence with its counts as the page writes them: 46,756 instead of 46756."""
    return _COUNT.sub(lambda count: f"{int(count[0]):,}", text)


def _show(value: object) -> object:
    """Spell out what is unsafe to show; None, which means not known, is a dash."""
    if isinstance(value, Markup):  # what a macro of ours returned: its expressions have been here already
        return value
    if isinstance(value, str):
        return escape(value, LONGEST)
    return _UNKNOWN if value is None else value
