"""The runs of a folder in, the index page of their history out: newest first, with a trend, and no database."""

from collections.abc import Sequence

from auditor.model.policy import SEVERITIES
from auditor.reporters.html_template import environment, hash_content
from auditor.reporters.html_trend import build_trend
from auditor.reporters.past_runs import PastRun

MOST_RUNS = 1_000
_STYLES = ("style/base.css", "style/trend.css", "style/history.css")


def render_history(runs: Sequence[PastRun]) -> bytes:
    """Return the page as UTF-8 HTML. Equal histories give equal bytes, whatever the order of `runs`."""
    ordered = sorted(runs, key=_moment, reverse=True)
    csp = f"default-src 'none'; style-src '{hash_content(_STYLES)}'; base-uri 'none'; form-action 'none'"
    page = (
        environment()
        .get_template("history.html")
        .render(
            runs=ordered[:MOST_RUNS],
            hidden=max(0, len(ordered) - MOST_RUNS),
            trend=build_trend([run.head for run in ordered if run.head]),
            severities=SEVERITIES,
            csp=csp,
        )
    )
    return page.encode()


def _moment(run: PastRun) -> tuple[str, str]:
    return (run.head.run.started_at.isoformat() if run.head else "", run.folder)
