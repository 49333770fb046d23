"""AuditReport in, GitHub workflow commands out: the worst findings as annotations at the lines that decided them.

GitHub shows 10 errors, 10 warnings and 10 notices of a step and drops the rest in silence; so the worst come first and
the last notice says how many there are in all.
"""

from collections.abc import Iterator, Sequence

from auditor.display import escape
from auditor.model.finding import INCOMPLETE_RULES
from auditor.model.policy import Severity
from auditor.model.report import AuditReport
from auditor.reporters.failures import shows_wrong_key
from auditor.reporters.fold import Sighting, list_sightings, rank_sightings
from auditor.reporters.place import locate
from auditor.reporters.text_layout import count

MOST = 10
"""Annotations GitHub keeps of one kind in one step."""
MOST_KEYS = 3
"""Hosts with a wrong key that come before all findings."""
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
    lost = sorted(list_sightings(report, incomplete=True), key=_may_be_another, reverse=True)
    first = sum(map(_may_be_another, lost[:MOST_KEYS]))
    shown = [*lost[:first], *rank_sightings(found), *lost[first:]]
    by_kind: dict[str, list[Sighting]] = {"error": [], "warning": [], "notice": []}
    for each in shown:
        by_kind[_KINDS[each.finding.severity]].append(each)
    kept = [(kind, each) for kind, group in by_kind.items() for each in group[: MOST - (kind == "notice")]]
    unread = sum(each.finding.rule in INCOMPLETE_RULES for each in shown) - sum(
        each.finding.rule in INCOMPLETE_RULES for _, each in kept
    )
    lines = [*_annotate(kept, report), _say_total(report, len(shown) - len(kept) - unread, unread)]
    return "".join(f"{line}\n" for line in lines).encode()


def _may_be_another(sighting: Sighting) -> bool:
    """Return whether somebody else may have answered for the host: that is never to be left out."""
    error = sighting.host.error
    return error is not None and shows_wrong_key(error)


def _annotate(kept: Sequence[tuple[str, Sighting]], report: AuditReport) -> Iterator[str]:
    for kind, (host, finding) in kept:
        place = locate(finding.origin, report)
        title = f"{finding.rule} on {host.name}"
        properties = {"file": place.path, "line": str(place.line), "col": str(place.column), "title": title}
        listed = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
        lines = [f"{finding.subject}: {finding.message}", *finding.remediation.split("\n")]
        message = "\n".join(escape(line, _LONGEST) for line in lines if line)
        yield f"::{kind} {listed}::{_data(message)}"


def _say_total(report: AuditReport, hidden: int, unread: int) -> str:
    hosts = count(report.summary.hosts.total, "host")
    verdict = f"{report.verdict.upper()}, {report.fully_audited} of {hosts} fully audited"
    counts = [count(hidden, "more finding")] if hidden else []
    counts += [f"{count(unread, 'more note')} on what could not be read"] if unread else []
    more = f"; in the report: {' and '.join(counts)}" if counts else ""
    text = escape(f"{verdict}; {'; '.join(report.exit.reasons)}{more}", _LONGEST)
    return f"::notice title=netaudit::{_data(text)}"


def _data(text: str) -> str:
    """Return the message of a command; the runner undoes these three."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """Return the value of a property, where `:` and `,` have a meaning too."""
    return _data(escape(text, _LONGEST)).replace(":", "%3A").replace(",", "%2C")
