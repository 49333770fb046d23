"""A Delta in, the Changes tab of the HTML reports out: what is new first; what cannot be told is never resolved."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from auditor.model.address import join_port
from auditor.model.delta import Caveat, Delta, FindingChange, ListenerChange
from auditor.model.finding import Finding

MOST = 2_000
"""Changes of a kind that are shown; the JSON of `netaudit diff` has them all."""
_OF_FINDINGS = ("Severity", "Host", "What", "How")
_OF_LISTENERS = ("Host", "What", "How")
_FINDINGS = {
    "new": "New findings",
    "changed": "Findings that changed",
    "resolved": "Resolved findings",
    "unobservable": "Findings that can no longer be told",
}
_LISTENERS = {
    "opened": "Opened",
    "rebound": "Bound elsewhere",
    "replaced": "In other hands",
    "newly-observable": "Visible only now",
    "closed": "Closed",
    "unobservable": "Listeners that can no longer be told",
}
_HOSTS = {
    "lost": "Hosts that could not be reached this time",
    "appeared": "Hosts that are new",
    "gone": "Hosts that are gone",
    "regained": "Hosts that can be read again",
}


class ChangeRow(NamedTuple):
    """One change: where, what it is about, and how it was and is. `level` is a finding's severity, or `waived`.

    `finding` is its id where the report has it, else empty.
    """

    host: str
    what: str
    detail: str
    level: str | None = None
    finding: str = ""


class ChangeKind(NamedTuple):
    """Changes of one kind, the headings of their table, and how many of them are not shown."""

    title: str
    rows: tuple[ChangeRow, ...]
    hidden: int
    headings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that differs from an earlier run. The counts are of findings, but `count`, which is of all.

    `new` leaves out those that a waiver covers; they are `new_waived`.
    """

    old: str
    verdict: str
    new: int
    new_waived: int
    resolved: int
    unobservable: int
    count: int
    caveats: tuple[Caveat, ...]
    kinds: tuple[ChangeKind, ...]


def build_changes(delta: Delta) -> Changes:
    """Return what the Changes tab shows."""
    counts = {kind: sum(change.kind == kind for change in delta.findings) for kind in _FINDINGS}
    new_waived = sum(change.kind == "new" and change.finding.waived is not None for change in delta.findings)
    kinds = [
        *(
            _kind(title, (_finding(change) for change in delta.findings if change.kind == kind), _OF_FINDINGS)
            for kind, title in _FINDINGS.items()
        ),
        *(
            _kind(title, (_listener(change) for change in delta.listeners if change.kind == kind), _OF_LISTENERS)
            for kind, title in _LISTENERS.items()
        ),
        *(
            _kind(
                title,
                (ChangeRow(change.host, change.reason, "") for change in delta.hosts if change.kind == kind),
                ("Host", "Why") if kind == "lost" else ("Host",),
            )
            for kind, title in _HOSTS.items()
        ),
    ]
    return Changes(
        old=delta.old.id,
        verdict=_judge(delta),
        new=counts["new"] - new_waived,
        new_waived=new_waived,
        resolved=counts["resolved"],
        unobservable=counts["unobservable"],
        count=len(delta.findings) + len(delta.listeners) + len(delta.hosts),
        caveats=delta.caveats,
        kinds=tuple(kind for kind in kinds if kind.rows),
    )


def _judge(delta: Delta) -> str:
    """Return one sentence: whether it got worse, as `netaudit diff` judges, and whether all could be compared."""
    better = any(change.kind == "resolved" for change in delta.findings)
    better = better or any(change.kind == "closed" or change.direction == "narrowed" for change in delta.listeners)
    if delta.worse:
        said = "Worse: something opened, reaches further, changed hands, or is newly wrong"
    else:
        said = "Better: something closed or was resolved, and nothing got worse" if better else "No worse"
    return f"{said}." if delta.comparable else f"{said}, in what could be compared; not everything could."


def _kind(title: str, rows: Iterable[ChangeRow], headings: tuple[str, ...]) -> ChangeKind:
    listed = tuple(rows)
    return ChangeKind(title, listed[:MOST], max(0, len(listed) - MOST), headings)


def _finding(change: FindingChange) -> ChangeRow:
    found, before = change.finding, change.before
    level = _level(found)
    was = f" It was {_level(before)}." if before and _level(before) != level else ""
    here = found.id if change.kind in ("new", "changed") else ""
    why = f" ({change.reason})" if change.reason else ""
    return ChangeRow(change.host, found.subject, f"{found.message}{was}{why}", level, here)


def _level(finding: Finding) -> str:
    return "waived" if finding.waived else finding.severity


def _listener(change: ListenerChange) -> ChangeRow:
    label = f" ({change.service})" if change.service else ""
    netns = "" if change.netns == "host" else f" in netns {change.netns}"
    before, after = (", ".join(join_port(one, change.port) for one in side) for side in (change.before, change.after))
    moved = f"{change.direction}: {before} → {after}" if change.direction else before or after
    owners = f"; {', '.join(change.owners_before)} → {', '.join(change.owners_after)}" if change.owners_after else ""
    return ChangeRow(change.host, f"{change.port}/{change.proto}{label}{netns}", f"{moved}{owners}")
