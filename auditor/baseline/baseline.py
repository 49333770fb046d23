"""Hosts and their facts in, a baseline for each role out."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from auditor.baseline.lines import Line, Sightings, draw_lines, name_bind
from auditor.baseline.names import Names
from auditor.baseline.roles import Role, find_roles
from auditor.baseline.seen import Item, Seen, Sighting, count_clients, observe
from auditor.model.facts import HostFacts
from auditor.model.host import Host
from auditor.model.origin import Origin
from auditor.model.policy import Entry, Policy, Selector
from auditor.model.services import ServiceTable
from auditor.model.value import Value

_FEW = 3
"""A role of fewer hosts has no outliers: one of two may be the one that is right."""


class Outlier(Value):
    """Something that few hosts of a role have, and that is left out. `what` is as a line would say it."""

    what: str
    hosts: tuple[str, ...]


class Baseline(Value):
    """A policy, and how much stands behind it.

    `support` is how many of the `hosts` each entry was seen on, by its id. `unread` are hosts of the role that were not
    read completely and so do not count, each with its first gap. `first` and `last` are the days of the evidence.
    """

    policy: Policy
    hosts: int
    support: dict[str, int]
    outliers: tuple[Outlier, ...] = ()
    unread: dict[str, str] = {}
    first: date
    last: date


@dataclass(frozen=True, slots=True)
class Habits:
    """How a baseline is drawn up. `group`: of its hosts alone, as one role. `min_share`: what fewer hosts of a role
    have (or one alone, of three and more) is left out; 0: nothing is. `owners`: name the processes, where known."""

    group: str | None = None
    min_share: float = 0.2
    owners: bool = True


def baseline(
    hosts: Iterable[tuple[Host, HostFacts]], services: ServiceTable, habits: Habits = Habits()
) -> tuple[Baseline, ...]:
    """Return a baseline for each role, before them one for what they have in common; () when no host was read wholly.

    `services` is the trusted table. A host that was read completely, judged by its own baselines, has no finding but
    those of its outliers.
    """
    seen = [host for host in observe(hosts) if habits.group is None or habits.group in host.groups]
    whole = [host for host in seen if not host.gaps]
    if not whole:
        return ()
    count_clients(whole)
    roles = [Role(habits.group, tuple(whole), tuple(whole))] if habits.group else find_roles(whole)
    unread = {host.name: f"{host.gaps[0].source}: {host.gaps[0].reason}" for host in seen if host.gaps}
    usual = [frozenset(_usual(role, habits)) for role in roles]
    common = frozenset.intersection(*usual) if len(roles) > 1 else frozenset()
    drawn = [_draw(role, common, services, habits) for role in roles]
    if common:
        everything = _gather(whole)
        names = Names(services, whole, _least(len(whole), habits))
        lines = draw_lines({item: everything[item] for item in common}, names, with_owners=habits.owners)
        drawn.insert(0, _assemble("base", None, whole, lines, _name_misled(names)))
    drawn[0] = drawn[0].model_copy(update={"unread": unread})
    return tuple(drawn)


def _gather(hosts: Sequence[Seen]) -> dict[Item, dict[str, Sighting]]:
    found: dict[Item, dict[str, Sighting]] = {}
    for host in hosts:
        for item, sighting in host.items.items():
            found.setdefault(item, {})[host.name] = sighting
    return found


def _least(hosts: int, habits: Habits) -> float:
    """Return on how many of so many hosts a thing must be seen to be no outlier."""
    return 1 if hosts < _FEW or habits.min_share <= 0 else max(2, habits.min_share * hosts)


def _usual(role: Role, habits: Habits) -> set[Item]:
    """Return the items that enough hosts of a role have."""
    least = _least(len(role.hosts), habits)
    return {item for item, on in _gather(role.hosts).items() if len(on) >= least}


def _draw(role: Role, common: frozenset[Item], services: ServiceTable, habits: Habits) -> Baseline:
    """Return the baseline of a role, without what is common to all."""
    hosts = role.hosts
    sightings = _gather(hosts)
    usual = _usual(role, habits)
    names = Names(services, role.reached, _least(len(role.reached), habits))
    lines = draw_lines({item: sightings[item] for item in usual - common}, names, with_owners=habits.owners)
    rare = {item: sightings[item] for item in sightings if item not in usual}
    outliers = [*_name_outliers(rare, names, habits), *_name_misled(names)]
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", role.group or "").strip("-._")[:100]
    selector = (
        Selector(groups=(role.group,)) if role.group else Selector(hosts=tuple(_as_glob(host.name) for host in hosts))
    )
    return _assemble(name or "ungrouped", selector, hosts, lines, outliers)


def _name_outliers(rare: Sightings, names: Names, habits: Habits) -> Iterable[Outlier]:
    """Yield what few hosts have, hosts that have the same things together."""
    together: dict[tuple[str, ...], dict[Item, Mapping[str, Sighting]]] = {}
    for item in sorted(rare):
        together.setdefault(tuple(sorted(rare[item])), {})[item] = rare[item]
    for hosts, items in together.items():
        for line in draw_lines(items, names, with_owners=habits.owners):
            yield Outlier(what=_say(line), hosts=hosts)


def _name_misled(names: Names) -> list[Outlier]:
    return [Outlier(what=what, hosts=hosts) for what, hosts in names.misled]


def _as_glob(name: str) -> str:
    """Return the glob that fits this name alone: an IPv6 address in brackets would be a set of characters."""
    return re.sub(r"([*?[])", r"[\1]", name)


def _assemble(
    name: str, selector: Selector | None, hosts: Sequence[Seen], lines: Sequence[Line], outliers: Sequence[Outlier]
) -> Baseline:
    who = f"hosts of the group {selector.groups[0]}" if selector and selector.groups else "hosts"
    entries = _make_entries(name, lines)
    times = [time for host in hosts for time in host.times]
    return Baseline(
        policy=Policy(
            name=name,
            path=f"{name}.yaml",
            sha256="0" * 64,
            description=f"What the {who} were seen to listen on.",
            applies_to=selector,
            raw_sockets="warn",
            allow=tuple(entries),
            origin=Origin(file=f"{name}.yaml", line=1),
        ),
        hosts=len(hosts),
        support={entry.id: len(line.spot.hosts) for entry, line in zip(entries, lines, strict=True)},
        outliers=tuple(outliers),
        first=min(times).date(),
        last=max(times).date(),
    )


def _make_entries(policy: str, lines: Sequence[Line]) -> list[Entry]:
    entries: list[Entry] = []
    taken: dict[str, int] = {}
    for number, line in enumerate(lines):
        first = line.ports[0]
        wanted = (line.name or f"{first.proto}-{first.first}").replace("/", "-")
        taken[wanted] = taken.get(wanted, 0) + 1
        entries.append(
            Entry(
                id=wanted if taken[wanted] == 1 else f"{wanted}.{taken[wanted]}",
                policy=policy,
                action="allow",
                ports=line.ports,
                service=line.name,
                bind=line.spot.bind,
                owner=line.spot.owner,
                netns=line.spot.netns,
                origin=Origin(file=f"{policy}.yaml", line=number + 2),
            )
        )
    return entries


def _say(line: Line) -> str:
    """Return `8443/tcp any (java)`."""
    ports = line.name or " ".join(map(str, line.ports))
    binds = ", ".join(map(name_bind, line.spot.bind)) or "any"
    holders = ", ".join(line.spot.owner.process or line.spot.owner.classes) if line.spot.owner else ""
    return f"{ports} at {binds}{f' ({holders})' if holders else ''}{' in containers' * (line.spot.netns != 'host')}"
