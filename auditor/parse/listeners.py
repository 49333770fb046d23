"""Sockets in, listeners out: twins folded into one, named by the host's own services, in a fixed order.

Twins are of one user: each user's sockets on an endpoint are a listener of their own, so that a verdict about a user or
about who holds them is about all of them.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from auditor.model.facts import PROTOS, DualStack, Listener, Owner, Proto
from auditor.model.value import filled
from auditor.parse.owners import Holders, Ownership, join_holders
from auditor.parse.socket import Socket

_Key = tuple[int, int, tuple[int, bytes, str], int]
"""A protocol's place among PROTOS, a port, what orders addresses, a uid: it tells listeners apart, and sorts them."""
_make_listener = filled(Listener)
_RANKS: dict[Proto, int] = {proto: rank for rank, proto in enumerate(PROTOS)}


class Setting(NamedTuple):
    """What holds for all sockets of one network namespace: its label, and whether its net.ipv6.bindv6only is set (or is
    not known)."""

    netns: str
    v6only_default: bool = True
    ownership: Ownership = Ownership(None)


def fold_listeners(sockets: Iterable[Socket], services: Mapping[str, str], setting: Setting) -> tuple[Listener, ...]:
    """Return one listener for each (proto, address, port, uid), sorted. Twins become a count."""
    twins: dict[_Key, list[Socket]] = {}
    v4: dict[tuple[Proto, int], list[Socket]] = {}
    for socket in sockets:
        proto, place, port, _, uid, *_ = socket
        twins.setdefault((_RANKS[proto], port, place.sort, -1 if uid is None else uid), []).append(socket)
        if place.family == "ipv4":
            beside = v4.setdefault((proto, port), [])
            if place.scope == "wildcard":
                beside.append(socket)
    netns, _, ownership = setting
    listeners = []
    for key in sorted(twins):
        found = twins[key]
        proto, place, port, raw, uid, kind, pending, seen, inode = found[0]
        dual_stack: DualStack | None = None
        if place.family == "ipv6" and place.scope == "wildcard":
            dual_stack = _takes_ipv4(found, v4.get((proto, port)), setting)
        if len(found) == 1:  # as nearly always
            holders = ownership.find(inode, uid)
        else:
            holders, pending, seen = _join(found, ownership)
        listeners.append(
            _make_listener(
                {
                    "proto": proto,
                    "family": place.family,
                    "address": place.text,
                    "port": port,
                    "scope": place.scope,
                    "service": services.get(f"{port}/{proto}"),
                    "sockets": len(found),
                    "kind": kind,
                    "dual_stack": dual_stack,
                    "netns": netns,
                    "uid": uid,
                    "user": ownership.users.get(uid) if uid is not None else None,
                    "owner_status": holders.status,
                    "owners": holders.owners,
                    "pending_accepts": pending,
                    "seen": seen,
                    "raw": raw,
                }
            )
        )
    return tuple(listeners)


def _join(twins: list[Socket], ownership: Ownership) -> tuple[Holders, int | None, Literal["all", "some"]]:
    """Return who holds the sockets, how many connections wait at them, and whether all readings show one of them."""
    holders = join_holders({socket.inode: ownership.find(socket.inode, socket.uid) for socket in twins})
    pending = [socket.pending_accepts for socket in twins if socket.pending_accepts is not None]
    by_all = any(socket.seen == "all" for socket in twins)
    return holders, sum(pending) if pending else None, "all" if by_all else "some"


def _takes_ipv4(twins: list[Socket], v4: list[Socket] | None, setting: Setting) -> DualStack:
    """Return whether `[::]:port` takes IPv4 too. IPV6_V6ONLY is in no table, so this is what binding rules tell.

    `v4` are the sockets that hold 0.0.0.0 of the same port, None when it has no IPv4 listener at all. The kernel
    refuses a dual-stack `::` beside an IPv4 listener of the port (EADDRINUSE), unless sockets share the port
    (SO_REUSEPORT; for UDP SO_REUSEADDR does it too) or are each bound to a device (SO_BINDTODEVICE), which no table
    shows. Beside 0.0.0.0 of the same holder that hardly matters: IPv4 is open either way, and to the same one. Beside
    somebody else's, or beside one address, it does. Alone it is taken to accept IPv4, as the default is.
    """
    proto = twins[0].proto
    if proto == "raw":
        return "no"
    if v4 is None:
        return "unknown" if setting.v6only_default else "yes"
    alike = proto == "tcp" and len(twins) == len(v4) == 1 and _are_alike(twins[0], v4[0], setting.ownership)
    return "no" if alike else "unknown"


def _are_alike(one: Socket, other: Socket, ownership: Ownership) -> bool:
    """Return whether two sockets have one user, and holders that no policy can tell apart, as far as they are seen."""
    if one.uid != other.uid or not ownership.collected:
        return one.uid == other.uid
    ours, theirs = (ownership.find(socket.inode, socket.uid) for socket in (one, other))
    if ours.status != theirs.status:
        return False
    return {_identify(owner) for owner in ours.owners} == {_identify(owner) for owner in theirs.owners}


def _identify(owner: Owner) -> tuple[str | None, ...]:
    """Return what a policy may ask of a process."""
    return owner.comm, owner.exe, owner.unit, owner.container
