"""Sockets in, listeners out: twins folded into one, named by the host's own services, in a fixed order."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from auditor.model.facts import PROTOS, DualStack, Listener
from auditor.model.value import trusted
from auditor.parse.owners import Holders, Ownership, join_holders
from auditor.parse.socket import Socket

_Key = tuple[str, str, int]
_make_listener = trusted(Listener)
_PLACES = {proto: place for place, proto in enumerate(PROTOS)}


class Setting(NamedTuple):
    """What holds for all sockets of one network namespace: its label, and whether its net.ipv6.bindv6only is set (or is
    not known)."""

    netns: str
    v6only_default: bool = True
    ownership: Ownership = Ownership(None)


def fold_listeners(sockets: Iterable[Socket], services: Mapping[str, str], setting: Setting) -> tuple[Listener, ...]:
    """Return one listener for each (proto, address, port), sorted. SO_REUSEPORT twins become a count."""
    twins: dict[_Key, list[Socket]] = {}
    for socket in sockets:
        twins.setdefault((socket.proto, socket.place.text, socket.port), []).append(socket)
    v4: dict[tuple[str, int], int] = {}
    for found in twins.values():
        if found[0].place.family == "ipv4":
            key = found[0].proto, found[0].port
            v4[key] = v4.get(key, 0) + (len(found) if found[0].place.scope == "wildcard" else 0)
    ordered = sorted(twins.values(), key=lambda found: _sort_key(found[0]))
    return tuple(_fold(found, v4, services, setting) for found in ordered)


def _sort_key(socket: Socket) -> tuple[int, int, tuple[int, bytes]]:
    return _PLACES[socket.proto], socket.port, socket.place.sort


def _fold(
    twins: list[Socket], v4: Mapping[tuple[str, int], int], services: Mapping[str, str], setting: Setting
) -> Listener:
    first = twins[0]
    place = first.place
    dual_stack: DualStack | None = None
    if place.family == "ipv6" and place.scope == "wildcard":
        dual_stack = _takes_ipv4(first, len(twins), v4.get((first.proto, first.port)), setting.v6only_default)
    holders, pending, seen = _join(twins, setting.ownership)
    return _make_listener(
        proto=first.proto,
        family=place.family,
        address=place.text,
        port=first.port,
        scope=place.scope,
        service=services.get(f"{first.port}/{first.proto}"),
        sockets=len(twins),
        kind=first.kind,
        dual_stack=dual_stack,
        netns=setting.netns,
        uid=first.uid,
        user=setting.ownership.users.get(first.uid) if first.uid is not None else None,
        owner_status=holders.status,
        owners=holders.owners,
        pending_accepts=pending,
        seen=seen,
        raw=first.raw,
    )


def _join(twins: list[Socket], ownership: Ownership) -> tuple[Holders, int | None, Literal["all", "some"]]:
    """Return who holds the sockets, how many connections wait at them, and whether all readings show one of them."""
    if len(twins) == 1:  # as nearly always
        (only,) = twins
        return ownership.find(only.inode, only.uid), only.pending_accepts, only.seen
    holders = join_holders({socket.inode: ownership.find(socket.inode, socket.uid) for socket in twins})
    pending = [socket.pending_accepts for socket in twins if socket.pending_accepts is not None]
    by_all = any(socket.seen == "all" for socket in twins)
    return holders, sum(pending) if pending else None, "all" if by_all else "some"


def _takes_ipv4(socket: Socket, sockets: int, v4: int | None, v6only_default: bool) -> DualStack:
    """Return whether `[::]:port` takes IPv4 too. IPV6_V6ONLY is in no table, so this is what binding rules tell.

    `v4` is how many sockets hold 0.0.0.0 of the same port, None when it has no IPv4 listener at all. The kernel refuses
    a dual-stack `::` beside an IPv4 listener of the port (EADDRINUSE), unless sockets share the port (SO_REUSEPORT; for
    UDP SO_REUSEADDR does it too), which no table shows. Beside 0.0.0.0 that hardly matters: IPv4 is open either way.
    Beside one address it does: the others may or may not be open. Alone it is taken to accept IPv4, as the default is.
    """
    if socket.proto == "raw":
        return "no"
    if v4 is not None:
        return "no" if socket.proto == "tcp" and sockets == v4 == 1 else "unknown"
    return "unknown" if v6only_default else "yes"
