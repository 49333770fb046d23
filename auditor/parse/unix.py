"""/proc/net/unix: a section in, how many sockets listen there. net/unix/af_unix.c `unix_seq_show`.

The kernel prints the path as it is, newlines and all, so any local user can write rows into this table. They are
there for the reader and decide nothing: neither a verdict nor whether the host is complete.
"""

import re
from typing import Literal

from auditor.model.facts import UnixListener
from auditor.model.snapshot import Section
from auditor.parse.table import Table, open_table

# Num RefCount Protocol Flags Type St Inode Path; flag 0x10000 is __SO_ACCEPTCON.
_LISTENING = re.compile(
    rb"^[0-9a-fA-F]+: [0-9A-F]{8} [0-9A-F]{8} 00010000 ([0-9A-F]{4}) [0-9A-F]{2} +[0-9]+ ([^\n]+)$", re.MULTILINE
)
_KINDS: dict[bytes, Literal["stream", "seqpacket"]] = {b"0001": "stream", b"0005": "seqpacket"}
_MAX_KEPT = 1000
_MAX_PATH = 200


def parse_unix(section: Section | None) -> Table:
    """Return how many rows say they listen. Never raises, and never is a fault."""
    table = open_table("unix", section, optional=True)
    table.rows = table.listeners = len(_LISTENING.findall(table.data))
    table.faults.clear()
    return table


def list_unix(section: Section | None) -> tuple[UnixListener, ...]:
    """Return what listens, sorted, each once and at most a thousand. Never raises."""
    rows = _LISTENING.findall(section.data) if section is not None else []
    found = sorted(set(rows[:_MAX_KEPT]), key=lambda row: (row[1], row[0]))
    return tuple(
        UnixListener(kind=_KINDS.get(kind, "unknown"), path=path[:_MAX_PATH].decode("utf-8", "backslashreplace"))
        for kind, path in found
    )
