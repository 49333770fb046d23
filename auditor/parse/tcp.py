"""/proc/net/tcp and tcp6: a section in, the listening sockets out.

The kernel walks the listening sockets first and each socket once (net/ipv4/tcp_ipv4.c `tcp_seq_next`), but nothing here
relies on their place: every row's own state decides. A socket that is listed twice in one reading is the same socket.
"""

from auditor.model.snapshot import Section
from auditor.parse.inet import Width, listening_rows, read_header, read_uid
from auditor.parse.socket import Socket, WordOrder, decode_end
from auditor.parse.table import Table, open_table

# include/net/tcp_states.h; request sockets (0x0C) are printed as 03.
_KNOWN_STATES = range(0x01, 0x0C)


def parse_tcp(name: str, section: Section | None, order: WordOrder, *, optional: bool = False) -> Table:
    """Return what the table says; `optional`: it may be absent. Never raises."""
    table = open_table(name, section, optional=optional)
    header = read_header(table)
    if not header or table.data == header:
        return table
    width: Width = 32 if name.endswith("6") else 8
    listening = listening_rows(table, width)
    unknown = [f"{state:02X}" for state in table.states if state not in _KNOWN_STATES]
    if unknown:
        table.fail("malformed", f"rows are in states no kernel is known to have ({', '.join(unknown[:5])})")
    seen: set[int] = set()
    for raw, end, queue, uid, inode, _ in listening:
        number = int(inode)
        place, port = decode_end(end, order)
        if number and number in seen:
            table.duplicates += 1
        elif not port:
            table.reject(None, raw.strip())
        else:
            seen.add(number)
            # A listener's receive queue counts connections that wait for accept(2) (`sk_ack_backlog`).
            waiting, text = int(queue, 16), raw.decode("ascii").strip()
            table.add(Socket("tcp", place, port, text, read_uid(uid), "listener", waiting, "all", number))
    table.full -= table.duplicates
    return table
