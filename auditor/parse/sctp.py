"""/proc/net/sctp/eps: a section in, the listening SCTP endpoints out. net/sctp/proc.c `sctp_eps_seq_show`.

Unlike the other tables it prints ports in decimal and addresses in words, several to a row; its columns drift over
kernel versions. The file exists only while the sctp module is loaded.
"""

from ipaddress import ip_address

from auditor.model.address import unmap
from auditor.model.snapshot import Section
from auditor.parse.columns import ColumnRow, read_columns
from auditor.parse.socket import Place, Socket, place_of
from auditor.parse.table import Table, open_table

_COLUMNS = (b"SST", b"LPORT", b"LADDRS")
_LISTENING = 10  # include/net/sctp/constants.h SCTP_SS_LISTENING = TCP_LISTEN


def parse_sctp(section: Section | None) -> Table:
    """Return what the table says. Never raises."""
    table = open_table("sctp", section, optional=True)
    for row in read_columns(table, _COLUMNS):
        state, port, places = row.decimal(b"SST"), row.decimal(b"LPORT"), _places(row)
        if state is None or port is None or port > 0xFFFF or not places or (state == _LISTENING and not port):
            table.reject(row.line, row.text)
            continue
        table.rows += 1
        if state == _LISTENING:
            raw = " ".join(row.text.decode("ascii").split())
            uid = row.decimal(b"UID") if b"UID" in row.fields else None
            inode = (row.decimal(b"INODE") if b"INODE" in row.fields else None) or 0
            for place in places:
                table.add(Socket("sctp", place, port, raw, uid=uid, inode=inode))
    return table


def _places(row: ColumnRow) -> list[Place]:
    """Return where the endpoint is bound; nothing when one of its addresses is not one."""
    try:
        return [place_of(unmap(ip_address(word.decode("ascii").lstrip("*")))) for word in row.rest]
    except ValueError:
        return []
