"""`service-name-conflict`: the host's /etc/services gives a name the policies use to another port."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.match import Line
from auditor.evaluate.wording import join_words, list_controls
from auditor.model.facts import Proto
from auditor.model.finding import Finding


class _Name(NamedTuple):
    """A service name as a policy line means it."""

    line: Line
    name: str
    proto: Proto
    ports: tuple[int, ...]


def find(case: Case) -> Iterable[Finding]:
    """Yield one finding per name and protocol that means other ports on the host, and not the trusted one as well.

    Names never decide: the policies' ports are those of the trusted table. But who reads `https` in a netstat on that
    host would be misled.
    """
    labels = case.facts.services
    missing = [
        name
        for line in (case.book.named if case.book else ())
        for name in _names(line)
        if not any(labels.get(f"{port}/{name.proto}") == name.name for port in name.ports)
    ]
    if missing:
        elsewhere = _find_ports(labels, {name.name for name in missing})
        for name in missing:
            if found := elsewhere.get((name.name, name.proto)):
                yield _describe(case, name, sorted(found))


def _names(line: Line) -> Iterator[_Name]:
    name = (line.entry.service or "").partition("/")[0]
    for proto in sorted({ports.proto for ports in line.entry.ports}):
        yield _Name(line, name, proto, tuple(ports.first for ports in line.entry.ports if ports.proto == proto))


def _find_ports(labels: dict[str, str], names: set[str]) -> dict[tuple[str, str], list[int]]:
    found: dict[tuple[str, str], list[int]] = {}
    for place, name in labels.items():
        port, _, proto = place.partition("/")
        if name in names and port.isdecimal():
            found.setdefault((name, proto), []).append(int(port))
    return found


def _describe(case: Case, name: _Name, found: list[int]) -> Finding:
    trusted = join_words([f"{port}/{name.proto}" for port in name.ports])
    there = join_words([f"{port}/{name.proto}" for port in found])
    ports = ",".join(str(port) for port in name.ports)
    return Finding(
        id=fingerprint(Identity("service-name-conflict", case.host.name, "", name.proto, name.name, ports)),
        rule="service-name-conflict",
        severity="low",
        subject=f"{name.name}/{name.proto}",
        message=f"the host's own /etc/services calls {there} {name.name}; the policies mean {trusted}",
        remediation="Correct /etc/services on the host, or find out who changed it; listeners are judged by number.",
        controls=list_controls(name.line),
        origin=name.line.entry.origin,
    )
