"""What listens across the fleet, for the charts of the HTML reports: by port, by group, by how widely it is bound."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import NamedTuple

from auditor.model.address import SCOPES, Scope
from auditor.model.report import AuditReport, HostReport
from auditor.reporters.html_census import Census

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


def build_ports(report: AuditReport, census: Census) -> Ports:
    """Return what the charts show. A host counts once per port, a listener once per address."""
    surveyor = _Surveyor(census)
    pairs = zip(report.hosts, census.hosts, strict=True)
    read = [surveyor.survey(host, kinds) for host, kinds in pairs if host.facts is not None]
    on_hosts = Counter(chain.from_iterable(survey.ports for survey in read))
    bad = Counter(chain.from_iterable(survey.bad for survey in read))
    common = sorted(sorted(on_hosts, key=lambda port: (-on_hosts[port], port))[:PORTS])
    groups: dict[str, list[_Survey]] = {}
    for survey in read:
        for group in survey.groups:
            groups.setdefault(group, []).append(survey)
    drawn = sorted(sorted(groups, key=lambda name: (-len(groups[name]), name))[:GROUPS])
    rare = sorted(on_hosts, key=lambda port: (on_hosts[port], -bad[port], port))[:RARE]
    return Ports(
        hosts=len(read),
        heat_ports=tuple(surveyor.names[port] for port in common),
        heat=tuple(_heat(name, groups[name], common) for name in drawn),
        heat_hidden=len(groups) - len(drawn),
        bands=tuple(_bands(on_hosts, len(read))),
        rare=tuple(PortRow(surveyor.names[port], on_hosts[port], bad[port]) for port in rare),
        scopes=tuple(_bars(census.count_by("scope"))),
    )


class _Survey(NamedTuple):
    """The groups of a host, its ports by number, and a port for each listener of it that is not allowed."""

    groups: tuple[str, ...]
    ports: frozenset[int]
    bad: tuple[int, ...]


class _Surveyor:
    """Looks at kinds of listeners by their port and by whether they are allowed; ports are numbered in their order."""

    def __init__(self, census: Census) -> None:
        ports = list(zip(census.column("port"), census.column("proto"), strict=True))
        numbers = {port: number for number, port in enumerate(sorted(set(ports)))}
        self.names = [f"{port}/{proto}" for port, proto in numbers]
        self._ports = [numbers[port] for port in ports]
        self._bad = [verdict in _FLAGGED for verdict in census.column("verdict")]

    def survey(self, host: HostReport, kinds: Sequence[int]) -> _Survey:
        bad = tuple(self._ports[kind] for kind in kinds if self._bad[kind])
        return _Survey(host.groups or (UNGROUPED,), frozenset(map(self._ports.__getitem__, kinds)), bad)


def _heat(name: str, surveys: Sequence[_Survey], ports: Sequence[int]) -> HeatRow:
    wanted = frozenset(ports)
    counts = Counter(chain.from_iterable(survey.ports & wanted for survey in surveys))
    bad = Counter(chain.from_iterable(survey.bad for survey in surveys))
    cells = [
        HeatCell(counts[port], max(1, -(-4 * counts[port] // len(surveys))), bad[port]) if counts[port] else None
        for port in ports
    ]
    return HeatRow(name, tuple(cells))


def _bands(on_hosts: Counter[int], hosts: int) -> Iterable[Band]:
    """Yield ports by how many hosts they are on: what stands on one host of thousands is what to look at."""
    edges = [(1, 1), (2, 3), (4, 10), (11, 100), (101, 1000), (1001, hosts)]
    tallies = [
        (low, min(high, hosts), sum(low <= count <= high for count in on_hosts.values()))
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
