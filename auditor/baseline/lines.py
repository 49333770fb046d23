"""Items and the hosts they were seen on in, the lines of a policy out: as few as say the same."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from itertools import groupby
from typing import Literal, NamedTuple

from auditor.baseline.names import Names
from auditor.baseline.seen import Holders, Item, Sighting
from auditor.model.address import SCOPES
from auditor.model.facts import Proto
from auditor.model.policy import Bind, BindNetwork, BindScope, OwnerCondition, Ports

Sightings = Mapping[Item, Mapping[str, Sighting]]
"""For each item the hosts it was seen on."""

_MOST_NAMES = 3
"""Processes one line names; more are no owner but a crowd."""
_HOME = frozenset({"127.0.0.1", "::1"})


class Spot(NamedTuple):
    """A port in a namespace, with all that is to be allowed there."""

    netns: Literal["host", "containers"]
    port: int
    proto: Proto
    bind: tuple[Bind, ...]
    owner: OwnerCondition | None
    hosts: frozenset[str]


class Line(NamedTuple):
    """One entry to be: ports that are alike in everything else. `name` is the service's, as it is to be written."""

    name: str | None
    ports: tuple[Ports, ...]
    spot: Spot


def draw_lines(sightings: Sightings, names: Names, *, with_owners: bool) -> list[Line]:
    """Return the lines that allow all of `sightings`, by port."""
    spots = _find_spots(sightings, with_owners)
    alike: dict[tuple[object, ...], list[Spot]] = {}
    for spot in spots:
        name = names.name_of(spot.proto, spot.port)
        alike.setdefault((spot.netns, spot.bind, spot.owner, spot.hosts, name), []).append(spot)
    lines = [line for key, found in alike.items() for line in _fold(key[-1], found, names)]
    return sorted(lines, key=lambda line: (line.spot.netns != "host", line.ports[0].first, str(line.ports[0])))


def _find_spots(sightings: Sightings, with_owners: bool) -> Iterable[Spot]:
    ordered = sorted(sightings)
    for (netns, port, proto), group in groupby(ordered, key=lambda item: item[:3]):
        items = list(group)
        seen = [one for item in items for one in sightings[item].values()]
        yield Spot(
            netns=netns,
            port=port,
            proto=proto,
            bind=_find_binds({item: sightings[item] for item in items}),
            owner=_find_owner(seen) if with_owners else None,
            hosts=frozenset(host for item in items for host in sightings[item]),
        )


def _find_binds(sightings: Sightings) -> tuple[Bind, ...]:
    """Return where the port may be bound, () for anywhere: scopes, or the addresses that all its hosts have alike."""
    if any(item.scope == "wildcard" for item in sightings):
        return ()
    binds: list[Bind] = []
    for item in sorted(sightings, key=lambda item: SCOPES.index(item.scope)):
        on_hosts = [frozenset(sighting.addresses) for sighting in sightings[item].values()]
        if item.scope == "link-local" or len(set(on_hosts)) > 1 or (item.scope == "loopback" and on_hosts[0] <= _HOME):
            binds.append(BindScope(scope=item.scope))
        else:
            binds += [BindNetwork(network=str(ip_network(address))) for address in sorted(on_hosts[0], key=_numeric)]
    return tuple(binds)


def name_bind(bind: Bind) -> str:
    """Return `loopback`, `10.0.0.0/8`, or an address without the length of its prefix."""
    if bind.kind == "scope":
        return bind.scope
    network = ip_network(bind.network)
    return str(network.network_address) if network.prefixlen == network.max_prefixlen else bind.network


def _numeric(text: str) -> tuple[int, int]:
    address = ip_address(text)
    return address.version, int(address)


def _find_owner(seen: Sequence[Sighting]) -> OwnerCondition | None:
    """Return who holds it everywhere; None when that is not known everywhere, or is too many."""
    holders: set[Holders] = {one for sighting in seen for one in sighting.holders}
    if holders == {"kernel"}:
        return OwnerCondition(classes=("kernel",))
    names: set[str] = set()
    for one in holders:
        if one is None or isinstance(one, str):
            return None
        names |= one
    return OwnerCondition(process=tuple(sorted(names))) if len(names) <= _MOST_NAMES else None


def _fold(name: object, spots: Sequence[Spot], names: Names) -> Iterable[Line]:
    """Yield the lines for spots that are alike: one for a service, for the ports of one program, for a run of ports."""
    ports = sorted(_join_ports(spots), key=lambda one: (one.first, one.proto))
    if isinstance(name, str):
        protos = {spot.proto for spot in spots}
        if names.is_whole(name, protos):
            yield Line(name, tuple(ports), spots[0])
        else:
            for one in ports:
                yield Line(f"{name}/{one.proto}", (one,), spots[0])
    elif spots[0].owner is not None and spots[0].owner.process:
        yield Line(None, tuple(ports), spots[0])
    else:
        for _, group in groupby(ports, key=lambda one: (one.first, one.last)):
            yield Line(None, tuple(group), spots[0])


def _join_ports(spots: Sequence[Spot]) -> Iterable[Ports]:
    """Yield the ports of `spots` as ranges."""
    for proto, group in groupby(sorted(spots, key=lambda spot: (spot.proto, spot.port)), key=lambda spot: spot.proto):
        numbers = [spot.port for spot in group]
        first = last = numbers[0]
        for number in numbers[1:]:
            if number != last + 1 or proto in ("raw", "packet"):
                yield Ports(proto=proto, first=first, last=last)
                first = number
            last = number
        yield Ports(proto=proto, first=first, last=last)
