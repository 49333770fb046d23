"""Hosts in, their roles out: each host counts to the one of its groups whose hosts look most alike.

Groups such as `prod` or a site hold hosts of every kind; a group such as `web` holds hosts that listen on the same. How
alike a group is, is the mean over its hosts of what they share with what most of the group has (Jaccard index).
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from auditor.baseline.seen import Item, Seen

_ALONE = 0.5
"""How alike a group of one host counts: less than a group of like ones, more than one of all kinds."""


class Role(NamedTuple):
    """Hosts that are to have one policy. `group` None: hosts that are in no group.

    `reached` are all hosts the policy will apply to: those of the group that count to another role, too.
    """

    group: str | None
    hosts: tuple[Seen, ...]
    reached: tuple[Seen, ...]


def find_roles(hosts: Sequence[Seen]) -> list[Role]:
    """Return the roles, by group name, hosts without a group last; `hosts` sorted by name stay so."""
    members: dict[str, list[Seen]] = {}
    for host in hosts:
        for group in host.groups:
            members.setdefault(group, []).append(host)
    rank = {group: (-_alike(inside), -len(inside), group) for group, inside in members.items()}
    roles: dict[str | None, list[Seen]] = {}
    for host in hosts:
        role = min(host.groups, key=lambda name: rank[name]) if host.groups else None
        roles.setdefault(role, []).append(host)
    ordered = sorted(roles, key=lambda name: (name is None, name or ""))
    return [
        Role(group, tuple(roles[group]), tuple(roles[group] if group is None else members[group])) for group in ordered
    ]


def _alike(hosts: Sequence[Seen]) -> float:
    if len(hosts) == 1:
        return _ALONE
    counts: Counter[Item] = Counter(item for host in hosts for item in host.items)
    usual = {item for item, count in counts.items() if 2 * count > len(hosts)}
    return sum(_share(set(host.items), usual) for host in hosts) / len(hosts)


def _share(one: set[Item], other: set[Item]) -> float:
    return len(one & other) / len(one | other) if one or other else 1.0
