"""Policy lines that name services in, what each name means to the policies out."""

from collections.abc import Iterable
from typing import NamedTuple

from auditor.evaluate.match import Line
from auditor.model.facts import Proto
from auditor.model.policy import Ports


class Name(NamedTuple):
    """A service name as a policy line means it, for one protocol."""

    line: Line
    name: str
    proto: Proto
    ports: tuple[Ports, ...]


def list_names(lines: Iterable[Line]) -> dict[str, tuple[Name, ...]]:
    """Return what each name means, in the order of the lines; the same meaning only once."""
    found: dict[str, dict[tuple[Proto, tuple[Ports, ...]], Name]] = {}
    for line in lines:
        name = (line.entry.service or "").partition("/")[0]
        for proto in sorted({ports.proto for ports in line.entry.ports}):
            ports = tuple(one for one in line.entry.ports if one.proto == proto)
            found.setdefault(name, {}).setdefault((proto, ports), Name(line, name, proto, ports))
    return {name: tuple(meanings.values()) for name, meanings in found.items()}
