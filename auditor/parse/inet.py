"""The row grammar that tcp, udp, udplite, raw and icmp share, for IPv4 and IPv6.

Format strings: net/ipv4/tcp_ipv4.c `get_tcp4_sock`, net/ipv4/udp.c `udp4_format_sock`, net/ipv4/raw.c
`raw_sock_seq_show` and their IPv6 twins. Columns have minimum widths only, so rows are read by fields and never by
position; ten fields are used, and what follows them differs between tables and kernels. Every row is held against the
whole grammar, also those that are not listeners: a row nobody understands could be one. Only rows that are needed are
decoded.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal, NamedTuple

from auditor.parse.table import Table

Width = Literal[8, 32]
"""Hexadecimal digits of an address: 8 for IPv4, 32 for IPv6."""

HEADER = re.compile(rb" *sl +local_address +rem(?:ote)?_address +st [ -~]*\n")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
# Request and time-wait sockets have twelve fields, and /proc/net/sockstat counts none of them (`get_openreq4`,
# `get_timewait4_sock`).
_SHORT = re.compile(rb"^ *[0-9]+: +[^ \n]+ +[^ \n]+ +0[356](?: +[^ \n]+){8} *\n", re.MULTILINE)


def _compile(width: int, state: bytes, keep: bytes) -> re.Pattern[bytes]:
    """Return the grammar of a row; `keep` opens the groups of all fields but the state, which is always kept."""
    address = keep + rb"[0-9A-Fa-f]{%d}):" % width + keep + rb"[0-9A-Fa-f]{4}) +"
    queues = rb"[0-9A-Fa-f]{8,16}:" + keep + rb"[0-9A-Fa-f]{8,16}) +"
    timers = rb"[0-9A-Fa-f]{2}:[0-9A-Fa-f]{8,16} +[0-9A-Fa-f]{8,16} +"
    owner = keep + rb"[0-9]{1,10}) +-?[0-9]{1,20} +" + keep + rb"[0-9]{1,20})(?: [ -~]*)?\n"
    return re.compile(
        rb"^ *[0-9]+: +" + address + address + rb"(" + state + rb") +" + queues + timers + owner, re.MULTILINE
    )


_WIDTHS: tuple[Width, ...] = (8, 32)
_ROWS = {width: _compile(width, rb"[0-9A-Fa-f]{2}", rb"(") for width in _WIDTHS}
_LISTENING = {width: _compile(width, rb"0[Aa]", rb"(") for width in _WIDTHS}
_STATES = {width: _compile(width, rb"[0-9A-Fa-f]{2}", rb"(?:") for width in _WIDTHS}


class Row(NamedTuple):
    """The fields of a row that are used: addresses in the kernel's own digits, the rest decoded."""

    state: int
    local: bytes
    port: int
    remote: bytes
    remote_port: int
    queue: int
    uid: int | None
    inode: int
    raw: str

    @property
    def has_peer(self) -> bool:
        return self.remote_port != 0 or self.remote.strip(b"0") != b""


def check_header(table: Table) -> bool:
    """Return whether the table begins with its header; note a fault when it does not."""
    if HEADER.match(table.data):
        return True
    table.fail("malformed", "this table does not begin with the kernel's header, so it is not a whole table")
    return False


def count_states(table: Table, width: Width) -> Counter[int]:
    """Return how many rows are in each state; count the rows and reject what is none."""
    found: list[bytes] = _STATES[width].findall(table.data)
    states = Counter(found)
    _count(table, width, len(found), headers=1)
    if not states.keys().isdisjoint((b"03", b"05", b"06")):
        table.full -= len(_SHORT.findall(table.data))
    return Counter({int(state, 16): count for state, count in states.items()})


def listening_rows(table: Table, width: Width) -> Iterator[Row]:
    """Yield the rows in state LISTEN."""
    return map(_decode, _LISTENING[width].finditer(table.data))


def all_readings(table: Table, width: Width, readings: int) -> list[list[Row]]:
    """Return every row of each reading of the table; count the rows of all of them and reject what is none."""
    header = HEADER.match(table.data)
    parts = table.data.split(header.group())[1:] if header else []
    if len(parts) != readings:
        table.fail("truncated", f"this table was read {len(parts)} of {readings} times")
    found = [[_decode(match) for match in _ROWS[width].finditer(part)] for part in parts]
    _count(table, width, sum(map(len, found)), headers=len(parts))
    return found


def _count(table: Table, width: Width, rows: int, headers: int) -> None:
    table.rows = table.full = rows
    lines = table.data.count(b"\n") + (not table.data.endswith(b"\n"))
    if lines - headers != rows:
        table.reject(list(_find_bad(table.data, _ROWS[width])), lines - headers - rows)


def _find_bad(data: bytes, grammar: re.Pattern[bytes], most: int = 3) -> Iterator[tuple[int, bytes]]:
    """Yield the first lines that are neither header nor row, with their numbers."""
    for number, match in enumerate(_LINE.finditer(data), 1):
        if not grammar.fullmatch(match.group()) and not HEADER.fullmatch(match.group()):
            yield number, match.group().rstrip(b"\n")
            most -= 1
            if not most:
                return


def _decode(match: re.Match[bytes]) -> Row:
    local, port, remote, remote_port, state, queue, uid, inode = match.groups()
    owner = int(uid)
    return Row(
        int(state, 16),
        local,
        int(port, 16),
        remote,
        int(remote_port, 16),
        int(queue, 16),
        owner if owner < 1 << 32 else None,
        int(inode),
        match.group().decode("ascii").strip(),
    )
