"""The tables of sockets in, every socket out: the rows that `parse_snapshot` counts, decoded by the same grammar.

What is wrong with a table is told by `parse_snapshot`; the gaps here are only of what netstat shows and an audit does
not need.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from auditor.model.connections import SOCKET_TABLES, Connection, Connections, Holder, SocketTable
from auditor.model.facts import Gap
from auditor.model.snapshot import Section, Snapshot
from auditor.model.transcript import Transcript
from auditor.parse.byteorder import decide_order
from auditor.parse.inet import Row, Width, all_rows, listening_rows, read_header
from auditor.parse.owners import Ownership
from auditor.parse.session import find_session, read_ends
from auditor.parse.socket import WordOrder, read_address
from auditor.parse.table import open_table
from auditor.parse.udp import READINGS, read_sockets
from auditor.parse.unix import list_sockets

_MOST_HOLDERS = 256
_MOST_UNIX = 79_999  # probe.sh fetches 80,000 lines, of which one is the header


def parse_connections(snapshot: Snapshot, transcript: Transcript) -> Connections:  # noqa: ARG001  # as every parser
    """Return the sockets of one host. Never raises on content."""
    sections = snapshot.sections
    order = decide_order(sections, find_session(read_ends(sections), sections))[0] or "little"
    ownership = Ownership(sections.get("owners"))
    finder = _Finder(ownership)
    tables = {name: _read(name, sections.get(name)) for name in SOCKET_TABLES}
    found = [_connect(name, row, order, finder) for name, table in tables.items() for row in table.rows]
    counted = tuple((name, state, rows) for name, table in tables.items() for state, rows in table.counted.items())
    gaps = [_miss(name, table.counted.total()) for name, table in tables.items() if table.counted]
    unix = [socket._replace(holders=finder.find(socket.inode)) for socket in list_sockets(sections.get("unix"))]
    gaps += _miss_unix(sections, len(unix))
    whole = ownership.view is not None and ownership.view.is_full
    return Connections(tuple(found), tuple(unix), tuple(gaps), counted, whole)


class _Rows(NamedTuple):
    """The rows of a table, and how many in which state stayed on the host."""

    rows: Iterable[Row] = ()
    counted: Counter[int] = Counter()


def _miss(name: SocketTable, rows: int) -> Gap:
    return Gap(source=name, reason=f"{rows} connections were counted on the host and not fetched, for it has very many")


def _miss_unix(sections: Mapping[str, Section], rows: int) -> Iterator[Gap]:
    """Yield why there may be more unix sockets than were read, which is nothing to an audit."""
    fault = open_table("unix", sections.get("unix"), optional=True).gap()
    if fault is not None:
        yield fault
    elif "passwd" not in sections:  # evidence of an audit
        yield Gap(source="unix", reason="of unix sockets only those that listen were fetched")
    elif rows >= _MOST_UNIX:
        yield Gap(source="unix", reason=f"only the first {rows} unix sockets were fetched")


def _read(name: SocketTable, section: Section | None) -> _Rows:
    table = open_table(name, section, optional=True)
    header = read_header(table)
    if not header:
        return _Rows()
    width: Width = 32 if name.endswith("6") else 8
    if name.startswith("udp"):
        readings = 1 if name.startswith("udplite") else READINGS
        return _Rows([row for row, _ in read_sockets(table, width, header, readings)])
    rows = all_rows(table.data, width)
    counted: Counter[int] = Counter()
    if name.startswith("tcp"):
        listening_rows(table, width)
        counted = Counter(table.states) - Counter(row.state for row in rows)
    return _Rows(_each_once(rows), counted)


def _each_once(rows: Iterable[Row]) -> Iterator[Row]:
    """Yield the rows, without those of a socket that the kernel listed before in the same reading."""
    seen: set[int] = set()
    for row in rows:
        if row.inode not in seen:
            yield row
        if row.inode:
            seen.add(row.inode)


def _connect(name: SocketTable, row: Row, order: WordOrder, finder: "_Finder") -> Connection:
    return Connection(
        table=name,
        local=read_address(row.local, order),
        local_port=row.port,
        remote=read_address(row.remote, order),
        remote_port=row.remote_port,
        state=row.state,
        recv_queue=row.queue,
        send_queue=row.send_queue,
        timer=row.timer,
        expires=row.expires,
        retransmits=row.retransmits,
        probes=row.probes,
        uid=row.uid,
        inode=row.inode,
        holders=finder.find(row.inode),
    )


class _Finder:
    """Who holds which socket, each looked up once; of very many holders the first."""

    def __init__(self, ownership: Ownership) -> None:
        self._ownership = ownership
        self._known: dict[int, tuple[Holder, ...]] = {}

    def find(self, inode: int) -> tuple[Holder, ...]:
        if not inode or not self._ownership.collected:
            return ()
        if inode not in self._known:
            owners = self._ownership.find(inode, None).owners[:_MOST_HOLDERS]
            self._known[inode] = tuple(Holder(owner, self._ownership.program(owner.pid)) for owner in owners)
        return self._known[inode]
