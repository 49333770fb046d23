"""AuditReport in, the Markdown of a GitHub step summary out.

GitHub drops a summary of more than 1,024 kB altogether, so this stays well below, and says what is left out.
"""

from auditor.model.report import AuditReport
from auditor.reporters.markdown import render_within

ROWS = 200
MOST_BYTES = 900_000


def render(report: AuditReport) -> bytes:
    """Return the worst of the report, for `>> $GITHUB_STEP_SUMMARY`. Equal reports give equal bytes."""
    return render_within(report, ROWS, MOST_BYTES)
