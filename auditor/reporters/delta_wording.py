"""A change in, the words for it out: the same in every format."""

from collections import Counter

from auditor.model.address import join_port
from auditor.model.delta import Delta, FindingChange, ListenerChange

KINDS: dict[str, str] = {
    "opened": "opened",
    "closed": "closed",
    "widened": "reaches further",
    "narrowed": "reaches less far",
    "moved": "moved",
    "replaced": "another owner",
    "newly-observable": "seen for the first time: could not be looked for before",
    "unobservable": "no longer observable",
    "new": "new",
    "changed": "changed",
    "resolved": "resolved",
    "appeared": "appeared",
    "gone": "gone",
    "lost": "lost",
    "regained": "reached again",
}
"""What each kind of change is called; of a rebound listener its direction."""


def name_kind(change: ListenerChange) -> str:
    """Return the word to look up in KINDS."""
    return change.direction or change.kind


def say_listener(change: ListenerChange) -> str:
    """Return `tcp 127.0.0.1:5432 → 0.0.0.0:5432 (postgresql)`."""
    before, after = (_places(addresses, change.port) for addresses in (change.before, change.after))
    if change.kind == "replaced":
        where = f"{after}: {' and '.join(change.owners_before)} → {' and '.join(change.owners_after)}"
    else:
        where = " → ".join(place for place in (before, after) if place)
    service = f" ({change.service})" if change.service else ""
    netns = "" if change.netns == "host" else f" in netns {change.netns}"
    return f"{change.proto} {where}{service}{netns}"


def _places(addresses: tuple[str, ...], port: int) -> str:
    return " and ".join(join_port(address, port) for address in addresses)


def say_finding(change: FindingChange) -> str:
    """Return how a finding was rated before, and is now; '' unless that changed."""
    before, now = change.before, change.finding
    if before is None:
        return ""
    parts = [] if before.severity == now.severity else [f"{before.severity} → {now.severity}"]
    if (before.waived is None) != (now.waived is None):
        parts.append("now waived" if now.waived else "no longer waived")
    return ", ".join(parts) or "another waiver"


def explain_finding(change: FindingChange) -> str:
    """Return how it changed, what it says, or why nobody knows."""
    if change.kind == "unobservable":
        why = f" ({change.reason})" if change.reason else ""
        return f"nobody knows whether it is still so{why}: {change.finding.message}"
    return say_finding(change) or change.finding.message


def count_changes(delta: Delta) -> str:
    """Return `2 opened, 1 closed; findings: 1 new, 3 resolved; hosts: 1 lost`, or that nothing differs."""
    listeners: Counter[str] = Counter(name_kind(change) for change in delta.listeners)
    findings: Counter[str] = Counter(change.kind for change in delta.findings)
    hosts: Counter[str] = Counter(change.kind for change in delta.hosts)
    parts = [
        f"{topic}: {', '.join(f'{counts[kind]} {kind}' for kind in KINDS if counts[kind])}"
        for topic, counts in (("listeners", listeners), ("findings", findings), ("hosts", hosts))
        if counts
    ]
    return "; ".join(parts) or "nothing differs"
