"""What a fleet needed of its policies in, what rots in them out: idle lines, waivers that end or reach too far.

Only what was seen counts. A line that holds on no host of the run is left alone, and where hosts could not be read the
message says how many.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime

from auditor.evaluate.match import Line, ready_line
from auditor.evaluate.shadow import find_shadowed
from auditor.evaluate.usage import Hosts, Key, Usage, WaiverUse, key_of
from auditor.evaluate.waivers import has_ended
from auditor.evaluate.wording import count, join_some, join_words, name_claim
from auditor.model.origin import Origin
from auditor.model.policy import Entry, Policy, PolicySet, Ports, Waiver
from auditor.model.report import HostReport, Hygiene

SOON = 30
"""Days before its end from which on a waiver is said to end."""


def review_policies(policies: PolicySet, reports: Iterable[HostReport], now: datetime) -> tuple[Hygiene, ...]:
    """Return what rots in `policies`, seen from a fleet; `now` is the moment waivers are judged at."""
    usage = Usage(policies)
    for report in reports:
        usage.note(report)
    return review_usage(policies, usage, now)


def review_usage(policies: PolicySet, usage: Usage, now: datetime) -> tuple[Hygiene, ...]:
    """Return what rots in `policies`, of which a fleet needed `usage`; each thing once, wherever it is included."""
    idle = _find_idle(policies, usage)
    today = now.astimezone(UTC).date()
    found = [
        *(_describe_idle(line, shadow) for line, shadow in idle.values()),
        *_find_unused(policies, usage, idle.keys()),
        *_find_idle_policies(policies, usage),
        *_review_waivers(policies, usage, today),
        *(_describe_conflict(subject, origin, hosts) for (subject, origin), hosts in usage.conflicts.items()),
    ]
    return tuple(sorted(set(found), key=lambda note: (note.kind, note.origin.file, note.origin.line, note.message)))


def _find_idle(policies: PolicySet, usage: Usage) -> dict[Key, tuple[Line, Line]]:
    """Return the lines that decide nothing on any host of the run, and what is in the way of each."""
    by_name = {policy.name: policy for policy in policies.policies}
    idle: dict[Key, tuple[Line, Line]] = {}
    alive: set[Key] = set()
    for names in sorted({*usage.read, *usage.unread}):
        lines = _ready_lines([by_name[name] for name in names if name in by_name])
        shadowed = dict(find_shadowed(lines))
        for line in lines:
            key = key_of(line.entry.id, line.entry.origin)
            if line in shadowed:
                idle.setdefault(key, (line, shadowed[line]))
            else:
                alive.add(key)
    return {key: pair for key, pair in idle.items() if key not in alive}


def _ready_lines(policies: list[Policy]) -> list[Line]:
    """Return the lines of these policies in the order in which they are asked."""
    denied = [ready_line(entry, policy) for policy in policies for entry in policy.deny]
    return denied + [ready_line(entry, policy) for policy in policies for entry in policy.allow]


def _describe_idle(line: Line, shadow: Line) -> Hygiene:
    verb = "forbids" if shadow.entry.action == "deny" else "allows"
    message = f"`{line.entry.id}` decides nothing: `{shadow.entry.id}` ({shadow.entry.origin}) {verb} all it is about"
    return Hygiene(kind="shadowed-entry", message=message, origin=line.entry.origin)


def _find_unused(policies: PolicySet, usage: Usage, idle: Collection[Key]) -> Iterator[Hygiene]:
    holding: dict[Key, tuple[Entry, list[str]]] = {}
    for policy in policies.policies:
        for entry in policy.allow:
            key = key_of(entry.id, entry.origin)
            if key not in usage.deciding and key not in idle and not entry.required:
                holding.setdefault(key, (entry, []))[1].append(policy.name)
    for entry, names in holding.values():
        read, unread = _count_hosts(usage.read, names), _count_hosts(usage.unread, names)
        if read:
            but = f" ({count(unread, 'more host')} not fully read)" if unread else ""
            message = f"`{entry.id}` ({name_claim(entry)}) was needed by nothing on {count(read, 'host')}{but}"
            yield Hygiene(kind="unused-allow", message=message, origin=entry.origin)


def _find_idle_policies(policies: PolicySet, usage: Usage) -> Iterator[Hygiene]:
    """Yield the policies that hold nowhere: a group misspelt in `applies_to` takes all its denials with it, unseen."""
    total = sum(usage.read.values()) + sum(usage.unread.values())
    for policy in policies.policies:
        if total and not _count_hosts(usage.read, [policy.name]) + _count_hosts(usage.unread, [policy.name]):
            message = f"the policy {policy.name} applies to none of the {count(total, 'host')} of this run"
            yield Hygiene(kind="unused-policy", message=message, origin=policy.origin)


def _count_hosts(hosts: Mapping[tuple[str, ...], int], names: Collection[str]) -> int:
    """Return on how many hosts any of these policies holds."""
    return sum(number for applying, number in hosts.items() if any(name in applying for name in names))


def _review_waivers(policies: PolicySet, usage: Usage, today: date) -> Iterator[Hygiene]:
    for policy in policies.policies:
        for waiver in policy.waivers:
            use = usage.waivers.get(key_of(waiver.id, waiver.origin))
            if use is not None:
                for kind, message in _review_waiver(waiver, use, today):
                    yield Hygiene(kind=kind, message=f"the waiver {waiver.id} {message}", origin=waiver.origin)


def _review_waiver(waiver: Waiver, use: WaiverUse, today: date) -> Iterator[tuple[str, str]]:
    if not use.needed.count and not use.ended:
        past = f"ended on {waiver.expires}, and " if has_ended(waiver, today) else ""
        where = f"on the {count(use.hosts, 'host')} it is for" if use.hosts else "as it is for no host of this run"
        yield "unused-waiver", f"{past}covers nothing {where}"
    left = (waiver.expires - today).days
    if use.needed.count and left <= SOON:
        covered = f"{count(use.findings, 'finding')} on {count(use.needed.count, 'host')}"
        yield "expiring-waiver", f"ends on {waiver.expires}, {_say_days(left)}, and covers {covered}"
    if use.needed.count:
        yield from (("broad-waiver", message) for message in _say_breadth(waiver, use))


def _say_days(left: int) -> str:
    return "today" if left == 0 else f"in {count(left, 'day')}"


def _say_breadth(waiver: Waiver, use: WaiverUse) -> Iterator[str]:
    if use.ports and not use.others and (not waiver.ports or _count_ports(waiver.ports) > len(use.ports)):
        said = join_words([str(ports) for ports in waiver.ports]) if waiver.ports else "every port"
        yield f"is for {said}, and needed for {join_some(sorted(use.ports))} only"
    if use.hosts > use.needed.count:
        yield f"is for {count(use.hosts, 'host')}, and needed on {_say_hosts(use.needed)} only"


def _count_ports(ports: Iterable[Ports]) -> int:
    return sum(one.last - one.first + 1 for one in ports)


def _say_hosts(hosts: Hosts) -> str:
    more = [f"{hosts.count - len(hosts.names)} more"] if hosts.count > len(hosts.names) else []
    return join_words([*hosts.names, *more])


def _describe_conflict(subject: str, origin: Origin, hosts: Hosts) -> Hygiene:
    message = f"{subject} means another port in /etc/services on {count(hosts.count, 'host')}: {_say_hosts(hosts)}"
    return Hygiene(kind="service-name-differs", message=message, origin=origin)
