"""AuditReport in, a GitLab Code Quality report out: a JSON array, no byte order mark, one issue for each finding.

Code Quality has no word for a waiver or for a host that was not audited. Both stay in: waived findings as `info`, with
who waived them; what could not be audited with its own severity, so that a merge request never looks clean by silence.
What else the exit code is for (hosts that are missing, problems in the policies) is one issue more.
"""

from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from auditor.display import escape
from auditor.model.policy import Severity
from auditor.model.report import AuditReport
from auditor.reporters.fold import Sighting, list_sightings, rank_sightings
from auditor.reporters.inert import write_json
from auditor.reporters.place import locate

_LONGEST = 1_000
_RUN = sha256(b"netaudit run").hexdigest()[:32]
"""What the issue about the run itself is known by."""
_SEVERITIES: dict[Severity, str] = {
    "critical": "blocker",
    "high": "critical",
    "medium": "major",
    "low": "minor",
    "info": "info",
}


def render(report: AuditReport) -> bytes:
    """Return the report as one JSON array. Equal reports give equal bytes."""
    found = [*list_sightings(report, incomplete=False), *list_sightings(report, incomplete=True)]
    issues = {each.finding.id: _describe(each, report) for each in reversed(rank_sightings(found))}
    return write_json([*_describe_run(report), *reversed(issues.values())]) + b"\n"


def _describe_run(report: AuditReport) -> Iterator[dict[str, Any]]:
    if report.unsaid:
        place = locate(None, report)
        yield {
            "description": escape("; ".join(report.unsaid), _LONGEST),
            "check_name": "run",
            "fingerprint": _RUN,
            "severity": "critical",
            "location": {"path": place.path, "lines": {"begin": place.line}},
        }


def _describe(sighting: Sighting, report: AuditReport) -> dict[str, Any]:
    host, finding = sighting
    waived = finding.waived
    place = locate(finding.origin, report)
    note = f" (waived until {waived.expires} by {waived.owner}: {waived.why})" if waived else ""
    return {
        "description": escape(f"{host.name}: {finding.subject}: {finding.message}{note}", _LONGEST),
        "check_name": finding.rule,
        "fingerprint": finding.id,
        "severity": "info" if waived else _SEVERITIES[finding.severity],
        "location": {"path": place.path, "lines": {"begin": place.line}},
    }
