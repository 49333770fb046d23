"""The row grammar that tcp, udp, udplite, raw and icmp share, for IPv4 and IPv6.

Format strings: net/ipv4/tcp_ipv4.c `get_tcp4_sock`, net/ipv4/udp.c `udp4_format_sock`, net/ipv4/raw.c
`raw_sock_seq_show` and their IPv6 twins. Columns have minimum widths only, so rows are read by fields and never by
position; ten fields are used, and what follows them differs between tables and kernels. Every row is held against the
whole grammar, also those that are not listeners: a row nobody understands could be one. Only rows that are needed are
decoded.
"""

import re
from collections import Counter
from collections.abc import Collection
from typing import Literal, NamedTuple

from auditor.parse.table import Table

Width = Literal[8, 32]
"""Hexadecimal digits of an address: 8 for IPv4, 32 for IPv6."""

HEADER = re.compile(rb" *sl +local_address +rem(?:ote)?_address +st [ -~]*\n")
_LINE = re.compile(rb"[^\n]*\n|[^\n]+\Z")
# Request and time-wait sockets have twelve fields, and /proc/net/sockstat counts none of them (`get_openreq4`,
# `get_timewait4_sock`).
# What connections() of probe.sh prints in place of a large table's rows: state, whether they are short, how many.
_COUNTED = re.compile(rb"^# (0[1-9B]) (full|short) ([1-9][0-9]{0,8})\n", re.MULTILINE)
_SHORT = re.compile(rb"^ *[0-9]+: +[^ \n]+ +[^ \n]+ +0[356](?: +[^ \n]+){8} *\n", re.MULTILINE)


_LISTEN = 0x0A  # include/net/tcp_states.h
_FIELDS = (
    *("local", "port", "remote", "remote_port", "state", "sent", "queue"),
    *("timer", "expires", "retransmits", "uid", "probes", "inode"),
)


def _spell(width: int, state: bytes, kept: Collection[str]) -> bytes:
    """Return the grammar of a row with groups for the `kept` fields, with `end` for the local address and port in one,
    and with `raw` for all of it."""
    field = {name: rb"(" if name in kept else rb"(?:" for name in ("end", *_FIELDS)}
    end = field["local"] + rb"[0-9A-Fa-f]{%d}):" % width + field["port"] + rb"[0-9A-Fa-f]{4})"
    local = field["end"] + end + rb") +"
    remote = field["remote"] + rb"[0-9A-Fa-f]{%d}):" % width + field["remote_port"] + rb"[0-9A-Fa-f]{4}) +"
    queues = field["sent"] + rb"[0-9A-Fa-f]{8,16}):" + field["queue"] + rb"[0-9A-Fa-f]{8,16}) +"
    timer = field["timer"] + rb"[0-9A-Fa-f]{2}):" + field["expires"] + rb"[0-9A-Fa-f]{8,16}) +"
    tries = field["retransmits"] + rb"[0-9A-Fa-f]{8,16}) +"
    owner = field["uid"] + rb"[0-9]{1,10}) +" + field["probes"] + rb"-?[0-9]{1,20}) +"
    inode = field["inode"] + rb"[0-9]{1,20})(?: [ -~]*)?\n"
    row = rb" *[0-9]+: +" + local + remote + field["state"] + state + rb") +" + queues + timer + tries + owner + inode
    return rb"(" + row + rb")" if "raw" in kept else row


def _compile(*grammars: bytes) -> re.Pattern[bytes]:
    return re.compile(rb"^(?:" + rb"|".join(grammars) + rb")", re.MULTILINE)


_WIDTHS: tuple[Width, ...] = (8, 32)
_ANY = rb"[0-9A-Fa-f]{2}"
_NEEDED = ("raw", "end", "queue", "uid", "inode")  # of a row in state LISTEN; of every other, its state
_ROWS = {width: _compile(_spell(width, _ANY, _FIELDS)) for width in _WIDTHS}
_LISTENING = {width: _compile(_spell(width, rb"0[Aa]", _NEEDED), _spell(width, _ANY, ("state",))) for width in _WIDTHS}


class Row(NamedTuple):
    """The fields of a row: addresses in the kernel's own digits, the rest decoded.

    `queue` is the receive queue. `timer` is the kind of timer that runs, `expires` when, in hundredths of a second;
    `retransmits` and `probes` are how often something was sent again without an answer.
    """

    state: int
    local: bytes
    port: int
    remote: bytes
    remote_port: int
    queue: int
    uid: int | None
    inode: int
    raw: str
    send_queue: int = 0
    timer: int = 0
    expires: int = 0
    retransmits: int = 0
    probes: int = 0


def read_header(table: Table) -> bytes:
    """Return the header with which the table must begin; note a fault and return nothing when it does not."""
    if header := HEADER.match(table.data):
        return header.group()
    if table.data:
        table.fail("malformed", "this table does not begin with the kernel's header, so it is not a whole table")
    return b""


def listening_rows(table: Table, width: Width) -> list[tuple[bytes, ...]]:
    """Return the rows in state LISTEN as (raw, end, queue, uid, inode, b""), in the kernel's own digits; `end` is where
    the socket is bound, as `decode_end` takes it.

    Nothing else is needed of them, and decoding the rest as well would cost more than all that is done with it. How
    many rows are in each state is noted in the table, and what is no row is rejected there. Of a large table most rows
    stayed on the host, and only their counts came.
    """
    found: list[tuple[bytes, ...]] = _LISTENING[width].findall(table.data)
    counted: list[tuple[bytes, bytes, bytes]] = _COUNTED.findall(table.data) if b"\n# " in table.data else []
    count_rows(table, width, len(found), headers=1, counts=len(counted))
    listening = [row for row in found if row[0]]
    states = {_LISTEN: len(listening)} if listening else {}
    others = [row[-1] for row in found if not row[0]]
    for digits, number in Counter(others).items() if others else ():
        state = int(digits, 16)
        states[state] = states.get(state, 0) + number
    if not states.keys().isdisjoint((0x03, 0x05, 0x06)):
        table.full -= len(_SHORT.findall(table.data))
    for digits, length, rows in counted:
        state = int(digits, 16)
        states[state] = states.get(state, 0) + int(rows)
        table.rows += int(rows)
        table.full += int(rows) if length == b"full" else 0
    table.states = dict(sorted(states.items()))
    return listening


def all_rows(data: bytes, width: Width) -> list[Row]:
    """Return every row of one reading."""
    return [_decode(match) for match in _ROWS[width].finditer(data)]


def split_readings(table: Table, header: bytes, readings: int) -> list[bytes]:
    """Return what follows each header; note a fault when the table was not read as often as it should be."""
    parts = table.data.split(header)[1:]
    if len(parts) != readings:
        table.fail("truncated", f"this table was read {len(parts)} of {readings} times")
    return parts


def count_rows(table: Table, width: Width, rows: int, headers: int, counts: int = 0) -> None:
    """Note how many rows were understood, and reject every other line but the headers and the counts."""
    table.rows = table.full = rows
    lines = table.data.count(b"\n") + (not table.data.endswith(b"\n"))
    if lines - headers - counts != rows:
        _reject_others(table, _ROWS[width], headers, counts)


def _reject_others(table: Table, grammar: re.Pattern[bytes], headers: int, counts: int) -> None:
    """Reject the lines that are neither row nor one of the headers or counts."""
    for number, match in enumerate(_LINE.finditer(table.data), 1):
        line = match.group()
        if headers and HEADER.fullmatch(line):
            headers -= 1
        elif counts and _COUNTED.fullmatch(line):
            counts -= 1
        elif not grammar.fullmatch(line):
            table.reject(number, line.rstrip(b"\n"))


def _decode(match: re.Match[bytes]) -> Row:
    local, port, remote, remote_port, state, sent, queue, timer, expires, retransmits, uid, probes, inode = (
        match.groups()
    )
    return Row(
        int(state, 16),
        local,
        int(port, 16),
        remote,
        int(remote_port, 16),
        int(queue, 16),
        read_uid(uid),
        int(inode),
        match.group().decode("ascii").strip(),
        int(sent, 16),
        int(timer, 16),
        int(expires, 16),
        int(retransmits, 16),
        int(probes),
    )


def read_uid(digits: bytes) -> int | None:
    """Return a uid, None for what cannot be one."""
    uid = int(digits)
    return uid if uid < 1 << 32 else None
