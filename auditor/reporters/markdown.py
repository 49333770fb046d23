"""AuditReport in, GitHub Flavored Markdown out: the verdict, the counts, and tables, worst first.

Tables are cut at a number of rows, and the whole at a number of bytes, never in silence: what is left out is counted.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport, HostReport, Verdict
from auditor.reporters.failures import group_failures
from auditor.reporters.fold import Sighting, list_sightings, rank_sightings
from auditor.reporters.markdown_text import write_code, write_prose
from auditor.reporters.text_layout import count

ROWS = 1_000
_NAMES = 8
"""Hosts named in one row; the others are counted."""
MOST_BYTES = 10_000_000
_VERDICTS: dict[Verdict, str] = {"pass": "✅ PASS", "fail": "❌ FAIL", "incomplete": "⚠️ INCOMPLETE"}
_MORE = 120
"""Bytes kept for the line that says how many rows are left out."""


class _Table(NamedTuple):
    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


def render(report: AuditReport) -> bytes:
    """Return the report as UTF-8 Markdown. Equal reports give equal bytes."""
    return render_within(report, ROWS, MOST_BYTES)


def render_within(report: AuditReport, rows: int, most_bytes: int) -> bytes:
    """Return the report with at most `rows` rows a table and `most_bytes` bytes in all."""
    document = "\n".join(_head(report)) + "\n"
    left = most_bytes - len(document.encode())
    for table in (_list_findings(report), _list_unaudited(report), _list_waived(report), _list_notes(report)):
        if table.rows:
            text = _write_table(table, rows, left)
            left -= len(text.encode())
            document += text
    return document.encode()


def _head(report: AuditReport) -> Iterator[str]:
    hosts, findings = report.summary.hosts, report.summary.findings
    nothing = report.verdict == "pass" and not report.hosts
    yield f"# netaudit: {'PASS, and nothing was audited' if nothing else _VERDICTS[report.verdict]}"
    yield ""
    yield f"**{report.fully_audited} of {count(report.asked, 'host')} fully audited**; run {write_code(report.run.id)}."
    yield ""
    yield from (f"- because {write_prose(reason)}" for reason in report.exit.reasons)
    yield ""
    yield "| hosts | compliant | violating | incomplete | unreachable |"
    yield "|---|---|---|---|---|"
    yield f"| {hosts.total} | {hosts.compliant} | {hosts.violating} | {hosts.incomplete} | {hosts.unreachable} |"
    yield ""
    yield f"| findings | {' | '.join(SEVERITIES)} | waived |"
    yield "|---|---|---|---|---|---|---|"
    counts = [getattr(findings, level) for level in SEVERITIES]
    cells = [sum(counts), *counts, findings.waived]
    yield f"| {' | '.join(str(cell) if report.summary.measured else '—' for cell in cells)} |"


def _list_findings(report: AuditReport) -> _Table:
    found = (each for each in list_sightings(report, incomplete=False) if each.finding.waived is None)
    rows = [
        (host_and.finding.severity, write_code(host_and.host.name), *_say(host_and))
        for host_and in rank_sightings(found)
    ]
    return _Table("Findings", ("severity", "host", "rule", "what", "why", "decided by"), rows)


def _say(sighting: Sighting) -> tuple[str, ...]:
    finding = sighting.finding
    origin = write_code(str(finding.origin)) if finding.origin else "—"
    return f"`{finding.rule}`", write_code(finding.subject), write_prose(finding.message), origin


def _list_unaudited(report: AuditReport) -> _Table:
    """Return why hosts were not fully audited: each reason why hosts gave nothing once, then what was not read."""
    lost = [
        (_list_hosts(group.hosts), write_code(group.code), write_prose(group.message), write_prose(group.hint))
        for group in group_failures(report)
    ]
    partial = [
        (write_code(host.name), f"`{finding.rule}`", write_prose(finding.message), write_prose(finding.remediation))
        for host, finding in list_sightings(report, incomplete=True)
        if host.error is None
    ]
    return _Table("Not fully audited", ("host", "what", "why", "next step"), [*lost, *partial])


def _list_hosts(hosts: Sequence[HostReport]) -> str:
    named = ", ".join(write_code(host.name) for host in hosts[:_NAMES])
    return named if len(hosts) <= _NAMES else f"{named} and {len(hosts) - _NAMES} more"


def _list_waived(report: AuditReport) -> _Table:
    rows = [
        (
            write_code(waived.expires),
            write_code(waived.owner),
            write_code(host.name),
            finding.severity,
            write_code(finding.subject),
            write_prose(waived.why),
        )
        for host, finding in list_sightings(report, incomplete=False)
        if (waived := finding.waived) is not None
    ]
    return _Table("Waived", ("until", "by", "host", "severity", "what", "reason"), rows)


def _list_notes(report: AuditReport) -> _Table:
    rows = [(write_code(note.kind), write_prose(note.message), write_code(str(note.origin))) for note in report.hygiene]
    return _Table("Policy hygiene", ("kind", "what", "where"), rows)


def _write_table(table: _Table, rows: int, most_bytes: int) -> str:
    """Return a table of as many rows as fit, and a line that counts the others."""
    head = f"\n## {table.title} ({len(table.rows)})\n\n{_row(table.columns)}{_row(['---'] * len(table.columns))}"
    left = most_bytes - len(head.encode()) - _MORE
    if left < 0:
        return ""
    kept: list[str] = []
    for row in _write_rows(table.rows[:rows]):
        left -= len(row.encode())
        if left < 0:
            break
        kept.append(row)
    hidden = len(table.rows) - len(kept)
    more = f"\n…and {hidden} more: the JSON and HTML reports have them all.\n" if hidden else ""
    return f"{head}{''.join(kept)}{more}"


def _write_rows(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for row in rows:
        yield _row(row)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |\n"
