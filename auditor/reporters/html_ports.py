"""What listens across the fleet, for the charts of the HTML reports: by port, by group, by how widely it is bound."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import nsmallest
from itertools import chain
from typing import NamedTuple

from auditor.model.address import SCOPES, Scope
from auditor.reporters.html_census import Census
from auditor.reporters.html_fleet import Fleet

PORTS = 24
GROUPS = 12
RARE = 25
UNGROUPED = "(no group)"
_FLAGGED = ("denied", "unexpected")


@dataclass(frozen=True, slots=True)
class HeatCell:
    """Hosts of a group with a port; `heat` 1 to 4 by their share; `bad` listeners there are not allowed."""

    count: int
    heat: int
    bad: int


class HeatRow(NamedTuple):
    """One group: a cell for each port of the map, None where no host of it listens."""

    name: str
    cells: tuple[HeatCell | None, ...]


class PortRow(NamedTuple):
    """One port: its `443/tcp`, on how many hosts, and how many listeners there are not allowed."""

    label: str
    hosts: int
    bad: int


class Band(NamedTuple):
    """Ports found on `low` to `high` hosts: how many there are, and as a share of the longest bar in percent."""

    label: str
    ports: int
    width: str


@dataclass(frozen=True, slots=True)
class ScopeBar:
    """Listeners bound within one scope. `start` and `width` are percents of the bar."""

    scope: Scope
    count: int
    start: str
    width: str


class Ports(NamedTuple):
    """Everything the charts of listeners show. `hosts` could be read."""

    hosts: int
    heat_ports: tuple[str, ...]
    heat: tuple[HeatRow, ...]
    heat_hidden: int
    bands: tuple[Band, ...]
    rare: tuple[PortRow, ...]
    scopes: tuple[ScopeBar, ...]


def build_ports(fleet: Fleet) -> Ports:
    """Return what the charts show. A host counts once per port, a listener once per address."""
    roll, census = fleet.roll, fleet.census
    alike: dict[tuple[str, ...], list[int]] = {}
    for at, (groups, facts) in enumerate(zip(roll.groups, roll.facts, strict=True)):
        if facts is not None:
            alike.setdefault(groups or (UNGROUPED,), []).append(at)
    on_hosts, bad = Counter[int](), Counter[int]()
    read = 0
    members: dict[str, list[_Survey]] = {}
    surveyor = _Surveyor(census)
    for names, some in alike.items():
        survey = surveyor.survey(some)
        on_hosts.update(survey.ports)
        bad.update(survey.bad)
        read += survey.hosts
        for name in names:
            members.setdefault(name, []).append(survey)
    common = sorted(nsmallest(PORTS, on_hosts, key=lambda port: (-on_hosts[port], port)))
    sizes = {name: sum(survey.hosts for survey in surveys) for name, surveys in members.items()}
    drawn = sorted(nsmallest(GROUPS, members, key=lambda name: (-sizes[name], name)))
    rare = nsmallest(RARE, on_hosts, key=lambda port: (on_hosts[port], -bad[port], port))
    return Ports(
        hosts=read,
        heat_ports=tuple(map(surveyor.name, common)),
        heat=tuple(_heat(name, members[name], common) for name in drawn),
        heat_hidden=len(members) - len(drawn),
        bands=tuple(_bands(on_hosts, read)),
        rare=tuple(PortRow(surveyor.name(port), on_hosts[port], bad[port]) for port in rare),
        scopes=tuple(_bars(census.count_by("scope"))),
    )


class _Survey(NamedTuple):
    """Hosts of the same groups: how many, how many of them have each port, and its listeners that are not allowed."""

    hosts: int
    ports: Counter[int]
    bad: Counter[int]


class _Surveyor:
    """Looks at listeners by their port and by whether they are allowed; ports are numbered in their order."""

    def __init__(self, census: Census) -> None:
        self._census = census
        self._bad = {kind for kind, verdict in enumerate(census.column("verdict")) if verdict in _FLAGGED}

    def name(self, number: int) -> str:
        """Return a port as `443/tcp`."""
        port, proto = self._census.ports[number]
        return f"{port}/{proto}"

    def survey(self, hosts: Sequence[int]) -> _Survey:
        """Return what some hosts have, given their numbers."""
        census = self._census
        ports = Counter(chain.from_iterable(map(set, map(census.host_ports.__getitem__, hosts))))
        kinds = chain.from_iterable(map(census.hosts.__getitem__, hosts))
        bad = Counter(map(census.port_of.__getitem__, filter(self._bad.__contains__, kinds)))
        return _Survey(len(hosts), ports, bad)


def _heat(name: str, surveys: Sequence[_Survey], ports: Sequence[int]) -> HeatRow:
    hosts = sum(survey.hosts for survey in surveys)
    cells: list[HeatCell | None] = []
    for port in ports:
        count = sum(survey.ports[port] for survey in surveys)
        bad = sum(survey.bad[port] for survey in surveys)
        cells.append(HeatCell(count, max(1, -(-4 * count // hosts)), bad) if count else None)
    return HeatRow(name, tuple(cells))


def _bands(on_hosts: Counter[int], hosts: int) -> Iterable[Band]:
    """Yield ports by how many hosts they are on: what stands on one host of thousands is what to look at."""
    sizes = Counter(on_hosts.values())
    edges = [(1, 1), (2, 3), (4, 10), (11, 100), (101, 1000), (1001, hosts)]
    tallies = [
        (low, min(high, hosts), sum(ports for count, ports in sizes.items() if low <= count <= high))
        for low, high in edges
        if low <= hosts
    ]
    longest = max((tally for _, _, tally in tallies), default=0)
    for low, high, tally in tallies:
        span = f"{low:,}" if low >= high else f"{low:,} to {high:,}"
        yield Band(
            f"on {span} of {hosts:,} {'host' if hosts == 1 else 'hosts'}", tally, f"{100 * tally / (longest or 1):.2f}%"
        )


def _bars(scopes: Counter[str]) -> Iterable[ScopeBar]:
    total, before = scopes.total(), 0
    for scope in SCOPES:
        count = scopes[scope]
        if total:
            yield ScopeBar(scope, count, f"{100 * before / total:.3f}%", f"{100 * count / total:.3f}%")
        before += count
