"""/proc/net/packet: a section in, the packet sockets (sniffers) out. net/packet/af_packet.c `packet_seq_show`.

A packet socket sees frames below the firewall and has no port: its "port" here is the Ethernet protocol it asks for
(3: all of them), its address the interface it is bound to: `*` for every one, `if2` for the second.
"""

from auditor.model.snapshot import Section
from auditor.parse.columns import ColumnRow, read_columns
from auditor.parse.socket import Place, Socket
from auditor.parse.table import Table, open_table

_COLUMNS = (b"Proto", b"Iface", b"User", b"Inode")


def parse_packet(section: Section | None) -> Table:
    """Return what the table says; a kernel without packet sockets does not have it. Never raises."""
    table = open_table("packet", section, optional=True)
    seen: set[int] = set()
    for row in read_columns(table, _COLUMNS):
        socket, inode = _read(row), row.decimal(b"Inode")
        if socket is None or inode is None:
            table.reject(row.line, row.text)
            continue
        table.rows += 1
        if inode and inode in seen:
            table.duplicates += 1
            continue
        seen.add(inode)
        table.add(socket._replace(inode=inode))
    return table


def _read(row: ColumnRow) -> Socket | None:
    proto, interface = row.hexadecimal(b"Proto"), row.decimal(b"Iface")
    if proto is None or len(row.fields[b"Proto"]) != 4 or interface is None:
        return None
    # Bound to one interface or to all, it sees everything there, whatever the destination: nothing narrower fits.
    text = f"if{interface}" if interface else "*"
    place = Place(text, None, "wildcard", (0, interface.to_bytes(9, "big"), text))
    return Socket("packet", place, proto, row.text.decode("ascii").strip(), uid=row.decimal(b"User"))
