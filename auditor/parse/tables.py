"""Sections in, every socket table out, in a fixed order: which tables a host must have, and how many rows in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from auditor.model.snapshot import Section
from auditor.parse.packet import parse_packet
from auditor.parse.raw import parse_raw
from auditor.parse.sctp import parse_sctp
from auditor.parse.socket import WordOrder
from auditor.parse.sockstat import Counters
from auditor.parse.system import read_ephemeral
from auditor.parse.table import SMALL, Table
from auditor.parse.tcp import parse_tcp
from auditor.parse.udp import EphemeralPorts, parse_udp
from auditor.parse.unix import parse_unix

Sections = Mapping[str, Section]
_FEW = 16  # reserved spans that may be kept with a table


def parse_tables(sections: Sections, order: WordOrder) -> list[Table]:
    """Return every table. Never raises.

    Every Linux with networking has tcp, udp and raw; the IPv6 ones are missing where IPv6 is off, and then if_inet6 is
    missing too. UDP-Lite, ping, packet, SCTP and unix sockets can be left out of a kernel.
    """
    v6 = sections.get("if_inet6")
    no_ipv6 = v6 is not None and v6.status == "absent"
    ephemeral = read_ephemeral(sections)
    return [
        _read("tcp", sections, order),
        _read("tcp6", sections, order, optional=no_ipv6),
        _read("udp", sections, order, ephemeral),
        _read("udp6", sections, order, ephemeral, optional=no_ipv6),
        _read("udplite", sections, order, ephemeral, optional=True),
        _read("udplite6", sections, order, ephemeral, optional=True),
        _read("raw", sections, order),
        _read("raw6", sections, order, optional=no_ipv6),
        _read("icmp", sections, order, optional=True),
        _read("icmp6", sections, order, optional=True),
        _read("packet", sections, order, optional=True),
        _read("sctp", sections, order, optional=True),
        _read("unix", sections, order, optional=True),
    ]


def _read(
    name: str, sections: Sections, order: WordOrder, ephemeral: EphemeralPorts | None = None, *, optional: bool = False
) -> Table:
    """Return one table, settled: small ones, which are mostly empty and alike, are read once for a fleet."""
    section = sections.get(name)
    small = section is None or len(section.data) <= SMALL
    few = ephemeral is None or len(ephemeral.reserved) <= _FEW
    return (_parse_once if small and few else _parse)(name, section, order, ephemeral, optional)


def _parse(
    name: str, section: Section | None, order: WordOrder, ephemeral: EphemeralPorts | None, optional: bool
) -> Table:
    if name in _OTHERS:
        table = _OTHERS[name](section)
    elif name.startswith("udp"):
        table = parse_udp(name, section, order, ephemeral, optional=optional)
    else:
        table = (parse_tcp if name.startswith("tcp") else parse_raw)(name, section, order, optional=optional)
    table.settle()
    return table


_OTHERS: Mapping[str, Callable[[Section | None], Table]] = {
    "packet": parse_packet,
    "sctp": parse_sctp,
    "unix": parse_unix,
}
_parse_once = lru_cache(maxsize=256)(_parse)


def check_counts(tables: Sequence[Table], counters: Counters) -> list[Table]:
    """Return the tables, each whole one held against the kernel's own count of its sockets."""
    return [_check(table, counters) for table in tables]


def _check(table: Table, counters: Counters) -> Table:
    missing = counters.missing(table.name, table.full) if table.status == "ok" else 0
    if not missing:
        return table
    doubtful = replace(table, faults=list(table.faults))
    doubtful.fail(
        "inconsistent",
        f"the kernel counts {missing} more sockets here than this table shows ({table.full}): "
        "something hides rows, or the reading lost them; run again",
    )
    return doubtful
