"""What findings say and their host's listeners in, where each is out: port, protocol, and which listener shows it."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from auditor.model.address import join_port
from auditor.reporters.html_census import Census

# `tcp 0.0.0.0:23 and [::]:23 (telnet)` of what listens, `9100/tcp (metrics)` of what should (evaluate/wording.py).
_DIGITS = 5
_SHOULD = re.compile(r"(\d{1,5})(?:-\d{1,5})?/([a-z]+)", re.ASCII)


class Place(NamedTuple):
    """`port` -1, `proto` None: the finding is about no port. `listener` counts within the host; -1: none shows it."""

    port: int
    proto: str | None
    listener: int


_NOTHING: tuple[int, str | None, Sequence[str]] = (-1, None, ())


class Locator:
    """Finds where findings are, host by host, by what their subjects say: every rule about a port names it there."""

    def __init__(self, census: Census) -> None:
        self._census = census
        self._numbers: dict[tuple[int, str | None], int] = {port: number for number, port in enumerate(census.ports)}

    def locate(self, host: int, subjects: Iterable[str | None]) -> Iterator[Place]:
        """Yield the place of each finding of a host by its subject; None: it is about no port."""
        addresses = self._census.addresses[host]
        ports = self._census.host_ports[host]
        first = dict(zip(reversed(ports), range(len(ports) - 1, -1, -1), strict=True))
        for subject in subjects:
            port, proto, words = _read_subject(subject) if subject else _NOTHING
            number = self._numbers.get((port, proto), -1) if words else -1
            at = first.get(number, -1)
            while at >= 0 and join_port(addresses[at], port) not in words:
                at = _find(number, ports, at + 1)
            yield Place(port, proto, at)


def _read_subject(subject: str) -> tuple[int, str | None, Sequence[str]]:
    """Return the port it is about, and words among which are the addresses where something listens, if it does."""
    proto, _, rest = subject.partition(" ")
    _, colon, port = rest.partition(" ")[0].rstrip(",").rpartition(":")
    if colon and proto.isalpha() and port.isdecimal() and len(port) <= _DIGITS:
        return int(port), proto, subject.replace(",", " ").split()
    if match := _SHOULD.match(subject):
        return int(match[1]), match[2], ()
    return _NOTHING


def _find(port: int, ports: Sequence[int], start: int) -> int:
    """Return where a port is again, from `start` on; -1 for nowhere."""
    try:
        return ports.index(port, start)
    except ValueError:
        return -1
