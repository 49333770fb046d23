"""One host before and after in, its listeners that differ out."""

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import NamedTuple

from auditor.diff.owners import changes_hands, name_owners
from auditor.diff.sight import judge_sight
from auditor.model.address import Scope
from auditor.model.delta import Direction, ListenerChange, ListenerChangeKind
from auditor.model.facts import Proto
from auditor.model.report import HostReport, JudgedListener

_REACH: dict[Scope, int] = {"loopback": 0, "link-local": 1, "multicast": 1, "private": 2, "global": 3, "wildcard": 4}
"""How far an address reaches: from a higher number more of the world can connect."""
_Rows = Mapping[str, JudgedListener]
"""The listeners of one place, by address."""


class _Place(NamedTuple):
    """What makes two listeners of a host the same one. The address may differ: then it is rebound."""

    netns: str
    proto: Proto
    port: int


def compare_listeners(old: HostReport, new: HostReport) -> Iterator[ListenerChange]:
    """Yield what differs. Sockets that look like clients (`ephemeral-udp`) come and go, and are left out."""
    if old.facts is None or new.facts is None:
        return
    sight_before, sight_after = judge_sight(old), judge_sight(new)
    before, after = _by_place(old), _by_place(new)
    for place in sorted({*before, *after}):
        was, now = before.get(place, {}), after.get(place, {})
        if was == now:
            continue
        hidden = {address for address, row in was.items() if address not in now and sight_after.hides(row)}
        found = {address for address, row in now.items() if address not in was and sight_before.hides(row)}
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
    if was and now and changes_hands(tuple(was.values()), tuple(now.values())):
        yield _tell("replaced", host, place, was, now)


def _by_place(host: HostReport) -> dict[_Place, dict[str, JudgedListener]]:
    places: dict[_Place, dict[str, JudgedListener]] = {}
    for one in host.listeners:
        if one.kind == "listener":
            places.setdefault(_Place(one.netns, one.proto, one.port), {})[one.address] = one
    return places


def _only(rows: _Rows, addresses: Iterable[str]) -> _Rows:
    return {address: rows[address] for address in addresses}


def _tell(kind: ListenerChangeKind, host: str, place: _Place, was: _Rows, now: _Rows) -> ListenerChange:
    replaced = kind == "replaced"
    rows = [*now.values(), *was.values()]
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
        owners_before=name_owners(was.values()) if replaced else (),
        owners_after=name_owners(now.values()) if replaced else (),
    )


def _compare_reach(was: _Rows, now: _Rows) -> Direction:
    """Return whether more can connect than before. At equal reach more addresses are wider, fewer narrower."""
    before, after = (max(_REACH[row.scope] for row in rows.values()) for rows in (was, now))
    if after > before or (after == before and now.keys() > was.keys()):
        return "widened"
    if after < before or now.keys() < was.keys():
        return "narrowed"
    return "moved"


def _sort(addresses: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(addresses, key=_numeric))


def _numeric(text: str) -> tuple[int, int, str]:
    try:
        address = ip_address(text)
    except ValueError:
        return 9, 0, text
    return address.version, int(address), text
