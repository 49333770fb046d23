"""One frozen report in, the bytes of a file out: one module per format, each imported only when it is asked for.

To add a format: write `auditor/reporters/NAME.py` with `render(report: AuditReport) -> bytes`, and list it here. One of
many files has `render_folder(report: AuditReport)` instead, and stands in FOLDERS.
Reporters count nothing and decide nothing; that was done once, when the report was built.
"""

from collections.abc import Iterator, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from auditor.errors import UsageError
from auditor.model.report import AuditReport

if TYPE_CHECKING:
    from auditor.reporters.brand import Brand
    from auditor.reporters.past_runs import PastRun


class Format(NamedTuple):
    """Where a format is rendered, the usual name of its file, and what it is for."""

    module: str
    file_name: str
    description: str
    needs: str = ""
    """A package that only an extra of the same name as the format installs."""
    shows_trend: bool = False
    shows_brand: bool = False


FORMATS: dict[str, Format] = {
    "html": Format(
        "auditor.reporters.html",
        "report.html",
        "for readers: one file, nothing loaded from elsewhere",
        shows_trend=True,
        shows_brand=True,
    ),
    "evidence-html": Format(
        "auditor.reporters.html_evidence",
        "control-evidence.html",
        "for auditors: each control with its result",
        shows_brand=True,
    ),
    "json": Format("auditor.reporters.json", "report.json", "for programs: everything, with a published schema"),
    "text": Format("auditor.reporters.text", "report.txt", "for terminals and logs: what is wrong, worst first"),
    "jsonl": Format("auditor.reporters.jsonl", "report.jsonl", "for streams: a line for each host as it finishes"),
    "sarif": Format("auditor.reporters.sarif", "netaudit.sarif", "for code scanning: SARIF 2.1.0, GitHub and GitLab"),
    "junit": Format("auditor.reporters.junit", "junit.xml", "for test reports: JUnit XML, GitLab and Jenkins"),
    "gitlab": Format(
        "auditor.reporters.gitlab", "gl-code-quality-report.json", "for merge requests: GitLab Code Quality"
    ),
    "github": Format(
        "auditor.reporters.github", "annotations.txt", "for GitHub's build log: annotations, the worst first"
    ),
    "github-summary": Format("auditor.reporters.summary", "summary.md", "for $GITHUB_STEP_SUMMARY, within its limit"),
    "markdown": Format("auditor.reporters.markdown", "report.md", "for tickets and wikis: GitHub Flavored Markdown"),
    "csv": Format("auditor.reporters.csv", "findings.csv", "for spreadsheets: a row for each finding"),
    "xlsx": Format("auditor.reporters.xlsx", "report.xlsx", "for auditors: a workbook of all there is", "xlsxwriter"),
    "prometheus": Format("auditor.reporters.prometheus", "netaudit.prom", "for node_exporter's textfile collector"),
}

FOLDERS: dict[str, Format] = {
    "html-dir": Format("auditor.reporters.html_dir", "html", "for Jenkins and other strict servers: no JavaScript"),
}
"""Formats of many files; `file_name` is the folder's."""


def check_format(name: str) -> None:
    """Raise UsageError for a format that does not exist, or whose extra is not installed."""
    if name not in FORMATS:
        raise UsageError(f"unknown format '{name}'", f"formats: {', '.join(FORMATS)}")
    needs = FORMATS[name].needs
    if needs and find_spec(needs) is None:
        raise UsageError(f"the format '{name}' needs {needs}", f"pip install 'netaudit-fleet[{name}]'")


def render(
    report: AuditReport,
    format: str,  # noqa: A002 - the word of the command line
    earlier: "Sequence[PastRun]" = (),
    brand: "Brand | None" = None,
) -> bytes:
    """Return `report` in one of FORMATS. Equal reports give equal bytes. Raises UsageError, as `check_format`.

    `earlier` runs are for the formats that show a trend, `brand` is for those that say whose report it is.
    """
    check_format(format)
    told = FORMATS[format]
    extras: dict[str, Any] = {"earlier": earlier} if told.shows_trend else {}
    if brand and told.shows_brand:
        extras["brand"] = brand
    rendered: bytes = import_module(told.module).render(report, **extras)
    return rendered


def render_parts(
    report: AuditReport,
    format: str,  # noqa: A002 - as above
    earlier: "Sequence[PastRun]" = (),
    brand: "Brand | None" = None,
) -> Iterator[bytes]:
    """Yield what `render` returns, in pieces where the format can."""
    if format == "json":
        from auditor.reporters import json

        yield from json.render_parts(report)
    else:
        yield render(report, format, earlier, brand)


def render_folder(
    report: AuditReport,
    format: str,  # noqa: A002 - as above
    brand: "Brand | None" = None,
) -> Iterator[tuple[str, bytes]]:
    """Yield each file of a format of FOLDERS as its relative path and its bytes, the one to open last."""
    module = import_module(FOLDERS[format].module)
    files: Iterator[tuple[str, bytes]] = module.render_folder(report, brand) if brand else module.render_folder(report)
    return files
