"""The lines that hold together on some hosts in, those of them that never decide anything out."""

from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from auditor.evaluate.index import PortIndex
from auditor.evaluate.match import Line
from auditor.evaluate.waivers import hold_ports
from auditor.model.policy import Bind, Entry, severity_rank


def find_shadowed(lines: Sequence[Line]) -> Iterator[tuple[Line, Line]]:
    """Yield each line that another one makes idle, and that one; `lines` are in the order in which they are asked.

    A line is idle when another accepts (or forbids) all that it does, and when a deny line covers an allow line. Of two
    that say the same the later one is idle. Required lines are never idle: they ask for something besides.
    """
    order = {line: number for number, line in enumerate(lines)}
    deny = PortIndex([line for line in lines if line.entry.action == "deny"])
    allow = PortIndex([line for line in lines if line.entry.action == "allow"])
    for line in lines:
        first = line.entry.ports[0]
        rivals = [candidate.line for candidate in deny.at(first.proto, first.first)]
        if line.entry.action == "allow":
            rivals += [candidate.line for candidate in allow.at(first.proto, first.first)]
        shadow = next((rival for rival in rivals if _shadows(rival, line, order)), None)
        if shadow is not None:
            yield line, shadow


def _shadows(rival: Line, line: Line, order: dict[Line, int]) -> bool:
    same_place = rival.entry.id == line.entry.id and rival.entry.origin == line.entry.origin
    if same_place or not _outdoes(rival, line):
        return False
    return order[rival] < order[line] or not _outdoes(line, rival)


def _outdoes(one: Line, other: Line) -> bool:
    """Return whether `other` could go, for all that it decides."""
    if one.entry.action == "allow" and (other.entry.action == "deny" or other.entry.required):
        return False
    milder = severity_rank(one.severity) < severity_rank(other.severity)
    if one.entry.action == other.entry.action == "deny" and milder:
        return False
    return cover_entry(one.entry, other.entry)


def cover_entry(outer: Entry, inner: Entry) -> bool:
    """Return whether every listener that `inner` is about, `outer` is about too. False when that cannot be told."""
    return (
        outer.netns in ("any", inner.netns)
        and outer.owner in (None, inner.owner)
        and all(any(hold_ports(held, ports) for held in outer.ports) for ports in inner.ports)
        and _cover_binds(outer.bind, inner.bind)
    )


def _cover_binds(outer: Sequence[Bind], inner: Sequence[Bind]) -> bool:
    if not outer or not inner:
        return not outer
    return all(any(_cover_bind(wide, narrow) for wide in outer) for narrow in inner)


def _cover_bind(wide: Bind, narrow: Bind) -> bool:
    if wide.kind != "network" or narrow.kind != "network":
        return wide == narrow
    outer, inner = ip_network(wide.network), ip_network(narrow.network)
    if outer.version == 4 and inner.version == 4:
        return inner.subnet_of(outer)
    return outer.version == 6 and inner.version == 6 and inner.subnet_of(outer)
