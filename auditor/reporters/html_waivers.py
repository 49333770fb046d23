"""The waivers that cover findings, for the HTML reports: each with its owner, its end and what it covers."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import NamedTuple

from auditor.model.finding import Waived
from auditor.reporters.html_fleet import Fleet

SOON = timedelta(days=30)


class WaiverRow(NamedTuple):
    """One waiver in use. `soon`: it ends within 30 days of the run."""

    waived: Waived
    soon: bool
    findings: int
    hosts: tuple[str, ...]
    rules: tuple[str, ...]


def build_waivers(fleet: Fleet) -> tuple[WaiverRow, ...]:
    """Return the waivers that cover something, the one to end first first."""
    matters = fleet.matters
    waived = {at: (matter.waived, matter.rule) for at, matter in enumerate(matters.kinds) if matter.waived}
    covered: dict[Waived, list[tuple[str, str]]] = {}
    for host, kinds in zip(fleet.roll.name, matters.hosts, strict=True):
        for waiver, rule in map(waived.__getitem__, filter(waived.__contains__, kinds)):
            covered.setdefault(waiver, []).append((host, rule))
    rows = [_row(waived, pairs, fleet.report.run.started_at) for waived, pairs in covered.items()]
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
