"""A services table: names for ports, as in /etc/services."""

import re
from typing import Self

from auditor.model.value import Value

_LINE = re.compile(r"([^\s#]{1,64})\s+([0-9]{1,5})/([a-z][a-z0-9-]{0,15})(?:\s+([^#]*))?", re.ASCII)


class Service(Value):
    """One line: a name, a port, a protocol, other names."""

    name: str
    port: int
    proto: str
    aliases: tuple[str, ...] = ()


class ServiceTable(Value):
    """Services in file order. The first name of a port is its name, as getservbyport(3) has it."""

    services: tuple[Service, ...] = ()

    @classmethod
    def parse(cls, text: str, max_lines: int = 100_000) -> Self:
        """Read services(5) text; lines that do not fit the format are skipped, as the C library does. Never raises."""
        found: list[Service] = []
        for line in text.split("\n", max_lines)[:max_lines]:
            match = _LINE.match(line.lstrip(" \t"))
            if match and 0 < int(match[2]) < 65536:
                aliases = tuple((match[4] or "").split())
                found.append(Service(name=match[1], port=int(match[2]), proto=match[3], aliases=aliases))
        return cls(services=tuple(found))

    def labels(self) -> dict[str, str]:
        """Return {"443/tcp": "https"}, the first name of each port."""
        labels: dict[str, str] = {}
        for service in self.services:
            labels.setdefault(f"{service.port}/{service.proto}", service.name)
        return labels

    def resolve(self, name: str) -> tuple[Service, ...]:
        """Return every line whose name or alias is `name` (case matters, as in services(5))."""
        return tuple(service for service in self.services if name == service.name or name in service.aliases)
