"""One frozen report in, the bytes of a file out: one module per format, each imported only when it is asked for.

To add a format: write `auditor/reporters/NAME.py` with `render(report: AuditReport) -> bytes`, and list it here.
Reporters count nothing and decide nothing; that was done once, when the report was built.
"""

from importlib import import_module
from typing import NamedTuple

from auditor.errors import UsageError
from auditor.model.report import AuditReport


class Format(NamedTuple):
    """Where a format is rendered, the usual name of its file, and what it is for."""

    module: str
    file_name: str
    description: str


FORMATS: dict[str, Format] = {
    "html": Format("auditor.reporters.html", "report.html", "for readers: one file, nothing loaded from elsewhere"),
    "json": Format("auditor.reporters.json", "report.json", "for programs: everything, with a published schema"),
    "text": Format("auditor.reporters.text", "report.txt", "for terminals and logs: what is wrong, worst first"),
}


def render(report: AuditReport, format: str) -> bytes:  # noqa: A002 - the word of the command line
    """Return `report` in one of FORMATS. Equal reports give equal bytes. Raises UsageError for an unknown format."""
    if format not in FORMATS:
        raise UsageError(f"unknown format '{format}'", f"formats: {', '.join(FORMATS)}")
    rendered: bytes = import_module(FORMATS[format].module).render(report)
    return rendered
