"""Connections in, netstat's tables of sockets out: its columns, widths, headings, state names and truncation."""

from collections.abc import Iterable

from auditor.display import escape
from auditor.model.address import Address
from auditor.model.connections import TCP_STATES, UNIX_LISTENS, Connection, Connections, Holder, UnixSocket
from auditor.model.names import Names
from auditor.netstat.block import Block
from auditor.netstat.view import View

_ADDRESS_WIDTH = 22
_LONGEST_PORT = _ADDRESS_WIDTH - 4
_PROGRAM_WIDTH = 20
_LABELS = {"udplite": "udpl", "udplite6": "udpl6"}
_UNIX_KINDS = {1: "STREAM", 2: "DGRAM", 3: "RAW", 4: "RDM", 5: "SEQPACKET"}
_UNIX_STATES = {0: "FREE", 2: "CONNECTING", 3: "CONNECTED", 4: "DISCONNECTING"}
_UNIX_FLAGS = ((UNIX_LISTENS, "ACC "), (0x20000, "W "), (0x40000, "N "))
_TCP_TIMERS = {1: "on", 2: "keepalive", 3: "timewait", 4: "probe"}
_TICKS = 100  # USER_HZ, in which /proc counts time


def show_connections(connections: Connections, names: Names, view: View) -> list[Block]:
    """Return the blocks of Internet and of unix sockets that `view` asks for, without rows where there are none."""
    blocks = []
    if view.protos:
        rows = [show_connection(row, names, view) for row in choose_connections(connections.inet, view)]
        blocks.append(Block(_inet_head(view), rows))
    if view.unix:
        blocks.append(Block(_unix_head(view), [show_unix(row, view) for row in choose_unix(connections.unix, view)]))
    return blocks


def choose_connections(rows: Iterable[Connection], view: View) -> list[Connection]:
    """Return the rows of the tables that `view` shows, servers or not as it says."""
    return [row for row in rows if _is_asked(row, view) and (view.all or _is_server(row) == view.listening)]


def choose_unix(rows: Iterable[UnixSocket], view: View) -> list[UnixSocket]:
    """Return the unix sockets that `view` shows."""
    if not view.unix:
        return []
    return [row for row in rows if view.all or is_unix_server(row) == view.listening]


def is_unix_server(row: UnixSocket) -> bool:
    return row.state == 1 and bool(row.flags & UNIX_LISTENS)


def _is_asked(row: Connection, view: View) -> bool:
    proto, family = row.table.removesuffix("6"), "inet6" if row.table.endswith("6") else "inet"
    return proto in view.protos and family in view.families


def _is_server(row: Connection) -> bool:
    """Return what net-tools takes for a server: of TCP what has no peer's port, else what has no peer's address."""
    if row.table.startswith("tcp"):
        return row.remote_port == 0
    return int(row.remote) == 0


def _inet_head(view: View) -> tuple[str, ...]:
    columns = "Proto Recv-Q Send-Q Local Address           Foreign Address         State      "
    if view.extend:
        columns += " User       Inode     "
    if view.programs:
        columns += f" {'PID/Program name':<{_PROGRAM_WIDTH}}"
    if view.timers:
        columns += " Timer"
    return f"Active Internet connections {view.scope}", columns


def _unix_head(view: View) -> tuple[str, ...]:
    columns = "Proto RefCnt Flags       Type       State         I-Node  "
    if view.programs:
        columns += f" {'PID/Program name':<{_PROGRAM_WIDTH}}"
    return f"Active UNIX domain sockets {view.scope}", f"{columns} Path"


def show_connection(row: Connection, names: Names, view: View) -> str:
    """Return one row of the table of Internet sockets."""
    label = _LABELS.get(row.table, row.table)
    local = show_endpoint(row.local, row.local_port, row.table, names, view)
    remote = show_endpoint(row.remote, row.remote_port, row.table, names, view)
    line = f"{label:<5} {row.recv_queue:6} {row.send_queue:6} {local:<23} {remote:<23} {name_state(row):<11}"
    if view.extend:
        user = escape(names.name_user(row.uid, numeric=view.numeric_users))
        line += f" {user:<10} {row.inode:<10}"
    if view.programs:
        line += f" {_name_program(row.holders):<{_PROGRAM_WIDTH}}"
    if view.timers:
        line += f" {show_timer(row)}"
    return line


def show_endpoint(address: Address, port: int, table: str, names: Names, view: View) -> str:
    """Return `address:port`, cut to its column unless `view` is wide: the address first, of the port up to 18."""
    proto = table.removesuffix("6").removesuffix("lite")
    host = _name_address(address, names, view)
    service = escape(names.name_port(port, proto, numeric=view.numeric_ports))
    if not view.wide and len(host) + len(service) > _ADDRESS_WIDTH:
        service = service[:_LONGEST_PORT]
        host = host[: _ADDRESS_WIDTH - len(service)]
    return f"{host}:{service}"


def _name_address(address: Address, names: Names, view: View) -> str:
    if int(address) == 0 and not view.numeric_hosts:
        if view.classic:
            return "*"
        return "0.0.0.0" if address.version == 4 else "[::]"  # noqa: S104  # written, not bound to
    return escape(names.name_address(address, numeric=view.numeric_hosts))


def name_state(row: Connection) -> str:
    """Return the state as netstat prints it: of raw sockets the kernel's number."""
    if row.table.startswith("tcp"):
        return TCP_STATES.get(row.state, f"UNKNOWN({row.state})")
    if row.table.startswith("raw"):
        return str(row.state)
    return {1: "ESTABLISHED", 7: ""}.get(row.state, "UNKNOWN")


def show_timer(row: Connection) -> str:
    """Return the timer column: which one runs, the seconds until it is due, and what went unanswered."""
    tcp = row.table.startswith("tcp")
    retransmits = 0 if row.table.startswith("udp") else row.retransmits
    if row.timer == 0:
        return f"off (0.00/{retransmits}/{row.probes})"
    known = _TCP_TIMERS.get(row.timer) if tcp else {1: "on1", 2: "on2"}.get(row.timer)
    return f"{known or f'unkn-{row.timer}'} ({row.expires / _TICKS:.2f}/{retransmits}/{row.probes})"


def _name_program(holders: tuple[Holder, ...]) -> str:
    if not holders:
        return "-"
    return escape(f"{holders[0].owner.pid}/{holders[0].program}")[: _PROGRAM_WIDTH - 1]


def show_unix(row: UnixSocket, view: View) -> str:
    """Return one row of the table of unix sockets, the path whole and escaped."""
    flags = f"[ {''.join(word for bit, word in _UNIX_FLAGS if row.flags & bit)}]"
    kind = _UNIX_KINDS.get(row.kind, "UNKNOWN")
    label = "??" if row.protocol else "unix"
    line = f"{label:<5} {row.references:<6} {flags:<11} {kind:<10} {name_unix_state(row):<13} {row.inode:<8}"
    if view.programs:
        line += f" {_name_program(row.holders):<{_PROGRAM_WIDTH}}"
    return f"{line} {escape(row.path)}"


def name_unix_state(row: UnixSocket) -> str:
    if row.state == 1:
        return "LISTENING" if row.flags & UNIX_LISTENS else ""
    return _UNIX_STATES.get(row.state, "UNKNOWN")
