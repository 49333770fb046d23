"""One host's facts in, what a policy would say of its listeners out: items, each with its addresses and holders."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

from auditor.model.address import Scope
from auditor.model.facts import Gap, HostFacts, Listener, Proto
from auditor.model.host import Host

Holders = frozenset[str] | Literal["kernel"] | None
"""The names of the processes that hold a socket; `kernel`: none does; None: not known, or not fit to be written."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+@-]*", re.ASCII)


class Item(NamedTuple):
    """Something to allow: a port, in the host's own namespace or another, at the addresses of one scope."""

    netns: Literal["host", "containers"]
    port: int
    proto: Proto
    scope: Scope


@dataclass(slots=True)
class Sighting:
    """What was seen of an item on one host."""

    addresses: set[str] = field(default_factory=set)
    holders: set[Holders] = field(default_factory=set)


@dataclass(slots=True)
class Seen:
    """One host, all its readings together."""

    name: str
    groups: tuple[str, ...]
    items: dict[Item, Sighting] = field(default_factory=dict)
    services: list[dict[str, str]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    clients: list[Listener] = field(default_factory=list)


def observe(hosts: Iterable[tuple[Host, HostFacts]]) -> list[Seen]:
    """Return every host once, sorted by name; several readings of one host add up."""
    seen: dict[str, Seen] = {}
    for host, facts in hosts:
        one = seen.setdefault(host.name, Seen(host.name, host.groups))
        one.groups = tuple(sorted({*one.groups, *host.groups}))
        one.services.append(facts.services)
        one.gaps += facts.gaps
        one.times.append(facts.system.collected_at)
        one.clients += [listener for listener in facts.listeners if listener.kind == "ephemeral-udp"]
        _add(one, [listener for listener in facts.listeners if listener.kind == "listener"])
    return [seen[name] for name in sorted(seen)]


def _add(one: Seen, listeners: Sequence[Listener]) -> None:
    for listener in listeners:
        sighting = one.items.setdefault(_item_of(listener), Sighting())
        sighting.addresses.add(listener.address)
        sighting.holders.add(_holders_of(listener))


def count_clients(hosts: Collection[Seen]) -> None:
    """Add the clients on ports that are served elsewhere: where an entry names a port, clients are judged by it too."""
    served = {item[:3] for host in hosts for item in host.items}
    for host in hosts:
        _add(host, [client for client in host.clients if _item_of(client)[:3] in served])


def _item_of(listener: Listener) -> Item:
    return Item("host" if listener.netns == "host" else "containers", listener.port, listener.proto, listener.scope)


def _holders_of(listener: Listener) -> Holders:
    """Return who holds a socket. Names are the processes' own claim: one that is not plain does not get into a file."""
    if listener.owner_status == "kernel":
        return "kernel"
    if listener.owner_status != "known" or not listener.owners:
        return None
    # A policy sets systemd aside when others hold the socket too: it opened it for them.
    holders = [owner for owner in listener.owners if not owner.is_systemd] or list(listener.owners)
    names = {owner.comm or "" for owner in holders}
    return frozenset(names) if all(_NAME.fullmatch(name) for name in names) else None
