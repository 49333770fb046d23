"""AuditReport in, CSV out (RFC 4180): a row for each finding, one line each, and nothing a spreadsheet would run.

Hosts that could not be audited have rows too, by the rules `unreachable`, `evidence-gap` and `no-policy`. The columns
and their order are stable; new ones are added at the end.
"""

import csv
from io import StringIO

from auditor.display import escape
from auditor.model.report import AuditReport
from auditor.reporters.fold import Sighting, list_sightings, rank_sightings

COLUMNS = (
    "severity",
    "rule",
    "host",
    "address",
    "groups",
    "host_status",
    "subject",
    "message",
    "remediation",
    "controls",
    "file",
    "line",
    "waived_until",
    "waived_by",
    "waiver",
    "waiver_reason",
    "finding_id",
    "waiver_ticket",
)
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""How a formula begins, in Excel also with full-width signs (CWE-1236, OWASP "CSV Injection")."""


def render(report: AuditReport) -> bytes:
    """Return the findings as UTF-8 CSV with CRLF line ends. Equal reports give equal bytes."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    found = rank_sightings([*list_sightings(report, incomplete=False), *list_sightings(report, incomplete=True)])
    writer.writerows([defuse(cell) for cell in _list_cells(each)] for each in found)
    return text.getvalue().encode()


def _list_cells(sighting: Sighting) -> tuple[str, ...]:
    host, finding = sighting
    origin, waived = finding.origin, finding.waived
    return (
        finding.severity,
        finding.rule,
        host.name,
        host.address,
        " ".join(host.groups),
        host.status,
        finding.subject,
        finding.message,
        " | ".join(line.strip() for line in finding.remediation.split("\n") if line.strip()),
        " ".join(finding.controls),
        origin.file if origin else "",
        str(origin.line) if origin else "",
        waived.expires if waived else "",
        waived.owner if waived else "",
        waived.waiver if waived else "",
        waived.reason if waived else "",
        finding.id,
        waived.ticket if waived else "",
    )


def defuse(cell: str) -> str:
    """Return a cell that is text to every spreadsheet: an apostrophe goes before what looks like a formula."""
    shown = escape(cell)
    return f"'{shown}" if shown.lstrip().startswith(_FORMULA) else shown
