"""A Delta in, the Changes tab of the HTML reports out: what is new first; what cannot be told is never resolved."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from auditor.model.address import join_port
from auditor.model.delta import Caveat, Delta, ListenerChange

MOST = 2_000
"""Changes of a kind that are shown; the JSON of `netaudit diff` has them all."""
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
    "unobservable": "No longer observable",
}
_HOSTS = {
    "lost": "Hosts that could not be reached this time",
    "appeared": "Hosts that are new",
    "gone": "Hosts that are gone",
    "regained": "Hosts that can be read again",
}


class ChangeRow(NamedTuple):
    """One change: where, what it is about, and how it was and is."""

    host: str
    what: str
    detail: str


class ChangeKind(NamedTuple):
    """Changes of one kind, and how many of them are not shown."""

    title: str
    rows: tuple[ChangeRow, ...]
    hidden: int


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that differs from an earlier run. The counts are of findings, but `count`, which is of all."""

    old: str
    new: int
    resolved: int
    unobservable: int
    count: int
    caveats: tuple[Caveat, ...]
    kinds: tuple[ChangeKind, ...]


def build_changes(delta: Delta) -> Changes:
    """Return what the Changes tab shows."""
    findings = [(change.kind, change.host, change.finding) for change in delta.findings]
    counts = {kind: sum(one == kind for one, _, _ in findings) for kind in _FINDINGS}
    kinds = [
        *(
            _kind(
                title, (ChangeRow(host, found.subject, found.message) for one, host, found in findings if one == kind)
            )
            for kind, title in _FINDINGS.items()
        ),
        *(
            _kind(title, (_listener(change) for change in delta.listeners if change.kind == kind))
            for kind, title in _LISTENERS.items()
        ),
        *(
            _kind(title, (ChangeRow(change.host, change.reason, "") for change in delta.hosts if change.kind == kind))
            for kind, title in _HOSTS.items()
        ),
    ]
    return Changes(
        old=delta.old.id,
        new=counts["new"],
        resolved=counts["resolved"],
        unobservable=counts["unobservable"],
        count=len(delta.findings) + len(delta.listeners) + len(delta.hosts),
        caveats=delta.caveats,
        kinds=tuple(kind for kind in kinds if kind.rows),
    )


def _kind(title: str, rows: Iterable[ChangeRow]) -> ChangeKind:
    listed = tuple(rows)
    return ChangeKind(title, listed[:MOST], max(0, len(listed) - MOST))


def _listener(change: ListenerChange) -> ChangeRow:
    label = f" ({change.service})" if change.service else ""
    netns = "" if change.netns == "host" else f" in netns {change.netns}"
    before, after = (", ".join(join_port(one, change.port) for one in side) for side in (change.before, change.after))
    moved = f"{change.direction}: {before} → {after}" if change.direction else before or after
    owners = f"; {', '.join(change.owners_before)} → {', '.join(change.owners_after)}" if change.owners_after else ""
    return ChangeRow(change.host, f"{change.port}/{change.proto}{label}{netns}", f"{moved}{owners}")
