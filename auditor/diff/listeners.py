"""One host before and after in, its listeners that differ out."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import ip_address
from itertools import chain
from typing import NamedTuple

from auditor.diff.owners import changes_hands, name_owners
from auditor.diff.sight import UDP, judge_sight, shows_another_key
from auditor.model.address import Scope
from auditor.model.delta import Direction, ListenerChange, ListenerChangeKind
from auditor.model.facts import DualStack, Proto
from auditor.model.report import HostReport, JudgedListener

_REACH: dict[Scope, int] = {"loopback": 0, "link-local": 1, "multicast": 1, "private": 2, "global": 3, "wildcard": 4}
"""How far an address reaches: from a higher number more of the world can connect."""
_WILDCARDS = ("0.0.0.0", "::")  # noqa: S104 - compared, never bound
"""All of IPv4, and all of IPv6."""
_Rows = Mapping[str, tuple[JudgedListener, ...]]
"""The listeners of one place, by address: one for each user that has sockets there."""


class _Place(NamedTuple):
    """What makes two listeners of a host the same one. The address may differ: then it is rebound."""

    netns: str
    proto: Proto
    port: int


def compare_listeners(old: HostReport, new: HostReport) -> Iterator[ListenerChange]:
    """Yield what differs. Sockets that look like clients (`ephemeral-udp`) come and go, and are left out.

    One that does in one report only is neither opened nor closed. On what may be another machine nothing is closed.
    """
    if old.facts is None or new.facts is None:
        return
    sight_before, sight_after = judge_sight(old), judge_sight(new)
    replaced = shows_another_key(old, new)
    before, after = _by_place(old, new), _by_place(new, old)
    for place in sorted({*before, *after}):
        was, now = before.get(place, {}), after.get(place, {})
        if was == now:
            continue
        hidden = {
            address for address, rows in was.items() if address not in now and (replaced or sight_after.hides(rows[0]))
        }
        found = {address for address, rows in now.items() if address not in was and sight_before.hides(rows[0])}
        if hidden:
            yield _tell("unobservable", new.name, place, _only(was, hidden), {})
        if found:
            yield _tell("newly-observable", new.name, place, {}, _only(now, found))
        yield from _compare_seen(new.name, place, _only(was, was.keys() - hidden), _only(now, now.keys() - found))


def _compare_seen(host: str, place: _Place, was: _Rows, now: _Rows) -> Iterator[ListenerChange]:
    """Yield how a place differs by addresses that both sides could see."""
    if was and not now:
        yield _tell("closed", host, place, was, now)
    elif now and not was:
        yield _tell("opened", host, place, was, now)
    elif was.keys() != now.keys():
        yield _tell("rebound", host, place, was, now)
    if was and now and changes_hands(_list(was), _list(now)):
        yield _tell("replaced", host, place, was, now)


def _by_place(host: HostReport, other: HostReport) -> dict[_Place, dict[str, tuple[JudgedListener, ...]]]:
    """Return the listeners by place and address, with the sockets that only in `other` do not look like a client's."""
    places: dict[_Place, dict[str, tuple[JudgedListener, ...]]] = {}
    listening = {_identify(one) for one in other.listeners if one.kind == "listener" and one.proto in UDP}
    for one in host.listeners:
        if one.kind == "listener" or _identify(one) in listening:
            rows = places.setdefault(_Place(one.netns, one.proto, one.port), {})
            rows[one.address] = (*rows.get(one.address, ()), one)
    return places


def _identify(one: JudgedListener) -> tuple[str, str, str, int]:
    return one.netns, one.proto, one.address, one.port


def _list(rows: _Rows) -> list[JudgedListener]:
    return list(chain.from_iterable(rows.values()))


def _only(rows: _Rows, addresses: Iterable[str]) -> _Rows:
    return {address: rows[address] for address in addresses}


def _tell(kind: ListenerChangeKind, host: str, place: _Place, was: _Rows, now: _Rows) -> ListenerChange:
    replaced = kind == "replaced"
    rows = [*_list(now), *_list(was)]
    return ListenerChange(
        kind=kind,
        host=host,
        netns=place.netns,
        proto=place.proto,
        port=place.port,
        service=min((row.service for row in rows if row.service), default=None),
        before=_sort(was),
        after=_sort(now),
        direction=_compare_reach(was, now) if kind == "rebound" else None,
        owners_before=name_owners(_list(was)) if replaced else (),
        owners_after=name_owners(_list(now)) if replaced else (),
    )


def _compare_reach(was: _Rows, now: _Rows) -> Direction:
    """Return whether more can connect than before. At equal reach more addresses are wider, fewer narrower.

    Where one side takes all that the other does and more, that decides: `[::]` may take IPv4 too, or only IPv6.
    """
    less, more = _covers(was, now), _covers(now, was)
    if less != more:
        return "widened" if more else "narrowed"
    before, after = (max(_REACH[row.scope] for row in _list(rows)) for rows in (was, now))
    if after > before or (after == before and now.keys() > was.keys()):
        return "widened"
    if after < before or now.keys() < was.keys():
        return "narrowed"
    return "moved"


def _covers(outer: _Rows, inner: _Rows) -> bool:
    """Return whether `outer` certainly takes connections to every address that `inner` may take them to."""
    taken = _list_taken(outer, {"yes"})
    return all(one in taken or _WILDCARDS[":" in one] in taken for one in _list_taken(inner, {"yes", "unknown"}))


def _list_taken(rows: _Rows, dual: Collection[DualStack]) -> set[str]:
    both = any(row.dual_stack in dual for row in _list(rows))
    return {*rows, _WILDCARDS[0]} if both else {*rows}


def _sort(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(addresses, key=_numeric))


def _numeric(text: str) -> tuple[int, int, str]:
    try:
        address = ip_address(text)
    except ValueError:
        return 9, 0, text
    return address.version, int(address), text
