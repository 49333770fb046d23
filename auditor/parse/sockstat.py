"""/proc/net/sockstat, sockstat6 and snmp, read before and after the tables: how many rows the tables must have.

The kernel counts its sockets apart from listing them (net/ipv4/proc.c `sockstat_seq_show`, include/net/sock.h
`sock_prot_inuse_get`), so a row that something hides or loses is missed here.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from auditor.model.snapshot import Section

_SMALL = 1024  # bytes; on a quiet host the counters are the same after the tables as before, and read once
_LINE = re.compile(rb"^([A-Z0-9]{1,16}): inuse ([0-9]{1,12})(?: |$)", re.MULTILINE)
_TCP = re.compile(rb"^Tcp: ([^\n]+)\nTcp: ([-0-9 ]+)$", re.MULTILINE)


class Span(NamedTuple):
    """A count before the tables were read and after."""

    before: int
    after: int


class Counters(NamedTuple):
    """`inuse` by table name (`tcp`, `udp6`), and the TCP connections opened in between (None: not known)."""

    inuse: dict[str, Span]
    opened: int | None

    def missing(self, name: str, rows: int) -> int:
        """Return how many of the sockets the kernel counted have no row, beyond what coming and going explains.

        Of the sockets counted afterwards, each has a row or was opened since; how many were opened is known for TCP
        (ActiveOpens and PassiveOpens), and how many were closed follows. A socket that closes may take a neighbour's
        row with it, so as many rows are forgiven as sockets closed. On a quiet host nothing is: one missing row shows,
        and on a busy one the listeners are safe without this, for they come first in the kernel's walk. UDP has no such
        counter; there `rows` is the union of several readings, which coming and going only makes larger.
        """
        span = self.inuse.get(name)
        if span is None or rows >= span.before:
            return 0
        opened = self.opened if name.startswith("tcp") and self.opened is not None else 0
        closed = max(0, span.before + opened - span.after)
        return max(0, min(span.before, span.after - opened) - closed - rows)


def read_counters(sections: Mapping[str, Section]) -> Counters:
    """Return what the counters say; a table that is not counted both times is left out. Never raises."""
    before = _inuse(sections, "1")
    after = _inuse(sections, "2")
    opened = (_opened(sections.get("snmp.1")), _opened(sections.get("snmp.2")))
    return Counters(
        inuse={name: Span(count, after[name]) for name, count in before.items() if name in after},
        opened=None if opened[0] is None or opened[1] is None else max(0, opened[1] - opened[0]),
    )


def _inuse(sections: Mapping[str, Section], which: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for name in ("sockstat", "sockstat6"):
        section = sections.get(f"{name}.{which}")
        if section is not None and section.status == "ok":
            found |= (_count_alike if len(section.data) <= _SMALL else _count)(section.data)
    return found


def _count(data: bytes) -> dict[str, int]:
    return {word.decode("ascii").lower(): int(count) for word, count in _LINE.findall(data)}


_count_alike = lru_cache(maxsize=32)(_count)


def _opened(section: Section | None) -> int | None:
    """Return how many TCP connections the namespace has opened since it began."""
    match = _TCP.search(section.data) if section is not None else None
    if match is None:
        return None
    row = dict(zip(match[1].split(), match[2].split(), strict=False))
    active, passive = row.get(b"ActiveOpens", b""), row.get(b"PassiveOpens", b"")
    return int(active) + int(passive) if active.isdigit() and passive.isdigit() and len(active + passive) < 64 else None
