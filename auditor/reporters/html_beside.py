"""Hosts in, what they show beside listeners out: ports that lead elsewhere, unix sockets, connections by state."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from auditor.model.facts import Coverage, Exposure, System, UnixListener
from auditor.model.report import HostReport
from auditor.reporters.html_fleet import Fleet
from auditor.reporters.html_words import spell

ELSEWHERE = 200
"""Ports that lead elsewhere, and unix sockets of one host, that stand in a page as markup."""
_RAW = 300
_READERS = {
    "host": "the host’s own",
    "other": "not the host’s own: what listens on the host itself was not seen",
    "unknown": "not known whether it is the host’s own",
}


class Elsewhere(NamedTuple):
    """A port that leads elsewhere: `port` as `8080/tcp`, `address` as it is bound, and the line that says so."""

    host: str
    port: str
    address: str
    target: str
    source: str
    raw: str


@dataclass(frozen=True, slots=True)
class StateCount:
    """Sockets of one protocol in one state."""

    proto: str
    state: str
    count: int


class Beside(NamedTuple):
    """What a fleet shows beside its listeners. `known`: hosts whose firewall was read, which takes root; of `answered`.

    `exposures` counts all of `elsewhere`, None: not known; `ephemeral` the UDP sockets that are shown and not judged.
    """

    known: int
    answered: int
    exposures: int | None
    exposed: int
    elsewhere: tuple[Elsewhere, ...]
    unix: int
    ephemeral: int
    states: tuple[StateCount, ...]


def _is_nat_known(ledger: Iterable[Coverage], facts: System | None) -> bool:
    """Return whether the host's own rules were read: those of another network namespace are not."""
    own = facts is not None and facts.reader_netns != "other"
    return own and any(each.source == "nat" and each.status == "ok" for each in ledger)


def build_beside(fleet: Fleet) -> Beside:
    """Return it for the fleet."""
    roll = fleet.roll
    known = sum(map(_is_nat_known, roll.coverage, roll.facts))
    found = sum(map(len, roll.exposures))
    return Beside(
        known=known,
        answered=sum(facts is not None for facts in roll.facts),
        exposures=found if known or found else None,
        exposed=sum(map(bool, roll.exposures)),
        elsewhere=tuple(_list_first(fleet.report.hosts)),
        unix=sum(map(len, roll.unix)),
        ephemeral=fleet.census.count_by("kind", "verdict")["ephemeral-udp", "ignored"],
        states=_sum_states(roll.facts),
    )


def _list_first(hosts: Sequence[HostReport]) -> Iterable[Elsewhere]:
    left = ELSEWHERE
    for host in hosts:
        if not left:
            break
        yield from list_elsewhere(host, left)
        left -= min(left, len(host.exposures))


def list_elsewhere(host: HostReport, most: int = ELSEWHERE) -> list[Elsewhere]:
    """Return the ports of a host that lead elsewhere, as rows."""
    return [
        Elsewhere(
            host.name, name_port(one), one.address or _any(one), one.target, one.source, spell(one.raw.strip(), _RAW)
        )
        for one in host.exposures[:most]
    ]


def list_unix(host: HostReport) -> tuple[UnixListener, ...]:
    """Return the listening unix sockets of a host that are shown."""
    return host.unix[:ELSEWHERE]


def name_port(exposure: Exposure) -> str:
    """Return `8080/tcp`, `8000-8010/tcp`, `any port/udp`."""
    if exposure.port is None:
        return f"any port/{exposure.proto}"
    last = f"-{exposure.last_port}" if exposure.last_port not in (None, exposure.port) else ""
    return f"{exposure.port}{last}/{exposure.proto}"


def _any(exposure: Exposure) -> str:
    return {"ipv4": "any IPv4 address", "ipv6": "any IPv6 address"}.get(exposure.family or "", "any address")


def spell_states(host: HostReport) -> str | None:
    """Return `tcp: 12 ESTABLISHED, 30 LISTEN; udp: 4 UNCONNECTED`; None when nothing was counted."""
    states = host.facts.states if host.facts else {}
    parts = [f"{proto}: {', '.join(f'{count} {state}' for state, count in of.items())}" for proto, of in states.items()]
    return "; ".join(parts) or None


def spell_reader(netns: str) -> str:
    """Return in whose network namespace the tables were read."""
    return _READERS.get(netns, netns)


def count_ephemeral(host: HostReport) -> int:
    """Return how many UDP sockets of a host are probably clients, shown and not judged."""
    return sum(one.kind == "ephemeral-udp" and one.verdict == "ignored" for one in host.listeners)


def _sum_states(systems: Iterable[System | None]) -> tuple[StateCount, ...]:
    sums: Counter[tuple[str, str]] = Counter()
    for system in systems:
        for proto, of in system.states.items() if system else ():
            for state, number in of.items():
                sums[proto, state] += number
    return tuple(StateCount(proto, state, number) for (proto, state), number in sums.items())
