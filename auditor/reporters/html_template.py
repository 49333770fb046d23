"""The one place where templates become text.

`_show` is applied by Jinja to every expression of every template, so no string reaches a page without
`display.escape`; autoescape follows it; and the content security policy of a page admits only its own style and script.
"""

import sys
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from auditor.display import escape
from auditor.reporters.html_words import LONGEST
from auditor.reporters.template_bytecode import TemplateBytecode

_UNKNOWN = "—"


@cache
def environment() -> Environment:
    """Return the templates of this package, with escaping that no template can leave out."""
    made = Environment(
        loader=PackageLoader("auditor.reporters"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show,
        trim_blocks=True,
        lstrip_blocks=True,
        bytecode_cache=TemplateBytecode() if sys.implementation.cache_tag else None,
    )
    made.globals.clear()
    return made


def hash_content(names: Sequence[str]) -> str:
    """Return what a content security policy admits an element by that holds these templates, one after the other."""
    content = "".join(environment().get_template(name).render() for name in names)
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"


def _show(value: object) -> object:
    """Spell out what is unsafe to show; None, which means not known, is a dash."""
    if isinstance(value, Markup):  # what a macro of ours returned: its expressions have been here already
        return value
    if isinstance(value, str):
        return escape(value, LONGEST)
    return _UNKNOWN if value is None else value
