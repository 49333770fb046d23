"""One host's tables of sockets in, the rows that are asked for out, as text and as fields."""

from collections.abc import Iterator
from dataclasses import replace

from auditor.cli.netstat_answer import Answer, Records, Shown, Wish
from auditor.model.connections import SOCKET_TABLES, Connection, Connections, UnixSocket
from auditor.model.facts import Gap
from auditor.netstat.connections import choose_connections, choose_unix, show_connections
from auditor.netstat.rows import list_connection, list_unix
from auditor.netstat.states import list_states, show_states
from auditor.netstat.view import View
from auditor.netstat.where import Subject
from auditor.parse import parse_snapshot
from auditor.parse.connections import parse_connections

_PARTLY = "(not all processes could be identified: those of other users show only to root; see `sudo` in the inventory)"
_NAMELESS = "(the host's own names for addresses were not read: they are shown as numbers)"
_APART = frozenset({"services", "ip_vs", "nat", "namespaces", "sudo", "packet", "sctp", "icmp", "icmp6", "unix"})
"""Sources of gaps that say nothing of the sockets that netstat shows."""


def show_sockets(answer: Answer, wish: Wish) -> Shown:
    """Return the tables of sockets."""
    found = _choose(parse_connections(answer.snapshot, answer.transcript), answer, wish)
    shown = Shown(
        answer.host,
        gaps=_list_gaps(answer, found, wish),
        notes=tuple(_list_notes(answer, found, wish.view)),
    )
    if wish.records:
        return replace(shown, records=_list_records(found, answer, wish))
    blocks = show_connections(found, answer.names, wish.view)
    if wish.where is not None:  # a filter of Internet words leaves no unix socket
        blocks = [block for block in blocks if block.rows or block is blocks[0]]
    return replace(shown, blocks=tuple(blocks))


def _list_notes(answer: Answer, found: Connections, view: View) -> Iterator[str]:
    """Yield what is not as asked for, though every row is there."""
    if view.programs and not found.whole_view:
        yield _PARTLY
    hosts = answer.snapshot.sections.get("hosts")
    if not view.numeric_hosts and (hosts is None or hosts.status not in {"ok", "absent"}):
        yield _NAMELESS


def _list_records(found: Connections, answer: Answer, wish: Wish) -> Records:
    records: Records = {}
    if wish.view.protos:
        records["connections"] = [list_connection(row, answer.names) for row in found.inet]
    if wish.view.unix:
        records["unix"] = [list_unix(row) for row in found.unix]
    return records


def show_sockets_by_state(answer: Answer, wish: Wish) -> Shown:
    """Return how many sockets are in which state."""
    found = _choose(parse_connections(answer.snapshot, answer.transcript), answer, wish)
    return Shown(
        answer.host,
        blocks=tuple(show_states(found)),
        records={"states": list_states(found)},
        gaps=_list_gaps(answer, found, wish),
    )


def _choose(found: Connections, answer: Answer, wish: Wish) -> Connections:
    inet, unix = choose_connections(found.inet, wish.view), choose_unix(found.unix, wish.view)
    if wish.where is None:
        return found._replace(inet=tuple(inet), unix=tuple(unix))
    matches = wish.where.matches

    def keeps(row: Connection | UnixSocket) -> bool:
        return matches(Subject(answer.host, row, answer.names))

    return found._replace(inet=tuple(filter(keeps, inet)), unix=tuple(filter(keeps, unix)), counted=())


def _list_gaps(answer: Answer, found: Connections, wish: Wish) -> tuple[Gap, ...]:
    """Return what an audit could not vouch for, as far as it concerns what is shown, and what only netstat shows."""
    view = wish.view
    shown = {
        table
        for table in SOCKET_TABLES
        if table.removesuffix("6") in view.protos and ("inet6" if table.endswith("6") else "inet") in view.families
    }
    apart = (_APART | set(SOCKET_TABLES)) - shown
    gaps = [gap for gap in parse_snapshot(answer.snapshot, answer.transcript).gaps if gap.source not in apart]
    gaps += [gap for gap in found.gaps if gap.source != "unix" or view.unix]
    if wish.where is not None and wish.where.needs_owners and not found.whole_view:
        reason = "whose sockets these are was seen only in part (it takes root), so rows may be missing"
        gaps.append(Gap(source="owners", reason=reason))
    return tuple(gaps)
