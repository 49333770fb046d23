"""The waivers of a policy file in, those of the model out."""

from collections.abc import Iterator, Sequence
from datetime import date

from auditor.document import Document, Loc
from auditor.model.policy import Ports, Waiver
from auditor.policies.dates import check_ahead
from auditor.policies.file import PolicyFile, WaiverFile
from auditor.policies.ids import Ids
from auditor.policies.owners import read_owner
from auditor.policies.places import check_packet_binds, read_binds, read_ports

MAX_DAYS = 366
_ABOUT_PORTS = frozenset({"missing-listener", "service-name-conflict"})
"""Rules whose findings are about a port of the policy, where no listener is that could be bound or held."""
_ABOUT_HOSTS = frozenset({"connection-states"})
"""Rules whose findings are about a host as a whole."""


def read_waivers(document: Document, file: PolicyFile, ids: Ids, today: date | None) -> tuple[Waiver, ...]:
    """Return the waivers of the file; problems are noted in its document. `today` None: their end is not checked."""
    return tuple(_read_all(document, file, ids, today))


def _read_all(document: Document, file: PolicyFile, ids: Ids, today: date | None) -> Iterator[Waiver]:
    if document.was_dropped(("max_waiver_days",)):
        today = None
    for index, waiver in enumerate(file.waivers or ()):
        loc: Loc = ("waivers", index)
        ports = _read_ports(document, loc, waiver)
        binds = read_binds(document, loc, waiver.bind or ())
        held_by = read_owner(waiver)
        check_packet_binds(document, loc, ports or (), binds or ())
        if held_by is not None or binds or waiver.netns is not None:
            _check_listening(document, loc, waiver)
        if ports:
            _check_port(document, loc, waiver)
        if today is not None:
            with document.telling((*loc, "expires")):
                check_ahead(waiver.expires, today, file.max_waiver_days or MAX_DAYS)
        if ports is None or binds is None:
            continue
        said = ["waive", *waiver.rule, *map(str, ports), *(waiver.bind or ()), *waiver.hosts]
        yield Waiver(
            id=ids.claim(loc, waiver.id, said),
            policy=file.policy,
            rules=tuple(waiver.rule),
            hosts=tuple(waiver.hosts),
            ports=ports,
            bind=binds,
            held_by=held_by,
            netns=waiver.netns or "host",
            reason=waiver.reason,
            owner=waiver.owner,
            ticket=waiver.ticket or "",
            expires=date.fromisoformat(waiver.expires),
            origin=document.origin(loc),
        )


def _read_ports(document: Document, loc: Loc, waiver: WaiverFile) -> tuple[Ports, ...] | None:
    """Return the ports, empty for every one; None when one of them has a problem."""
    if waiver.port is not None and waiver.ports is not None:
        document.complain(loc, "expected one of port and ports, found both", "write ports: […]")
        return None
    texts: Sequence[str] = (waiver.ports or ()) if waiver.port is None else [waiver.port]
    ports = read_ports(document, (*loc, "ports" if waiver.port is None else "port"), texts)
    return ports if len(ports) == len(texts) else None


def _check_listening(document: Document, loc: Loc, waiver: WaiverFile) -> None:
    about_ports = [rule for rule in waiver.rule if rule in _ABOUT_PORTS | _ABOUT_HOSTS]
    if about_ports:
        message = f"{about_ports[0]} is about no listener, so none can be bound or held"
        hint = "leave out bind, netns and who holds it, or write a waiver of its own for the other rules"
        document.complain((*loc, "rule"), message, hint)


def _check_port(document: Document, loc: Loc, waiver: WaiverFile) -> None:
    about_hosts = [rule for rule in waiver.rule if rule in _ABOUT_HOSTS]
    if about_hosts:
        message = f"{about_hosts[0]} is about a whole host, not about a port of it"
        document.complain(
            (*loc, "rule"), message, "leave out the port, or write a waiver of its own for the other rules"
        )
