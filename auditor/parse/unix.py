"""/proc/net/unix: a section in, how many sockets listen there. net/unix/af_unix.c `unix_seq_show`.

The kernel prints the path as it is, newlines and all, so any local user can write rows into this table. They are
counted for the reader and decide nothing: neither a verdict nor whether the host is complete.
"""

import re

from auditor.model.snapshot import Section
from auditor.parse.table import Table, open_table

# Num RefCount Protocol Flags Type St Inode Path; flag 0x10000 is __SO_ACCEPTCON.
_LISTENING = re.compile(rb"^[0-9a-fA-F]+: [0-9A-F]{8} [0-9A-F]{8} 00010000 [0-9A-F]{4} [0-9A-F]{2} ", re.MULTILINE)


def parse_unix(section: Section | None) -> Table:
    """Return how many rows say they listen. Never raises, and never is a fault."""
    table = open_table("unix", section, optional=True)
    table.rows = table.listeners = len(_LISTENING.findall(table.data))
    table.faults.clear()
    return table
