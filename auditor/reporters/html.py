"""AuditReport in, one HTML file out: self-contained, nothing loaded, readable without JavaScript.

Safety stands in three places here. `_show` is applied by Jinja to every expression of every template, so no string
reaches the page without `display.escape`; autoescape follows it; and the content security policy admits only the one
style and the one script of this file, by hash (CSP Level 3 §8.3), so markup that got through would still do nothing.
"""

from base64 import b64encode
from functools import cache
from hashlib import sha256

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from auditor.display import escape
from auditor.model.report import AuditReport
from auditor.reporters.html_page import build_page

_LONGEST = 4_000
"""Characters shown of one string; the JSON report has all of it."""
_UNKNOWN = "—"


def render(report: AuditReport) -> bytes:
    """Return the report as one UTF-8 HTML document. Equal reports give equal bytes."""
    environment = _environment()
    policy = _content_policy(environment)
    return environment.get_template("report.html").render(page=build_page(report), csp=policy).encode()


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("auditor.reporters"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_show,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.clear()
    return environment


def _show(value: object) -> object:
    """Spell out what is unsafe to show; None, which means not known, is a dash."""
    if isinstance(value, Markup):  # what a macro of ours returned: its expressions have been here already
        return value
    if isinstance(value, str):
        return escape(value, _LONGEST)
    return _UNKNOWN if value is None else value


def _content_policy(environment: Environment) -> str:
    style, script = (_hash(environment.get_template(name).render()) for name in ("report.css", "report.js"))
    return (
        f"default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(content: str) -> str:
    return f"sha256-{b64encode(sha256(content.encode()).digest()).decode()}"
