"""A finding and its host's listeners in, where the finding is out: port, protocol, and which listener shows it."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from auditor.model.address import join_port
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.report import JudgedListener
from auditor.reporters.html_census import Census

# `tcp 0.0.0.0:23 and [::]:23 (telnet)` of what listens, `9100/tcp (metrics)` of what should (evaluate/wording.py).
_DIGITS = 5
_Port = tuple[object, object]
_SHOULD = re.compile(r"(\d{1,5})(?:-\d{1,5})?/([a-z]+)", re.ASCII)


class Place(NamedTuple):
    """`port` -1, `proto` None: the finding is about no port. `listener` counts within the host; -1: none shows it."""

    port: int
    proto: str | None
    listener: int


_NOWHERE = Place(-1, None, -1)


class Locator:
    """Finds where findings are, host by host, by what their subjects say: every rule about a port names it there."""

    def __init__(self, census: Census) -> None:
        self._ports = list(zip(census.column("port"), census.column("proto"), strict=True))

    def locate(
        self, findings: Sequence[Finding], listeners: Sequence[JudgedListener], kinds: Sequence[int]
    ) -> Iterator[Place]:
        """Yield the place of each finding of a host, whose listeners are of these kinds."""
        ports = list(map(self._ports.__getitem__, kinds))
        first = dict(zip(reversed(ports), range(len(ports) - 1, -1, -1), strict=True))
        for finding in findings:
            yield _NOWHERE if finding.rule in INCOMPLETE_RULES else _locate(finding.subject, listeners, ports, first)


def _locate(
    subject: str, listeners: Sequence[JudgedListener], ports: Sequence[_Port], first: Mapping[_Port, int]
) -> Place:
    """`first` has the first listener on each port."""
    proto, _, rest = subject.partition(" ")
    _, colon, port = rest.partition(" ")[0].rpartition(":")
    if colon and proto.isalpha() and port.isdecimal() and len(port) <= _DIGITS:
        number = int(port)
        at = first.get((number, proto), -1)
        if at >= 0 and join_port(listeners[at].address, number) not in _list_places(subject):
            at = _find(subject, listeners, ports, (number, proto))
        return Place(number, proto, at)
    if match := _SHOULD.match(subject):
        return Place(int(match[1]), match[2], -1)
    return _NOWHERE


def _list_places(subject: str) -> list[str]:
    return subject.replace(",", " ").split()


def _find(subject: str, listeners: Sequence[JudgedListener], ports: Sequence[_Port], port: tuple[int, str]) -> int:
    """Return the number of the first listener on `port` that the subject names; -1 for none."""
    words = _list_places(subject)
    at = -1
    for _ in range(ports.count(port)):
        at = ports.index(port, at + 1)
        if join_port(listeners[at].address, port[0]) in words:
            return at
    return -1
