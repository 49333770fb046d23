"""/proc/net/route and ipv6_route: sections in, the routing tables out.

net/ipv4/fib_trie.c `fib_route_seq_show`, net/ipv6/route.c `rt6_info_route`. An IPv4 address is printed as a word in the
host's byte order, an IPv6 one byte by byte.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import TypeVar

from auditor.model.network import Route, Route6, Routes
from auditor.model.snapshot import Section
from auditor.parse.lines import read_lines
from auditor.parse.socket import WordOrder
from auditor.parse.table import Table, open_table

Found = TypeVar("Found")
MAX_ROUTES = 65_536
_HEADER = re.compile(rb"Iface\tDestination\tGateway \tFlags\t[ -~\t]*\n")
_ROW = re.compile(
    rb"(\S{1,64})\t([0-9A-F]{8})\t([0-9A-F]{8})\t([0-9A-F]{4,8})\t([0-9]{1,10})\t([0-9]{1,10})\t([0-9]{1,10})"
    rb"\t([0-9A-F]{8})\t([0-9]{1,10})\t([0-9]{1,10})\t([0-9]{1,10}) *\n"
)
_ROW6 = re.compile(
    rb"([0-9a-f]{32}) ([0-9a-f]{2}) ([0-9a-f]{32}) ([0-9a-f]{2}) ([0-9a-f]{32})"
    rb" ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{8}) +(\S{1,64})\n"
)


def parse_routes(sections: Mapping[str, Section], order: WordOrder) -> Routes:
    """Return both tables; a host without IPv6 has one. Never raises."""
    table = open_table("route", sections.get("route"))
    start = 0
    if header := _HEADER.match(table.data):
        start = header.end()
    elif table.data:
        table.fail("malformed", "this table does not begin with the kernel's header, so it is not a whole table")
    ipv4 = tuple(_read(table, start, _ROW, lambda match: _route(match, order)))
    table6 = open_table("ipv6_route", sections.get("ipv6_route"), optional=True)
    if table6.status == "empty":  # it has no header, and no rows while IPv6 is only compiled in
        table6.faults.clear()
    ipv6 = tuple(_read(table6, 0, _ROW6, _route6))
    return Routes(ipv4, ipv6, tuple(gap for each in (table, table6) if (gap := each.gap()) is not None))


def _read(
    table: Table, start: int, grammar: re.Pattern[bytes], decode: Callable[[re.Match[bytes]], Found]
) -> Iterator[Found]:
    """Yield the rows from byte `start` on, reject other lines, and then say what is wrong with the table."""
    for number, line in read_lines(table, start):
        match = grammar.fullmatch(line)
        if match is None:
            table.reject(number, line.rstrip(b"\n"))
        elif table.rows < MAX_ROUTES:
            table.rows += 1
            yield decode(match)
        else:
            table.fail("truncated", f"only the first {MAX_ROUTES} routes were kept")
            break
    table.settle()


def _route(match: re.Match[bytes], order: WordOrder) -> Route:
    name, destination, gateway, flags, references, use, metric, mask, mtu, window, irtt = match.groups()
    return Route(
        destination=_word(destination, order),
        gateway=_word(gateway, order),
        mask=_word(mask, order),
        flags=int(flags, 16),
        metric=int(metric),
        references=int(references),
        use=int(use),
        interface=read_name(name),
        mtu=int(mtu),
        window=int(window),
        irtt=int(irtt),
    )


def _route6(match: re.Match[bytes]) -> Route6:
    destination, prefix, source, source_prefix, next_hop, metric, references, use, flags, name = match.groups()
    return Route6(
        destination=IPv6Address(int(destination, 16)),
        prefix=int(prefix, 16),
        source=IPv6Address(int(source, 16)),
        source_prefix=int(source_prefix, 16),
        next_hop=IPv6Address(int(next_hop, 16)),
        metric=int(metric, 16),
        references=int(references, 16),
        use=int(use, 16),
        flags=int(flags, 16),
        interface=read_name(name),
    )


def _word(digits: bytes, order: WordOrder) -> IPv4Address:
    return IPv4Address(int.from_bytes(int(digits, 16).to_bytes(4, "big"), order))


def read_name(name: bytes) -> str:
    """Return the name of an interface, which may hold any byte but white space and a slash (`dev_valid_name`)."""
    return name.decode("utf-8", "backslashreplace")
