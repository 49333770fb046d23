"""Rows in, their fields by name out, for JSON and CSV: numbers as numbers, names beside them, nothing cut."""

from auditor.model.connections import UNIX_LISTENS, Connection, Holder, UnixSocket
from auditor.model.names import Names, write_address
from auditor.netstat.connections import name_state, name_unix_state

Cell = str | int | float | None | list[str] | list[int]
Fields = dict[str, Cell]

CONNECTION_FIELDS = (
    "proto",
    "recv_queue",
    "send_queue",
    "local_address",
    "local_port",
    "local_name",
    "local_service",
    "remote_address",
    "remote_port",
    "remote_name",
    "remote_service",
    "state",
    "uid",
    "user",
    "inode",
    "timer",
    "timer_s",
    "retransmits",
    "probes",
    "pids",
    "programs",
)
UNIX_FIELDS = ("proto", "references", "listening", "type", "state", "inode", "pids", "programs", "path")
"""The names of the fields, in order; new ones are added at the end."""

_TIMERS = {0: None, 1: "on", 2: "keepalive", 3: "timewait", 4: "probe"}
_UNIX_KINDS = {1: "stream", 2: "dgram", 3: "raw", 4: "rdm", 5: "seqpacket"}


def list_connection(row: Connection, names: Names) -> Fields:
    """Return the fields of a row. `recv_queue` of a listener counts connections that wait to be accepted."""
    proto = row.table.removesuffix("6").removesuffix("lite")
    return {
        "proto": row.table,
        "recv_queue": row.recv_queue,
        "send_queue": row.send_queue,
        "local_address": write_address(row.local),
        "local_port": row.local_port,
        "local_name": names.hosts.get(row.local),
        "local_service": _service(row.local_port, proto, names),
        "remote_address": write_address(row.remote),
        "remote_port": row.remote_port,
        "remote_name": names.hosts.get(row.remote),
        "remote_service": _service(row.remote_port, proto, names),
        "state": name_plain_state(row),
        "uid": row.uid,
        "user": names.users.get(row.uid) if row.uid is not None else None,
        "inode": row.inode,
        "timer": _TIMERS.get(row.timer, str(row.timer)),
        "timer_s": row.expires / 100 if row.timer else None,
        "retransmits": row.retransmits,
        "probes": row.probes,
        **_list_holders(row.holders),
    }


def name_plain_state(row: Connection) -> str:
    """Return a word for the state, also where netstat has none, or a number: a UDP socket without peer, a raw one."""
    if row.table.startswith("tcp"):
        return name_state(row)
    return {1: "ESTABLISHED", 7: "UNCONNECTED"}.get(row.state, str(row.state))


def list_unix(row: UnixSocket) -> Fields:
    """Return the fields of a row of unix sockets."""
    return {
        "proto": "unix",
        "references": row.references,
        "listening": "yes" if row.flags & UNIX_LISTENS else "no",
        "type": _UNIX_KINDS.get(row.kind, str(row.kind)),
        "state": name_unix_state(row) or "UNCONNECTED",
        "inode": row.inode,
        **_list_holders(row.holders),
        "path": row.path,
    }


def _service(port: int, proto: str, names: Names) -> str | None:
    name = names.name_port(port, proto)
    return None if not port or name == str(port) else name


def _list_holders(holders: tuple[Holder, ...]) -> Fields:
    return {
        "pids": [holder.owner.pid for holder in holders],
        "programs": [holder.program for holder in holders],
    }
