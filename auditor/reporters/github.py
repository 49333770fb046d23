"""AuditReport in, GitHub workflow commands out: the worst findings as annotations at the lines that decided them.

GitHub shows 10 errors, 10 warnings and 10 notices of a step and drops the rest in silence; so the worst come first and
the last notice says how many there are in all.
"""

from collections.abc import Iterator, Sequence

from auditor.display import escape
from auditor.model.policy import Severity
from auditor.model.report import AuditReport
from auditor.reporters.fold import Sighting, list_sightings, rank_sightings
from auditor.reporters.place import locate

MOST = 10
"""Annotations GitHub keeps of one kind in one step."""
_LONGEST = 1_000
_KINDS: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "warning",
    "info": "notice",
}


def render(report: AuditReport) -> bytes:
    """Return one command a line. Equal reports give equal bytes."""
    found = [each for each in list_sightings(report, incomplete=False) if each.finding.waived is None]
    shown = [*rank_sightings(found), *list_sightings(report, incomplete=True)]
    by_kind: dict[str, list[Sighting]] = {"error": [], "warning": [], "notice": []}
    for each in shown:
        by_kind[_KINDS[each.finding.severity]].append(each)
    kept = [(kind, each) for kind, group in by_kind.items() for each in group[: MOST - (kind == "notice")]]
    lines = [*_annotate(kept, report), _say_total(report, len(shown) - len(kept))]
    return "".join(f"{line}\n" for line in lines).encode()


def _annotate(kept: Sequence[tuple[str, Sighting]], report: AuditReport) -> Iterator[str]:
    for kind, (host, finding) in kept:
        place = locate(finding.origin, report)
        title = f"{finding.rule} on {host.name}"
        properties = {"file": place.path, "line": str(place.line), "col": str(place.column), "title": title}
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        lines = [f"{finding.subject}: {finding.message}", *finding.remediation.split("\n")]
        message = "\n".join(escape(line, _LONGEST) for line in lines if line)
        yield f"::{kind} {listed}::{_data(message)}"


def _say_total(report: AuditReport, hidden: int) -> str:
    verdict = f"{report.verdict.upper()}, {report.fully_audited} of {report.summary.hosts.total} hosts fully audited"
    more = f"; {hidden} more findings are in the report" if hidden else ""
    text = escape(f"{verdict}; {'; '.join(report.exit.reasons)}{more}", _LONGEST)
    return f"::notice title=netaudit::{_data(text)}"


def _data(text: str) -> str:
    """Return the message of a command; the runner undoes these three."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return the value of a property, where `:` and `,` have a meaning too."""
    return _data(escape(text, _LONGEST)).replace(":", "%3A").replace(",", "%2C")
