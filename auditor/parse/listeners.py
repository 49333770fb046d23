"""Sockets in, listeners out: twins folded into one, named by the host's own services, in a fixed order."""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from auditor.model.facts import PROTOS, DualStack, Listener, Proto
from auditor.model.value import filled
from auditor.parse.owners import Holders, Ownership, join_holders
from auditor.parse.socket import Socket

_Key = tuple[str, str, int]
_make_listener = filled(Listener)
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
    v4: dict[tuple[str, int], int] = {}
    for socket in sockets:
        place = socket.place
        twins.setdefault((socket.proto, place.text, socket.port), []).append(socket)
        if place.family == "ipv4":
            key = socket.proto, socket.port
            v4[key] = v4.get(key, 0) + (place.scope == "wildcard")
    ordered = sorted(twins.values(), key=_sort_key)
    return tuple([_fold(found, v4, services, setting) for found in ordered])


def _sort_key(twins: list[Socket]) -> tuple[int, int, tuple[int, bytes]]:
    first = twins[0]
    return _PLACES[first.proto], first.port, first.place.sort


def _fold(
    twins: list[Socket], v4: Mapping[tuple[str, int], int], services: Mapping[str, str], setting: Setting
) -> Listener:
    proto, place, port, raw, uid, kind, *_ = twins[0]
    dual_stack: DualStack | None = None
    if place.family == "ipv6" and place.scope == "wildcard":
        dual_stack = _takes_ipv4(proto, len(twins), v4.get((proto, port)), setting.v6only_default)
    holders, pending, seen = _join(twins, setting.ownership)
    return _make_listener(
        {
            "proto": proto,
            "family": place.family,
            "address": place.text,
            "port": port,
            "scope": place.scope,
            "service": services.get(f"{port}/{proto}"),
            "sockets": len(twins),
            "kind": kind,
            "dual_stack": dual_stack,
            "netns": setting.netns,
            "uid": uid,
            "user": setting.ownership.users.get(uid) if uid is not None else None,
            "owner_status": holders.status,
            "owners": holders.owners,
            "pending_accepts": pending,
            "seen": seen,
            "raw": raw,
        }
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


def _takes_ipv4(proto: Proto, sockets: int, v4: int | None, v6only_default: bool) -> DualStack:
    """Return whether `[::]:port` takes IPv4 too. IPV6_V6ONLY is in no table, so this is what binding rules tell.

    `v4` is how many sockets hold 0.0.0.0 of the same port, None when it has no IPv4 listener at all. The kernel refuses
    a dual-stack `::` beside an IPv4 listener of the port (EADDRINUSE), unless sockets share the port (SO_REUSEPORT; for
    UDP SO_REUSEADDR does it too), which no table shows. Beside 0.0.0.0 that hardly matters: IPv4 is open either way.
    Beside one address it does: the others may or may not be open. Alone it is taken to accept IPv4, as the default is.
    """
    if proto == "raw":
        return "no"
    if v4 is not None:
        return "no" if proto == "tcp" and sockets == v4 == 1 else "unknown"
    return "unknown" if v6only_default else "yes"
