"""A finding and its host's listeners in, where the finding is out: port, protocol, and which listener shows it."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from auditor.model.address import join_port
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.report import JudgedListener

# `tcp 0.0.0.0:23 and [::]:23 (telnet)` of what listens, `9100/tcp (metrics)` of what should (evaluate/wording.py).
_LISTENS = re.compile(r"([a-z]+) \S*?:(\d{1,5})(?!\S)", re.ASCII)
_SHOULD = re.compile(r"(\d{1,5})(?:-\d{1,5})?/([a-z]+)", re.ASCII)


class Place(NamedTuple):
    """`port` -1, `proto` None: the finding is about no port. `listener` counts within the host; -1: none shows it."""

    port: int
    proto: str | None
    listener: int


_NOWHERE = Place(-1, None, -1)


def locate_finding(finding: Finding, listeners: Sequence[JudgedListener]) -> Place:
    """Return where a finding is. It is read from the subject, which names the port for every rule about one."""
    if finding.rule in INCOMPLETE_RULES:
        return _NOWHERE
    subject = finding.subject
    if match := _LISTENS.match(subject):
        proto, port = match[1], int(match[2])
        words = subject.replace(",", " ").split()
        for at, one in enumerate(listeners):
            if one.port == port and one.proto == proto and join_port(one.address, port) in words:
                return Place(port, proto, at)
        return Place(port, proto, -1)
    if match := _SHOULD.match(subject):
        return Place(int(match[1]), match[2], -1)
    return _NOWHERE
