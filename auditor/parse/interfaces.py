"""/proc/net/dev and what links.sh printed of /sys/class/net: sections in, interfaces and their settings out.

net/core/net-procfs.c `dev_seq_printf_stats`, net/core/net-sysfs.c. /sys shows the network namespace it was mounted in,
which need not be the one that /proc/net shows: where both do not name the same interfaces, /sys is not believed.
"""

import re
from collections.abc import Mapping

from auditor.model.network import Interface, Interfaces, Link, Links, Traffic
from auditor.model.snapshot import Section
from auditor.parse.lines import read_lines
from auditor.parse.routes import read_name
from auditor.parse.table import Table, open_table

MAX_INTERFACES = 4096
"""Where links.sh stops, too."""
UP, RUNNING, LOWER_UP, DORMANT = 0x1, 0x40, 0x10000, 0x20000
_HEADER = re.compile(rb"Inter-\|[^\n]*\n face \|[^\n]*\n")
_ROW = re.compile(rb" *(\S{1,64}): *((?:[0-9]{1,20} +){15}[0-9]{1,20})\n")
_LINK = re.compile(rb"(\S{1,64})((?: \S{1,256}){9}) ([^\n]{1,256})\n")
_FLAGS = re.compile(rb"0x[0-9a-f]{1,8}")
_ELSEWHERE = (
    "/sys/class/net and /proc/net/dev do not name the same interfaces: they are of two network namespaces, or one came "
    "or went in between, so MTU and flags are not known; run again"
)


def parse_interfaces(sections: Mapping[str, Section]) -> Interfaces:
    """Return the interfaces with their counters. Never raises."""
    table = open_table("dev", sections.get("dev"))
    counters: dict[str, list[int]] = {}
    header = _HEADER.match(table.data)
    if table.data and header is None:
        table.fail("malformed", "this table does not begin with the kernel's header, so it is not a whole table")
    for number, line in read_lines(table, header.end() if header else 0):
        match = _ROW.fullmatch(line)
        if match is None:
            table.reject(number, line.rstrip(b"\n"))
        elif len(counters) < MAX_INTERFACES:
            counters[read_name(match[1])] = [int(word) for word in match[2].split()]
    _settle(table)
    links = parse_links(sections)
    known = {link.name: link for link in links.rows}
    if known and known.keys() != counters.keys():
        table.fail("inconsistent", _ELSEWHERE)
        known = {}
    rows = tuple(_interface(name, numbers, known.get(name)) for name, numbers in counters.items())
    gap = table.gap()
    return Interfaces(rows, (*((gap,) if gap else ()), *links.gaps))


def _settle(table: Table) -> None:
    if table.data.count(b"\n") > MAX_INTERFACES + 2:
        table.fail("truncated", f"only the first {MAX_INTERFACES} interfaces were kept")
    table.settle()


def _interface(name: str, numbers: list[int], link: Link | None) -> Interface:
    return Interface(
        name=name,
        mtu=link.mtu if link else None,
        flags=link.flags if link else None,
        received=Traffic(*numbers[:5]),
        sent=Traffic(*numbers[8:13]),
    )


def parse_links(sections: Mapping[str, Section]) -> Links:
    """Return the settings of the interfaces. Never raises."""
    table = open_table("links", sections.get("links"))
    if table.status == "empty":  # a namespace whose only interface is hidden; it has no header
        table.faults.clear()
    found: dict[str, Link] = {}
    for number, line in read_lines(table):
        match = _LINK.fullmatch(line)
        if match is None:
            table.reject(number, line.rstrip(b"\n"))
        else:
            found[read_name(match[1])] = _link(read_name(match[1]), match[2].split(), match[3])
    if len(found) >= MAX_INTERFACES:
        table.fail("truncated", f"only the first {MAX_INTERFACES} interfaces were read")
    table.settle()
    gap = table.gap()
    return Links(tuple(found[name] for name in sorted(found)), (gap,) if gap else ())


def _link(name: str, words: list[bytes], driver: bytes) -> Link:
    index, flags, mtu, state, carrier, speed, duplex, address, kind = words
    told = _text(state)
    return Link(
        name=name,
        number=_number(index),
        flags=_as_asked(int(flags, 16), told) if _FLAGS.fullmatch(flags) else None,
        mtu=_number(mtu),
        state=told,
        carrier={b"1": True, b"0": False}.get(carrier),
        speed=_read_speed(speed),
        duplex=_text(duplex),
        address=_text(address),
        kind=_number(kind),
        driver=_text(driver),
    )


def _as_asked(flags: int, state: str | None) -> int:
    """Return the flags as SIOCGIFFLAGS gives them, for which the kernel works some out (`dev_get_flags`).

    One difference stays: an interface that somebody captures on is promiscuous here, and only here.
    """
    flags &= ~(RUNNING | LOWER_UP | DORMANT)
    return flags | RUNNING if flags & UP and state in {"up", "unknown"} else flags


def _read_speed(word: bytes) -> int | None:
    """Return the speed; SPEED_UNKNOWN of include/uapi/linux/ethtool.h, which older kernels print unsigned, is -1."""
    return -1 if word in {b"-1", b"4294967295"} else _number(word)


def _number(word: bytes) -> int | None:
    return int(word) if word.isdigit() and len(word) <= 12 else None


def _text(word: bytes) -> str | None:
    return None if word == b"-" else word.decode("utf-8", "backslashreplace")
