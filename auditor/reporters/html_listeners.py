"""Listeners and the coverage ledger of one host, as rows of the HTML report."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from auditor.display import escape
from auditor.model.address import join_port
from auditor.model.facts import Owner
from auditor.model.report import JudgedListener

PER_HOST = 1_000
"""Listeners shown of one host, the worst first; the JSON report has them all."""

_RAW = 400
_ORDER = ("denied", "unexpected", "unknown", "waived", "allowed", "ignored")
_TWINS = {"0.0.0.0": "::", "127.0.0.1": "::1"}  # noqa: S104 - compared, never bound
_UNSEEN = {
    "unprivileged": "not visible",
    "kernel": "kernel",
    "other-namespace": "other namespace",
    "unknown": "unknown",
    "not-collected": "not collected",
}
_DUAL_STACK = {
    "yes": "taken to accept IPv4 too",
    "no": "IPv6 only",
    "unknown": "may take IPv4 too",
}


class ListenerRow(NamedTuple):
    """One line of a host's table: one listener, or the IPv4 and the IPv6 listener of one service."""

    verdict: str
    rank: int
    proto: str
    addresses: tuple[str, ...]
    port: int
    service: str | None
    scope: str
    notes: tuple[str, ...]
    user: str | None
    owners: tuple[str, ...]
    sockets: int
    decided_by: str
    place: str | None


class Listeners(NamedTuple):
    """The rows shown, how many listeners are not, what holds for the owner of each (None: it differs), kernel lines."""

    rows: tuple[ListenerRow, ...]
    hidden: int
    owners: str | None
    raw: tuple[tuple[str, str], ...]


def build_listeners(listeners: Sequence[JudgedListener]) -> Listeners:
    """Return a host's listeners for reading: the ones to look at first, twins folded."""
    ranked = sorted(listeners, key=lambda one: (_ORDER.index(one.verdict), one.netns, one.port, one.proto))
    shown = ranked[:PER_HOST]
    known = any(one.owner_status == "known" or one.user is not None or one.uid is not None for one in shown)
    states = {one.owner_status for one in shown}
    same = _UNSEEN[states.pop()] if len(states) == 1 and not known else None
    return Listeners(
        rows=tuple(_row(group) for group in _fold(shown)),
        hidden=len(listeners) - len(shown),
        owners=same,
        raw=tuple((f"{one.proto} {join_port(one.address, one.port)}", escape(one.raw, _RAW)) for one in shown),
    )


def _fold(listeners: Sequence[JudgedListener]) -> Iterable[tuple[JudgedListener, ...]]:
    """Group each `0.0.0.0` with `::` and `127.0.0.1` with `::1` where everything a reader sees is the same."""
    groups: dict[tuple[object, ...], tuple[JudgedListener, ...]] = {}
    for one in listeners:
        paired = _TWINS.get(one.address, one.address)
        place = (one.netns, one.proto, one.port, paired, one.scope, one.kind, one.seen)
        key = (*place, one.verdict, one.decided_by, one.service, one.user, one.uid, one.owner_status, one.owners)
        groups[key] = (*groups.get(key, ()), one)
    return groups.values()


def _row(group: Sequence[JudgedListener]) -> ListenerRow:
    first = group[0]
    decided_by, place = _explain(first)
    return ListenerRow(
        verdict=first.verdict,
        rank=_ORDER.index(first.verdict),
        proto=first.proto,
        addresses=tuple(sorted((one.address for one in group), key=lambda address: ":" in address)),
        port=first.port,
        service=first.service,
        scope=first.scope,
        notes=_notes(group),
        user=first.user or (f"uid {first.uid}" if first.uid is not None else None),
        owners=tuple(_name(owner) for owner in first.owners) or (_UNSEEN.get(first.owner_status, "unknown"),),
        sockets=sum(one.sockets for one in group),
        decided_by=decided_by,
        place=place,
    )


def _explain(listener: JudgedListener) -> tuple[str, str | None]:
    """Return what decided the verdict, and the file and line where it stands."""
    decision = listener.decided_by
    if decision is None:
        return "no policy line", None
    what = f"default of {decision.policy}" if decision.entry is None else f"{decision.policy}: {decision.entry}"
    return what, f"{decision.file}:{decision.line}"


def _notes(group: Sequence[JudgedListener]) -> tuple[str, ...]:
    first = group[0]
    twins = len(group) > 1
    notes = [_DUAL_STACK[one.dual_stack] for one in group if one.dual_stack and not (twins and one.dual_stack == "no")]
    if first.kind == "ephemeral-udp":
        notes.append("ephemeral port, probably a client")
    if first.netns != "host":
        notes.append(f"network namespace {first.netns}")
    if first.seen == "some":
        notes.append("seen in some readings only")
    waiting = sum(one.pending_accepts or 0 for one in group)
    if waiting:
        notes.append(f"{waiting} waiting to be accepted")
    return tuple(notes)


def _name(owner: Owner) -> str:
    """Return the process as `nginx (pid 812, /usr/sbin/nginx, nginx.service)`; its names are its own claim."""
    details = [f"pid {owner.pid}", owner.exe, owner.unit, f"container {owner.container}" if owner.container else None]
    return f"{owner.comm or '?'} ({', '.join(detail for detail in details if detail)})"
