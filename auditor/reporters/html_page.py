"""AuditReport in, everything the HTML templates show out: decided and counted here, so that templates only place it."""

from collections.abc import Iterable
from dataclasses import dataclass

from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport, HostReport, HostStatus
from auditor.reporters.html_findings import Findings, build_findings
from auditor.reporters.html_hosts import STATUSES, Hosts, build_hosts, spell_time
from auditor.reporters.html_unaudited import Unaudited, build_unaudited

_UNGROUPED = "(no group)"
_GROUPS = 200


@dataclass(frozen=True, slots=True)
class Card:
    """One number. `value` None: not measured, which is not the same as 0."""

    label: str
    value: int | None
    kind: str
    filter: str | None = None


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a bar, in percent of its width."""

    status: HostStatus
    start: str
    width: str


@dataclass(frozen=True, slots=True)
class GroupBar:
    """One group's hosts by status, as numbers (in the order of STATUSES) and as a bar."""

    number: int
    name: str
    total: int
    counts: tuple[tuple[HostStatus, int], ...]
    segments: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole page."""

    report: AuditReport
    started: str
    finished: str
    audited: int
    measured: bool
    finding_cards: tuple[Card, ...]
    host_cards: tuple[Card, ...]
    listener_cards: tuple[Card, ...]
    findings: Findings
    unaudited: Unaudited
    groups: tuple[GroupBar, ...]
    groups_hidden: int
    hosts: Hosts
    statuses: tuple[HostStatus, ...] = STATUSES


def build_page(report: AuditReport) -> Page:
    """Return what the page says about `report`."""
    findings = build_findings(report)
    unaudited = build_unaudited(report)
    measured = any(host.facts is not None for host in report.hosts)
    groups = tuple(_bars(report.hosts))
    return Page(
        report=report,
        started=spell_time(report.run.started_at),
        finished=spell_time(report.run.finished_at),
        audited=sum(host.fully_audited for host in report.hosts),
        measured=measured,
        finding_cards=tuple(_finding_cards(report, measured=measured)),
        host_cards=tuple(
            Card(status, getattr(report.summary.hosts, status), status, f"status:{status}") for status in STATUSES
        ),
        listener_cards=tuple(_listener_cards(report, measured=measured)),
        findings=findings,
        unaudited=unaudited,
        groups=groups[:_GROUPS],
        groups_hidden=max(0, len(groups) - _GROUPS),
        hosts=build_hosts(report, frozenset(row.id for row in findings.rows)),
    )


def _finding_cards(report: AuditReport, *, measured: bool) -> Iterable[Card]:
    for level in (*SEVERITIES, "waived"):
        count: int = getattr(report.summary.findings, level)
        yield Card(level, count if measured else None, level, f"level:{level}")


def _listener_cards(report: AuditReport, *, measured: bool) -> Iterable[Card]:
    wide = sum(one.scope == "wildcard" and one.kind == "listener" for host in report.hosts for one in host.listeners)
    yield Card("listeners", report.summary.listeners if measured else None, "plain")
    yield Card("bound to every address", wide if measured else None, "plain")


def _bars(hosts: Iterable[HostReport]) -> Iterable[GroupBar]:
    """Yield each group's bar, by name; a host stands in each of its groups."""
    counts: dict[str, dict[HostStatus, int]] = {}
    for host in hosts:
        for group in host.groups or (_UNGROUPED,):
            tally = counts.setdefault(group, dict.fromkeys(STATUSES, 0))
            tally[host.status] += 1
    for number, (name, tally) in enumerate(sorted(counts.items()), start=1):
        yield GroupBar(number, name, sum(tally.values()), tuple(tally.items()), tuple(_segments(tally)))


def _segments(tally: dict[HostStatus, int]) -> Iterable[Segment]:
    total, before = sum(tally.values()), 0
    for status, count in tally.items():
        if count:
            yield Segment(status, f"{100 * before / total:.3f}%", f"{100 * count / total:.3f}%")
            before += count
