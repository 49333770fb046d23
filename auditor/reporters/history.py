"""The runs of a folder in, the index page of their history out: newest first, with a trend, and no database.

A report.json begins with everything about the run but its hosts, one field a line; so a history of large reports is
read in the first lines of each.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import ValidationError

from auditor.model.policy import SEVERITIES
from auditor.model.report import Exit, Run, Summary, Verdict
from auditor.model.value import Value
from auditor.reporters.html_hosts import spell_time
from auditor.reporters.html_template import environment, hash_content

MOST_RUNS = 1_000
_BARS = 60
_STYLES = ("style/base.css", "style/history.css")
_WIDTH, _HEIGHT = 12, 80
"""Of one bar of the trend, and of all of it, in pixels."""


class Head(Value):
    """What a report says before its hosts."""

    run: Run
    verdict: Verdict
    exit: Exit
    summary: Summary


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run's folder, the file to open there, and the head of its report; None: it cannot be read."""

    folder: str
    file: str
    head: Head | None

    @property
    def link(self) -> str:
        """A relative link to the run's page."""
        return f"{quote(self.folder.encode(errors='surrogateescape'), safe='')}/{self.file}"

    @property
    def found(self) -> int:
        """How many findings the run counted, the waived not among them."""
        return sum(getattr(self.head.summary.findings, level) for level in SEVERITIES) if self.head else 0

    @property
    def started(self) -> str | None:
        return spell_time(self.head.run.started_at) if self.head else None


@dataclass(frozen=True, slots=True)
class Bar:
    """One run in the trend: where its bar stands and how high it is, its verdict, and what to say of it."""

    x: int
    y: float
    height: float
    verdict: Verdict
    title: str


def read_head(lines: Iterable[str]) -> Head | None:
    """Return the head of a report from the first lines of a report.json; None for anything else."""
    kept: list[str] = []
    for line in lines:
        if line.startswith('  "hosts":'):
            break
        kept.append(line)
    try:
        document = json.loads("".join(kept).rstrip().rstrip(",") + "}")
        return Head.model_validate({name: document.get(name) for name in Head.model_fields})
    except (ValueError, RecursionError, AttributeError, ValidationError):
        return None


def render_history(runs: Sequence[PastRun]) -> bytes:
    """Return the page as UTF-8 HTML. Equal histories give equal bytes, whatever the order of `runs`."""
    ordered = sorted(runs, key=_moment, reverse=True)
    bars = _draw([run for run in ordered if run.head][:_BARS][::-1])
    csp = f"default-src 'none'; style-src '{hash_content(_STYLES)}'; base-uri 'none'; form-action 'none'"
    page = (
        environment()
        .get_template("history.html")
        .render(
            runs=ordered[:MOST_RUNS],
            hidden=max(0, len(ordered) - MOST_RUNS),
            bars=bars,
            width=_WIDTH * len(bars),
            height=_HEIGHT,
            severities=SEVERITIES,
            csp=csp,
        )
    )
    return page.encode()


def _moment(run: PastRun) -> tuple[str, str]:
    return (run.head.run.started_at.isoformat() if run.head else "", run.folder)


def _draw(runs: Sequence[PastRun]) -> list[Bar]:
    """Return the trend of findings, oldest first; a run without any still shows as a line."""
    highest = max((run.found for run in runs), default=0) or 1
    bars: list[Bar] = []
    for number, run in enumerate(runs):
        if run.head:
            height = round(max(2.0, run.found / highest * _HEIGHT), 1)
            title = f"{run.started}: {run.head.verdict}, {run.found} findings"
            bars.append(Bar(number * _WIDTH, round(_HEIGHT - height, 1), height, run.head.verdict, title))
    return bars
