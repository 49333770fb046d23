"""/proc/net/igmp and igmp6: sections in, the multicast groups of every interface out.

net/ipv4/igmp.c `igmp_mc_seq_show`, net/ipv6/mcast.c `igmp6_mc_seq_show`. In the first a line for the interface stands
above those of its groups, whose addresses are words in the host's byte order.
"""

import re
from collections.abc import Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address

from auditor.model.network import Group, Groups
from auditor.model.snapshot import Section
from auditor.parse.lines import read_lines
from auditor.parse.routes import read_name
from auditor.parse.socket import WordOrder
from auditor.parse.table import Table, open_table

MAX_GROUPS = 65_536
_HEADER = re.compile(rb"Idx\tDevice[^\n]*\n")
_INTERFACE = re.compile(rb"[0-9]{1,10}\t(\S{1,64}?) *: *[0-9]{1,10} +V[123]\n")
_GROUP = re.compile(rb"\t+([0-9A-F]{8}) +([0-9]{1,10}) [01]:[0-9A-F]{8}\t\t[0-9]\n")
_GROUP6 = re.compile(rb"[0-9]{1,10} +(\S{1,64}) +([0-9a-f]{32}) +([0-9]{1,10}) [0-9A-F]{8} [0-9]{1,20}\n")


def parse_groups(sections: Mapping[str, Section], order: WordOrder) -> Groups:
    """Return the groups; a kernel may know no multicast, or no IPv6. Never raises."""
    tables = [open_table(name, sections.get(name), optional=True) for name in ("igmp", "igmp6")]
    if tables[1].status == "empty":  # it has no header, and nothing in it while every interface is down
        tables[1].faults.clear()
    rows = (*_read_igmp(tables[0], order), *_read_igmp6(tables[1]))
    for table in tables:
        if table.rows > MAX_GROUPS:
            table.fail("truncated", f"only the first {MAX_GROUPS} groups were kept")
        table.settle()
    return Groups(rows, tuple(gap for table in tables if (gap := table.gap()) is not None))


def _read_igmp(table: Table, order: WordOrder) -> Iterator[Group]:
    name = ""
    for number, line in read_lines(table):
        if number == 1 and _HEADER.fullmatch(line):
            continue
        if above := _INTERFACE.fullmatch(line):
            name = read_name(above[1])
        elif name and (match := _GROUP.fullmatch(line)):
            table.rows += 1
            if table.rows <= MAX_GROUPS:
                address = int.from_bytes(int(match[1], 16).to_bytes(4, "big"), order)
                yield Group(name, int(match[2]), IPv4Address(address))
        else:
            table.reject(number, line.rstrip(b"\n"))


def _read_igmp6(table: Table) -> Iterator[Group]:
    for number, line in read_lines(table):
        match = _GROUP6.fullmatch(line)
        if match is None:
            table.reject(number, line.rstrip(b"\n"))
            continue
        table.rows += 1
        if table.rows <= MAX_GROUPS:
            yield Group(read_name(match[1]), int(match[3]), IPv6Address(int(match[2], 16)))
