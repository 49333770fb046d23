"""An impact in, Markdown for a comment on a pull request out. What hosts say is in code spans, where it is inert."""

import re
from collections.abc import Iterable, Sequence
from typing import get_args

from auditor.display import escape
from auditor.impact.compare import Change, Impact, Turn
from auditor.model.report import HostStatus

_MOST_ROWS = 50
_MOST_HOSTS = 5
_STATUSES: tuple[HostStatus, ...] = get_args(HostStatus)


def render_markdown(impact: Impact) -> str:
    """Return the impact; long lists end with how many more there are (GitHub takes 65,536 characters)."""
    rows = [
        f"## Policy impact: {_headline(impact)}",
        "",
        *(
            ["**Hosts may be missing**: a run was interrupted, or its evidence is cut off.", ""]
            if impact.partial
            else []
        ),
        "| hosts | before | after |",
        "|---|---|---|",
        *(
            f"| {status} | {impact.before.get(status, 0)} | {impact.after.get(status, 0)} |"
            for status in _STATUSES
            if impact.before.get(status) or impact.after.get(status)
        ),
        *_list_turns("Hosts that newly fail", impact.newly_failing),
        *_list_turns("Hosts that newly pass", impact.newly_passing),
        *_list_findings("Findings that newly fail", impact.fails),
        *_list_findings("Findings that newly pass", impact.passes),
    ]
    return "\n".join(rows) + "\n"


def _headline(impact: Impact) -> str:
    if not (impact.turns or impact.fails or impact.passes):
        return f"nothing changes on {_count(impact.hosts, 'host')}"
    failing, passing = len(impact.newly_failing), len(impact.newly_passing)
    fails = sum(len(change.hosts) for change in impact.fails)
    passes = sum(len(change.hosts) for change in impact.passes)
    hosts = f"{failing} of {_count(impact.hosts, 'host')} newly fail, {passing} newly pass"
    return f"{hosts}; {_count(fails, 'finding')} more, {passes} fewer"


def _list_turns(title: str, turns: Sequence[Turn]) -> Iterable[str]:
    if turns:
        yield from ("", f"### {title}", "", "| host | groups | before | after |", "|---|---|---|---|")
        for turn in turns[:_MOST_ROWS]:
            groups = ", ".join(map(_code, turn.groups)) or "–"
            yield f"| {_code(turn.host)} | {groups} | {turn.before} | {turn.after} |"
        yield from _say_rest(len(turns), "hosts")


def _list_findings(title: str, changes: Sequence[Change]) -> Iterable[str]:
    if changes:
        yield from ("", f"### {title}", "", "| severity | finding | policy line | hosts |", "|---|---|---|---|")
        for change in changes[:_MOST_ROWS]:
            finding = change.finding
            what = f"{finding.rule} {_code(finding.subject)}<br>{_code(finding.message)}"
            place = _code(str(finding.origin)) if finding.origin else "–"
            yield f"| {finding.severity} | {what} | {place} | {_name_hosts(change.hosts)} |"
        yield from _say_rest(len(changes), "findings")


def _name_hosts(hosts: Sequence[str]) -> str:
    more = len(hosts) - _MOST_HOSTS
    return ", ".join(map(_code, hosts[:_MOST_HOSTS])) + (f" and {more} more" if more > 0 else "")


def _say_rest(total: int, noun: str) -> Iterable[str]:
    if total > _MOST_ROWS:
        yield from ("", f"… and {total - _MOST_ROWS} more {noun}")


def _code(text: str) -> str:
    """Return `text` as a code span in a table (CommonMark 6.1; GFM 4.10 on the pipe)."""
    shown = escape(text, 200).replace("|", "\\|")
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    return f"{fence} {shown} {fence}" if longest or not shown.strip() else f"{fence}{shown}{fence}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
