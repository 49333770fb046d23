"""AuditReport in, everything the HTML templates show out: decided and counted here, so that templates only place it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport, HostStatus
from auditor.reporters.html_beside import Beside, build_beside
from auditor.reporters.html_census import Census
from auditor.reporters.html_changes import Changes, build_changes
from auditor.reporters.html_findings import Findings, build_findings
from auditor.reporters.html_fleet import Fleet
from auditor.reporters.html_hosts import HostRow, list_hosts, spell_time
from auditor.reporters.html_ports import UNGROUPED, Ports, build_ports
from auditor.reporters.html_roll import Roll
from auditor.reporters.html_rules import RuleRow, build_rules
from auditor.reporters.html_statuses import STATUSES
from auditor.reporters.html_trend import Trend, build_trend
from auditor.reporters.html_unaudited import Unaudited, build_unaudited
from auditor.reporters.html_waivers import WaiverRow, build_waivers
from auditor.reporters.past_runs import PastRun

_GROUPS = 200


class Card(NamedTuple):
    """One number. `value` None: not measured, which is not the same as 0."""

    label: str
    value: int | None
    kind: str
    tab: str
    query: str = ""
    each: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    """One part of the page. `count` None: not known; `shows_count` False: there is nothing to count."""

    id: str
    label: str
    count: int | None = None
    shows_count: bool = True
    alarm: bool = False
    waived: int = 0


class Segment(NamedTuple):
    """A piece of a bar, in percent of its width."""

    status: HostStatus
    start: str
    width: str


class GroupBar(NamedTuple):
    """One group's hosts by status, as numbers (in the order of STATUSES) and as a bar."""

    number: int
    name: str
    total: int
    counts: tuple[tuple[HostStatus, int], ...]
    segments: tuple[Segment, ...]


class Page(NamedTuple):
    """The whole page. `links` leads from a host's name to where it is shown; empty: the hosts have no pages."""

    report: AuditReport
    started: str
    finished: str
    audited: int
    measured: bool
    tabs: tuple[Tab, ...]
    finding_cards: tuple[Card, ...]
    host_cards: tuple[Card, ...]
    listener_cards: tuple[Card, ...]
    change_cards: tuple[Card, ...]
    findings: Findings
    unaudited: Unaudited
    groups: tuple[GroupBar, ...]
    groups_hidden: int
    hosts: tuple[HostRow, ...]
    hosts_hidden: int
    ports: Ports
    beside: Beside
    rules: tuple[RuleRow, ...]
    waivers: tuple[WaiverRow, ...]
    changes: Changes | None
    pages: dict[str, str]
    links: dict[str, str]
    notes: tuple[str, ...] = ()
    trend: Trend | None = None
    statuses: tuple[HostStatus, ...] = STATUSES

    @property
    def first_tab(self) -> str:
        """The tab to begin with: where the bad news is."""
        return "unaudited" if self.unaudited.hosts and not self.findings.total else "findings"


TABS = ("findings", "hosts", "ports", "rules", "waivers", "unaudited", "changes", "run")
FINDINGS = 200
"""Findings that stand in the page as markup, for readers without JavaScript."""
HOSTS = 2_000
WORST_HOSTS = 500
"""Hosts that do: all of a fleet of up to 2,000, the worst of a larger one."""


def build_page(
    fleet: Fleet,
    *,
    pages: dict[str, str] | None = None,
    links: dict[str, str] | None = None,
    notes: tuple[str, ...] = (),
    earlier: Sequence[PastRun] = (),
) -> Page:
    """Return what the page says about a fleet. `pages` leads from a tab to where it stands, if elsewhere."""
    report = fleet.report
    changes = build_changes(report.changes) if report.changes else None
    findings = build_findings(fleet, FINDINGS)
    unaudited = build_unaudited(report, fleet.full)
    measured = any(fleet.roll.facts)
    groups = tuple(_bars(fleet.roll))
    total = len(report.hosts)
    hosts = list_hosts(fleet, total if total <= HOSTS else WORST_HOSTS)
    waivers = build_waivers(fleet)
    beside = build_beside(fleet)
    return Page(
        report=report,
        started=spell_time(report.run.started_at),
        finished=spell_time(report.run.finished_at),
        audited=sum(fleet.full),
        measured=measured,
        tabs=tuple(_tabs(report, findings, unaudited, len(waivers), changes)),
        finding_cards=tuple(_finding_cards(report, waivers, measured=measured)),
        host_cards=tuple(_host_cards(report)),
        listener_cards=tuple(_listener_cards(report, fleet.census, beside)),
        change_cards=tuple(_change_cards(changes)),
        findings=findings,
        unaudited=unaudited,
        groups=groups[:_GROUPS],
        groups_hidden=max(0, len(groups) - _GROUPS),
        hosts=hosts,
        hosts_hidden=total - len(hosts),
        ports=build_ports(fleet),
        beside=beside,
        rules=build_rules(fleet.matters, measured=measured),
        waivers=waivers,
        changes=changes,
        pages={tab: f"#{tab}" for tab in TABS} | (pages or {}),
        links=links or {},
        notes=notes,
        trend=build_trend([report, *(run.head for run in earlier if run.head)]),
    )


def _tabs(
    report: AuditReport, findings: Findings, unaudited: Unaudited, waivers: int, changes: Changes | None
) -> Iterable[Tab]:
    measured = any(host.facts is not None for host in report.hosts)
    waived = report.summary.findings.waived
    open_ = findings.total - waived if measured else None
    yield Tab("findings", "Findings", open_, alarm=bool(report.exit.code == 1), waived=waived)
    yield Tab("hosts", "Hosts", report.summary.hosts.total)
    yield Tab("ports", "Ports", shows_count=False)
    yield Tab("rules", "Rules", shows_count=False)
    yield Tab("waivers", "Waivers", waivers if measured else None)
    yield Tab("unaudited", "Not audited", unaudited.hosts, alarm=bool(unaudited.hosts))
    yield Tab("changes", "Changes", changes.count if changes else None)
    yield Tab("run", "Run", shows_count=False)


def _finding_cards(report: AuditReport, waivers: tuple[WaiverRow, ...], *, measured: bool) -> Iterable[Card]:
    for level in (*SEVERITIES, "waived"):
        count: int = getattr(report.summary.findings, level)
        yield Card(level, count if measured else None, level, "findings", f"severity:{level}")
    ending = sum(row.soon for row in waivers)
    yield Card(
        f"{'waiver' if ending == 1 else 'waivers'} ending in 30 days", ending if measured else None, "plain", "waivers"
    )


def _host_cards(report: AuditReport) -> Iterable[Card]:
    for status in STATUSES:
        tab = "unaudited" if status in ("incomplete", "unreachable") else "hosts"
        yield Card(status, getattr(report.summary.hosts, status), status, tab, f"status:{status}")


def _listener_cards(report: AuditReport, census: Census, beside: Beside) -> Iterable[Card]:
    measured = any(host.facts is not None for host in report.hosts)
    wide = census.count_by("scope", "kind")["wildcard", "listener"]
    yield Card("listeners", report.summary.listeners if measured else None, "plain", "ports")
    yield Card("bound to every address", wide if measured else None, "plain", "ports", "scope:wildcard kind:listener")
    read = f", {beside.known} of {beside.answered} hosts" if 0 < beside.known < beside.answered else ""
    yield Card(f"lead elsewhere (NAT{read})", beside.exposures, "plain", "ports", each="elsewhere")


def _change_cards(changes: Changes | None) -> Iterable[Card]:
    if changes:
        yield Card("new", changes.new, "plain", "findings", "change:new -severity:waived")
        if changes.new_waived:
            yield Card("new, and waived", changes.new_waived, "plain", "findings", "change:new severity:waived")
        yield Card("resolved", changes.resolved, "plain", "changes")
        yield Card("findings that can no longer be told", changes.unobservable, "plain", "changes")


def _bars(roll: Roll) -> Iterable[GroupBar]:
    """Yield each group's bar, the one with most violating hosts first; a host stands in each of its groups."""
    counts: dict[str, dict[HostStatus, int]] = {}
    for groups, status in zip(roll.groups, roll.status, strict=True):
        for group in groups or (UNGROUPED,):
            tally = counts.setdefault(group, dict.fromkeys(STATUSES, 0))
            tally[status] += 1
    ranked = sorted(counts.items(), key=lambda group: (-group[1]["violating"], -group[1]["unreachable"], group[0]))
    for number, (name, tally) in enumerate(ranked, start=1):
        yield GroupBar(number, name, sum(tally.values()), tuple(tally.items()), tuple(_segments(tally)))


def _segments(tally: dict[HostStatus, int]) -> Iterable[Segment]:
    total, before = sum(tally.values()), 0
    for status, count in tally.items():
        if count:
            yield Segment(status, f"{100 * before / total:.3f}%", f"{100 * count / total:.3f}%")
            before += count
