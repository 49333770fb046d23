"""The sockets of one host, all of them: what netstat(8) shows. Nothing here is judged.

A busy host has tens of thousands, hence plain tuples.
"""

from typing import Literal, NamedTuple, get_args

from auditor.model.address import Address
from auditor.model.facts import Gap, Owner

SocketTable = Literal["tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6"]
SOCKET_TABLES: tuple[SocketTable, ...] = get_args(SocketTable)
"""In the order in which netstat shows them."""

TCP_STATES: dict[int, str] = {
    0x01: "ESTABLISHED",
    0x02: "SYN_SENT",
    0x03: "SYN_RECV",
    0x04: "FIN_WAIT1",
    0x05: "FIN_WAIT2",
    0x06: "TIME_WAIT",
    0x07: "CLOSE",
    0x08: "CLOSE_WAIT",
    0x09: "LAST_ACK",
    0x0A: "LISTEN",
    0x0B: "CLOSING",
}
"""include/net/tcp_states.h. A socket of another protocol borrows two: with a peer ESTABLISHED, without one CLOSE."""

UNIX_LISTENS = 0x10000
"""`__SO_ACCEPTCON` (include/linux/net.h) among the flags of a unix socket."""


class Holder(NamedTuple):
    """Who holds a socket. `program` is what netstat shows: argv[0], without the folder when it is a whole path."""

    owner: Owner
    program: str


class Connection(NamedTuple):
    """One row of a table of Internet sockets.

    `state` is the kernel's number. For raw sockets `local_port` is the IP protocol. The queues are in bytes, except on
    a TCP listener, where `recv_queue` counts connections that wait for accept(2). `timer` is the kind of timer,
    `expires` when it is due in hundredths of a second, `retransmits` and `probes` what went unanswered. `holders` are
    sorted by pid; empty: nobody was seen, or nobody looked.
    """

    table: SocketTable
    local: Address
    local_port: int
    remote: Address
    remote_port: int
    state: int
    recv_queue: int
    send_queue: int
    timer: int
    expires: int
    retransmits: int
    probes: int
    uid: int | None
    inode: int
    holders: tuple[Holder, ...] = ()


class UnixSocket(NamedTuple):
    """One row of the table of unix sockets; any local user chooses what its `path` says."""

    references: int
    protocol: int
    flags: int
    kind: int
    state: int
    inode: int
    path: str
    holders: tuple[Holder, ...] = ()


class Connections(NamedTuple):
    """Every socket of one host, in the kernel's order. `whole_view`: the processes of all users were looked into.

    `counted`: of a table with too many rows, how many by state stayed on the host.
    """

    inet: tuple[Connection, ...]
    unix: tuple[UnixSocket, ...]
    gaps: tuple[Gap, ...] = ()
    counted: tuple[tuple[SocketTable, int, int], ...] = ()
    whole_view: bool = False
