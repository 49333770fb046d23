"""The trusted services table in, names for ports out: only such as mean exactly that port, and mislead nobody."""

from collections.abc import Iterable

from auditor.baseline.seen import Seen
from auditor.model.facts import Proto
from auditor.model.services import ServiceTable


class Names:
    """Names of ports that may stand in a policy for these hosts.

    A name that a host's own /etc/services gives to another port is a finding there. Where `least` hosts do so, the port
    is written instead; where fewer do, the name, and they are `misled`.
    """

    def __init__(self, services: ServiceTable, hosts: Iterable[Seen], least: float) -> None:
        self._labels = services.labels()
        self._ports: dict[tuple[str, str], set[int]] = {}
        for service in services.services:
            for name in (service.name, *service.aliases):
                self._ports.setdefault((name, service.proto), set()).add(service.port)
        self._protos: dict[str, set[str]] = {}
        for name, proto in self._ports:
            self._protos.setdefault(name, set()).add(proto)
        found: dict[tuple[str, str], set[str]] = {}
        for host in hosts:
            for table in host.services:
                for pair in self._find_elsewhere(table):
                    found.setdefault(pair, set()).add(host.name)
        self._misleading = {pair for pair, on in found.items() if len(on) >= least}
        self._rare = {pair: tuple(sorted(on)) for pair, on in found.items() if len(on) < least}
        self._used: set[tuple[str, str]] = set()

    @property
    def misled(self) -> list[tuple[str, tuple[str, ...]]]:
        """Return which of the names given so far mean another port on which hosts."""
        return [
            (f"{name}/{proto} as the name of another port", self._rare[name, proto])
            for name, proto in sorted(self._used & self._rare.keys())
        ]

    def _find_elsewhere(self, table: dict[str, str]) -> Iterable[tuple[str, str]]:
        for place, name in table.items():
            port, _, proto = place.partition("/")
            trusted = self._ports.get((name, proto))
            elsewhere = trusted and not (port.isdecimal() and int(port) in trusted)
            if trusted and elsewhere and not any(table.get(f"{number}/{proto}") == name for number in trusted):
                yield name, proto

    def name_of(self, proto: Proto, port: int) -> str | None:
        """Return the name that stands for this port and, with `/PROTO`, for nothing else; None when there is none."""
        name = self._labels.get(f"{port}/{proto}")
        if name is None or (name, proto) in self._misleading or self._ports[name, proto] != {port}:
            return None
        self._used.add((name, proto))
        return name

    def is_whole(self, name: str, protos: Iterable[str]) -> bool:
        """Return whether these are all the protocols `name` is listed for, so that it needs no `/PROTO`."""
        return set(protos) == self._protos[name]
