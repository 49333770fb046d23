"""A report in, the style rule for the foot of its printed pages out: every sheet says of which run it is."""

import re

from markupsafe import Markup

from auditor.model.report import AuditReport
from auditor.reporters.html_hosts import spell_time

_OWN_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{4,16}", re.ASCII)
"""How netaudit names runs. Anything else may be a stranger's words, and none of those stand in a style."""


def style_foot(report: AuditReport, what: str) -> Markup:
    """Return a rule that prints `what`, the run, when it ended and its verdict at the foot of every page."""
    run = report.run
    named = (run.id,) if _OWN_ID.fullmatch(run.id) else ()
    said = " · ".join((what, *named, spell_time(run.finished_at), report.verdict))
    rule = f'@page {{ @bottom-left {{ content: "{said}"; font: 8pt system-ui, sans-serif; }} }}'
    return Markup(rule)  # noqa: S704 - words of ours, a time, and an id of digits
