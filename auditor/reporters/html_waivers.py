"""The waivers that cover findings, for the HTML reports: each with its owner, its end and what it covers."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from auditor.model.finding import Waived
from auditor.model.report import AuditReport

SOON = timedelta(days=30)


class WaiverRow(NamedTuple):
    """One waiver in use. `soon`: it ends within 30 days of the run."""

    waived: Waived
    soon: bool
    findings: int
    hosts: tuple[str, ...]
    rules: tuple[str, ...]


def build_waivers(report: AuditReport) -> tuple[WaiverRow, ...]:
    """Return the waivers that cover something, the one to end first first."""
    covered: dict[Waived, list[tuple[str, str]]] = {}
    for host in report.hosts:
        for finding in host.findings:
            if finding.waived:
                covered.setdefault(finding.waived, []).append((host.name, finding.rule))
    rows = [_row(waived, pairs, report.run.started_at) for waived, pairs in covered.items()]
    return tuple(sorted(rows, key=lambda row: (row.waived.expires, row.waived.waiver, row.waived.reason)))


def suggest_expiry(started: datetime) -> str:
    """Return the end to write into a new waiver: 90 days after the run."""
    return (started + timedelta(days=90)).date().isoformat()


def _row(waived: Waived, pairs: Iterable[tuple[str, str]], started: datetime) -> WaiverRow:
    listed = list(pairs)
    hosts = tuple(sorted({host for host, _ in listed}))
    return WaiverRow(
        waived, _ends_soon(waived, started), len(listed), hosts, tuple(sorted({rule for _, rule in listed}))
    )


def _ends_soon(waived: Waived, started: datetime) -> bool:
    try:
        end = date.fromisoformat(waived.expires)
    except ValueError:
        return False
    return end - started.date() <= SOON
