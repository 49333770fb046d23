"""The waivers that cover findings, for the HTML reports: each with its owner, its end and what it covers."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from auditor.model.finding import Waived
from auditor.model.policy import Severity, severity_rank
from auditor.reporters.html_fleet import Fleet

SOON = timedelta(days=30)


class Covered(NamedTuple):
    """A finding that a waiver covers: where, by which rule, what it is about, and how bad it would be."""

    host: str
    rule: str
    subject: str
    severity: Severity


class WaiverRow(NamedTuple):
    """One waiver in use. `soon`: it ends within 30 days of the run; `worst` is what would be if there were no waiver.

    `query` finds its findings in the page; `subjects` are what they are about.
    """

    waived: Waived
    soon: bool
    worst: Severity
    findings: int
    hosts: tuple[str, ...]
    rules: tuple[str, ...]
    subjects: tuple[str, ...]
    query: str


def build_waivers(fleet: Fleet) -> tuple[WaiverRow, ...]:
    """Return the waivers that cover something, the one to end first first."""
    matters = fleet.matters
    waived = {at: matter for at, matter in enumerate(matters.kinds) if matter.waived}
    covered: dict[Waived, list[Covered]] = {}
    for host, kinds, subjects in zip(fleet.roll.name, matters.hosts, matters.subjects, strict=True):
        if waived.keys().isdisjoint(kinds):
            continue
        for kind, subject in zip(kinds, subjects, strict=True):
            if (matter := waived.get(kind)) is not None and matter.waived is not None:
                covered.setdefault(matter.waived, []).append(Covered(host, matter.rule, subject, matter.severity))
    rows = [_row(waived, found, fleet.report.run.started_at) for waived, found in covered.items()]
    return tuple(sorted(rows, key=lambda row: (row.waived.expires, row.waived.waiver, row.waived.reason)))


def suggest_expiry(started: datetime) -> str:
    """Return the end to write into a new waiver: 90 days after the run."""
    return (started + timedelta(days=90)).date().isoformat()


def _row(waived: Waived, found: Sequence[Covered], started: datetime) -> WaiverRow:
    return WaiverRow(
        waived,
        _ends_soon(waived, started),
        max((one.severity for one in found), key=severity_rank),
        len(found),
        tuple(sorted({one.host for one in found})),
        tuple(sorted({one.rule for one in found})),
        tuple(sorted({one.subject for one in found})),
        f'waiver:"{waived.waiver}"' if " " in waived.waiver else f"waiver:{waived.waiver}",
    )


def _ends_soon(waived: Waived, started: datetime) -> bool:
    try:
        end = date.fromisoformat(waived.expires)
    except ValueError:
        return False
    return end - started.date() <= SOON
