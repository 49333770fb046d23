"""/proc/net/unix: a section in, the sockets there out. net/unix/af_unix.c `unix_seq_show`.

The kernel prints the path as it is, newlines and all, so any local user can write rows into this table. They are
there for the reader and decide nothing: neither a verdict nor whether the host is complete.
"""

import re
from typing import Literal

from auditor.model.connections import UnixSocket
from auditor.model.facts import UnixListener
from auditor.model.snapshot import Section
from auditor.parse.table import Table, open_table, read_once

# Num RefCount Protocol Flags Type St Inode Path; flag 0x10000 is __SO_ACCEPTCON.
_LISTENING = re.compile(
    rb"^[0-9a-fA-F]+: [0-9A-F]{8} [0-9A-F]{8} 00010000 ([0-9A-F]{4}) [0-9A-F]{2} +[0-9]+ ([^\n]+)$", re.MULTILINE
)
_ROW = re.compile(
    rb"[0-9a-fA-F]{1,16}: ([0-9A-F]{8}) ([0-9A-F]{8}) ([0-9A-F]{8}) ([0-9A-F]{4}) ([0-9A-F]{2})"
    rb" +([0-9]{1,20})(?: (.*))?"
)
_KINDS: dict[bytes, Literal["stream", "seqpacket"]] = {b"0001": "stream", b"0005": "seqpacket"}
_MAX_KEPT = 1000
_MAX_PATH = 200
_MOST_LINES = 100_000  # probe.sh stops at 80,000
_LONGEST_PATH = 108  # sizeof(struct sockaddr_un.sun_path), linux/un.h


def parse_unix(section: Section | None) -> Table:
    """Return how many rows say they listen. Never raises, and never is a fault."""
    table = open_table("unix", section, optional=True)
    table.rows = table.listeners = len(_LISTENING.findall(table.data))
    table.faults.clear()
    return table


@read_once()
def list_unix(section: Section | None) -> tuple[UnixListener, ...]:
    """Return what listens, sorted, each once and at most a thousand. Never raises."""
    rows = _LISTENING.findall(section.data) if section is not None else []
    found = sorted(set(rows[:_MAX_KEPT]), key=lambda row: (row[1], row[0]))
    return tuple(
        UnixListener(kind=_KINDS.get(kind, "unknown"), path=path[:_MAX_PATH].decode("utf-8", "backslashreplace"))
        for kind, path in found
    )


def list_sockets(section: Section | None) -> list[UnixSocket]:
    """Return every socket in the kernel's order. Never raises.

    A line that is no row continues the path of the row before it, as far as a path can be long.
    """
    found: list[UnixSocket] = []
    lines = section.data.split(b"\n", _MOST_LINES)[1:_MOST_LINES] if section is not None else []
    for line in lines:
        if match := _ROW.fullmatch(line):
            references, protocol, flags, kind, state = (int(number, 16) for number in match.groups()[:5])
            path = (match[7] or b"")[:_LONGEST_PATH].decode("utf-8", "backslashreplace")
            found.append(UnixSocket(references, protocol, flags, kind, state, int(match[6]), path))
        elif line and found:
            path = f"{found[-1].path}\n{line.decode('utf-8', 'backslashreplace')}"
            found[-1] = found[-1]._replace(path=path[:_LONGEST_PATH])
    return found
