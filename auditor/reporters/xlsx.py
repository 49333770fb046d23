"""AuditReport in, an Excel workbook out: a sheet for each question an auditor asks, every cell text or a number.

Needs the extra `netaudit-fleet[xlsx]`. The bytes depend on the report alone: the file's own date is the run's.
"""

from collections.abc import Iterable, Iterator, Sequence
from io import BytesIO
from typing import Any, NamedTuple

from auditor.display import escape
from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport
from auditor.reporters.fold import Sighting, list_sightings, rank_sightings

MOST_ROWS = 1_000_000
"""Excel has 1,048,576 rows on a sheet."""
_LONGEST = 32_000
"""Characters Excel holds in a cell: 32,767."""
_WIDEST = 60
Cell = str | int | None


class _Sheet(NamedTuple):
    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]


def render(report: AuditReport) -> bytes:
    """Return the workbook. Equal reports give equal bytes. Raises ImportError when the extra is not installed."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]  # it ships no types, nor does anybody else

    data = BytesIO()
    # Nothing is put into temporary files, and nothing that looks like a formula or an address becomes one.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    book = Workbook(data, {**options, "constant_memory": True})
    finished = report.run.finished_at.replace(tzinfo=None)
    book.set_properties({"title": f"netaudit {escape(report.run.id, 200)}", "created": finished})
    bold = book.add_format({"bold": True})
    for sheet in _list_sheets(report):
        _write_sheet(book, sheet, bold)
    book.close()
    return data.getvalue()


def _write_sheet(book: Any, sheet: _Sheet, bold: Any) -> None:
    page = book.add_worksheet(sheet.name)
    page.freeze_panes(1, 0)
    for number, name in enumerate(sheet.columns):
        page.set_column(number, number, min(_WIDEST, max(12, len(name) + 4)))
        page.write_string(0, number, name, bold)
    last = 0
    for last, row in enumerate(sheet.rows, 1):
        if last > MOST_ROWS:
            page.write_string(last, 0, "…and more: the JSON report has everything")
            break
        for number, cell in enumerate(row):
            if isinstance(cell, int):
                page.write_number(last, number, cell)
            elif cell:
                page.write_string(last, number, escape(cell, _LONGEST))
    page.autofilter(0, 0, last, len(sheet.columns) - 1)


def _list_sheets(report: AuditReport) -> Iterator[_Sheet]:
    yield _Sheet("Summary", ("what", "value"), _list_summary(report))
    found = rank_sightings(list_sightings(report, incomplete=False))
    columns = (
        "severity",
        "rule",
        "host",
        "subject",
        "message",
        "remediation",
        "controls",
        "decided by",
        "waived until",
    )
    yield _Sheet("Findings", (*columns, "finding"), map(_list_finding, found))
    yield _Sheet("Listeners", _LISTENER, _list_listeners(report))
    yield _Sheet("Hosts", _HOST, _list_hosts(report))
    yield _Sheet(
        "Waivers",
        ("waiver", "until", "by", "reason", "ticket", "host", "severity", "rule", "subject"),
        _list_waivers(found),
    )
    unaudited = list_sightings(report, incomplete=True)
    yield _Sheet("Not audited", ("host", "status", "rule", "why", "next step"), _list_unaudited(unaudited))


def _list_summary(report: AuditReport) -> Iterator[Sequence[Cell]]:
    run, hosts, findings = report.run, report.summary.hosts, report.summary.findings
    yield "verdict", report.verdict
    yield "exit code", report.exit.code
    yield from (("because", reason) for reason in report.exit.reasons)
    yield "run", run.id
    yield "started", run.started_at.isoformat()
    yield "finished", run.finished_at.isoformat()
    yield "inventory", f"{run.inventory.path} (sha256 {run.inventory.sha256})"
    yield from (("policy", f"{ref.name} {ref.path} (sha256 {ref.sha256})") for ref in run.policies)
    if run.inventory.hosts is not None:
        yield "hosts in the inventory", run.inventory.hosts
    yield "hosts", hosts.total
    yield "hosts fully audited", report.fully_audited
    for word in ("compliant", "violating", "incomplete", "unreachable"):
        yield f"hosts {word}", getattr(hosts, word)
    known = report.summary.measured
    for level in (*SEVERITIES, "waived"):
        yield f"findings {level}", getattr(findings, level) if known else None
    yield "listeners", report.summary.listeners if known else None


def _list_finding(sighting: Sighting) -> Sequence[Cell]:
    host, finding = sighting
    return (
        finding.severity,
        finding.rule,
        host.name,
        finding.subject,
        finding.message,
        " | ".join(line.strip() for line in finding.remediation.split("\n") if line.strip()),
        " ".join(finding.controls),
        str(finding.origin) if finding.origin else None,
        finding.waived.expires if finding.waived else None,
        finding.id,
    )


_LISTENER = (
    "host",
    "netns",
    "protocol",
    "address",
    "port",
    "service",
    "scope",
    "verdict",
    "user",
    "owner",
    "decided by",
)


def _list_listeners(report: AuditReport) -> Iterator[Sequence[Cell]]:
    for host in report.hosts:
        for one in host.listeners:
            decided = one.decided_by
            owners = ", ".join(owner.comm or owner.exe or str(owner.pid) for owner in one.owners) or one.owner_status
            where = (
                f"{decided.policy}: {decided.entry or 'default'} ({decided.file}:{decided.line})" if decided else None
            )
            named: Sequence[Cell] = (host.name, one.netns, one.proto, one.address, one.port, one.service, one.scope)
            yield (*named, one.verdict, one.user or (str(one.uid) if one.uid is not None else None), owners, where)


_HOST = ("host", "address", "groups", "status", "policies", "listeners", "findings", "system", "kernel", "read as")


def _list_hosts(report: AuditReport) -> Iterator[Sequence[Cell]]:
    for host in report.hosts:
        facts = host.facts
        read = ("root" if facts.privileged else "unprivileged") if facts else None
        named: Sequence[Cell] = (host.name, host.address, " ".join(host.groups), host.status, " ".join(host.policies))
        # An unreachable host has no number of listeners: an empty cell, not a zero.
        listeners = len(host.listeners) if facts else None
        system: Sequence[Cell] = (facts.os, facts.kernel) if facts else (None, None)
        yield (*named, listeners, len(host.findings), *system, read)


def _list_waivers(found: Iterable[Sighting]) -> Iterator[Sequence[Cell]]:
    for host, finding in found:
        waived = finding.waived
        if waived:
            about: Sequence[Cell] = (host.name, finding.severity, finding.rule, finding.subject)
            yield (waived.waiver, waived.expires, waived.owner, waived.reason, waived.ticket, *about)


def _list_unaudited(unaudited: Iterable[Sighting]) -> Iterator[Sequence[Cell]]:
    for host, finding in unaudited:
        yield host.name, host.status, finding.rule, finding.message, finding.remediation
