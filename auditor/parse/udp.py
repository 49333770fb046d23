"""/proc/net/udp, udp6, udplite and udplite6: a section with its readings in, the sockets that take datagrams out.

UDP has no state for listening: a socket without a peer (state 07) takes what comes, a connected one (01) only its
peer's. A client looks like a server until it is connected, so one whose port lies in the host's own ephemeral range is
told apart. The kernel finds its place in these tables by counting rows (net/ipv4/udp.c `udp_get_idx`), so a socket that
closes during a reading can hide another; hence several readings, and what any of them shows is there.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from auditor.model.facts import Proto
from auditor.model.snapshot import Section
from auditor.parse.inet import Row, Width, all_rows, count_rows, read_header, split_readings
from auditor.parse.socket import Socket, WordOrder, decode_address
from auditor.parse.table import Table, open_table

READINGS = 3
_Key = tuple[bytes, int, bytes, int, int, int]


@dataclass(frozen=True, slots=True)
class EphemeralPorts:
    """The ports that this host's kernel hands to clients (ip_local_port_range without ip_local_reserved_ports)."""

    low: int
    high: int
    reserved: Collection[range] = ()

    def __contains__(self, port: int) -> bool:
        return self.low <= port <= self.high and not any(port in span for span in self.reserved)


def parse_udp(
    name: str,
    section: Section | None,
    order: WordOrder,
    ephemeral: EphemeralPorts | None,
    *,
    optional: bool = False,
) -> Table:
    """Return what the table says; `ephemeral` None: not known, so no socket is taken for a client. Never raises."""
    table = open_table(name, section, optional=optional)
    lite = name.startswith("udplite")
    readings = 1 if lite else READINGS
    header = read_header(table)
    if not header or table.data == header * readings:
        return table
    width: Width = 32 if name.endswith("6") else 8
    union = read_sockets(table, width, header, readings)
    table.states = dict(sorted(Counter(row.state for row, _ in union).items()))
    unknown = sorted(table.states.keys() - {0x01, 0x07})
    if unknown:
        words = ", ".join(f"{state:02X}" for state in unknown[:5])
        table.fail("malformed", f"rows are in states no kernel is known to have here ({words})")
    proto: Proto = "udplite" if lite else "udp"
    for row, seen in union:
        if row.state == 0x07 and not row.remote_port and row.port:
            kind: Literal["listener", "ephemeral-udp"] = "listener"
            if ephemeral is not None and row.port in ephemeral:
                kind = "ephemeral-udp"
            place = decode_address(row.local, order)
            table.add(Socket(proto, place, row.port, row.raw, uid=row.uid, kind=kind, seen=seen, inode=row.inode))
    return table


def read_sockets(table: Table, width: Width, header: bytes, readings: int) -> list[tuple[Row, Literal["all", "some"]]]:
    """Return the sockets of all readings. On a quiet host those are the same bytes, and decoded once."""
    parts = split_readings(table, header, readings)
    distinct = parts[:1] if parts.count(parts[0]) == len(parts) else parts
    found = [all_rows(part, width) for part in distinct]
    count_rows(table, width, sum(map(len, found)) * (len(parts) // len(distinct)), headers=len(parts))
    return _unite(table, found)


def _unite(table: Table, readings: Sequence[Sequence[Row]]) -> list[tuple[Row, Literal["all", "some"]]]:
    """Return each socket of any reading once, and whether all readings show it.

    The inode tells sockets apart; several without one (a kernel's own) are told apart by how many a reading shows.
    """
    first: dict[_Key, Row] = {}
    shown: Counter[_Key] = Counter()
    for reading in readings:
        within: Counter[_Key] = Counter()
        for row in reading:
            twin: _Key = (row.local, row.port, row.remote, row.remote_port, row.inode, 0)
            nth = within[twin]
            within[twin] += 1
            if nth and row.inode:
                table.duplicates += 1
                continue
            key: _Key = (*twin[:5], nth)
            first.setdefault(key, row)
            shown[key] += 1
    table.rows = table.full = len(first)
    return [(row, "all" if shown[key] == len(readings) else "some") for key, row in first.items()]
