"""AuditReport in, the same with what its hosts' listeners and findings are out: counted once for a whole page."""

from collections.abc import Sequence
from typing import NamedTuple

from auditor.model.report import AuditReport
from auditor.reporters.html_census import Census, take_census
from auditor.reporters.html_matters import Matters, take_matters
from auditor.reporters.html_roll import Roll, call_roll
from auditor.reporters.html_statuses import rank_hosts


class Fleet(NamedTuple):
    """A report, and its hosts as columns: `ranked` numbers them, worst first, `full` says which were fully audited.

    `census` is of their listeners, `matters` of their findings.
    """

    report: AuditReport
    roll: Roll
    ranked: Sequence[int]
    full: Sequence[bool]
    census: Census
    matters: Matters


def count_fleet(report: AuditReport) -> Fleet:
    """Return the report with what is counted of it."""
    roll = call_roll(report.hosts)
    return Fleet(
        report=report,
        roll=roll,
        ranked=rank_hosts(roll.status, roll.name),
        full=[host.fully_audited for host in report.hosts],
        census=take_census(roll.listeners),
        matters=take_matters(roll.findings),
    )
