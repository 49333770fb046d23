"""/proc/net/raw, raw6, icmp and icmp6: a section in, the raw sockets out.

A raw socket's "port" is its IP protocol (net/ipv4/raw.c `raw_sock_seq_show` prints inet_num). It gets a copy of every
packet of that protocol, connected or not, so all of them count. Ping sockets (icmp, icmp6) answer nobody: counted only.
"""

from auditor.model.snapshot import Section
from auditor.parse.inet import Width, all_rows, count_rows, read_header
from auditor.parse.socket import Socket, WordOrder, decode_address
from auditor.parse.table import Table, open_table


def parse_raw(name: str, section: Section | None, order: WordOrder, *, optional: bool = False) -> Table:
    """Return what the table says; `optional`: it may be absent. Never raises."""
    table = open_table(name, section, optional=optional)
    header = read_header(table)
    if not header or table.data == header:
        return table
    width: Width = 32 if name.endswith("6") else 8
    rows = all_rows(table.data, width)
    count_rows(table, width, len(rows), headers=1)
    seen: set[int] = set()
    for row in rows:
        if row.inode and row.inode in seen:
            table.duplicates += 1
            continue
        seen.add(row.inode)
        if name.startswith("raw"):
            place = decode_address(row.local, order)
            table.add(Socket("raw", place, row.port, row.raw, uid=row.uid, inode=row.inode))
    table.full -= table.duplicates
    return table
