"""A snapshot and its transcript in, what the host was seen to be out: the sentence that uses every table's parser."""

from collections.abc import Mapping, Sequence
from itertools import chain

from auditor.model.facts import ByteOrder, Gap, HostFacts, Listener, System
from auditor.model.snapshot import Snapshot
from auditor.model.transcript import Transcript
from auditor.model.value import trusted
from auditor.parse.byteorder import decide_order
from auditor.parse.checks import check_counters, check_namespace, check_order, check_session, find_block
from auditor.parse.ip_vs import parse_ip_vs
from auditor.parse.listeners import Setting, fold_listeners
from auditor.parse.namespaces import parse_namespaces
from auditor.parse.nat import parse_nat, sort_exposures
from auditor.parse.owners import Ownership
from auditor.parse.services import parse_services
from auditor.parse.session import find_session, read_ends
from auditor.parse.sockstat import read_counters
from auditor.parse.states import count_states
from auditor.parse.sudo import check_sudo
from auditor.parse.system import (
    Sections,
    measure_skew,
    read_hostname,
    read_names,
    read_netns,
    read_number,
    read_os,
    read_port_range,
    read_text,
)
from auditor.parse.table import Table
from auditor.parse.tables import check_counts, parse_tables
from auditor.parse.unix import list_unix

_make_facts = trusted(HostFacts)
_make_system = trusted(System)
_EXTRA = frozenset({"ip_vs", "namespaces"})  # not in the ledger of a host that has none
_NO_OWNERS = Ownership(None)
_NOTHING = Gap(source="no-frame", reason="the host's answer holds nothing")


def parse_snapshot(snapshot: Snapshot, transcript: Transcript, *, namespaces: bool = False) -> HostFacts:
    """Return what one host's sections say. Never raises on content; what cannot be relied on is in `gaps`.

    Without any section, on a system that is not Linux, or without /proc there is nothing to parse, and one gap says so.
    While the byte order is not known, addresses are decoded as little-endian, and a gap says so. `namespaces`: other
    network namespaces were asked for, so an answer without them has a gap.
    """
    sections = snapshot.sections
    blocked = find_block(sections)
    if blocked is not None or not sections:
        gaps = (*snapshot.gaps, blocked) if blocked is not None else snapshot.gaps or (_NOTHING,)
        return HostFacts(system=_describe(sections, transcript, "unknown"), listeners=(), coverage=(), gaps=gaps)
    ends = read_ends(sections)
    found = find_session(ends, sections)
    order, doubt = decide_order(sections, found)
    counters = read_counters(sections)
    tables = check_counts(parse_tables(sections, order or "little"), counters)
    services, labels = parse_services(sections.get("services"))
    reader = read_netns(sections)
    others, readings = parse_namespaces(
        sections.get("namespaces"), order or "little", elsewhere=reader == "other", wanted=namespaces
    )
    nat, published = parse_nat(sections.get("nat"))
    ip_vs, balanced = parse_ip_vs(sections.get("ip_vs"))
    sources = [*tables, services, ip_vs, nat, others]
    ownership = Ownership(sections.get("owners"))
    own = Setting("other" if reader == "other" else "host", read_text(sections, "bindv6only") != b"0", ownership)
    apart = ownership if ownership.elsewhere else _NO_OWNERS
    places = [(own, tables), *((Setting(each.label, ownership=apart), each.tables) for each in readings)]
    listeners = _fold(places, labels)
    raised = ownership.view is not None and ownership.view.uid == 0
    return _make_facts(
        system=_describe(sections, transcript, order or "unknown", raised=raised, states=count_states(tables)),
        listeners=listeners,
        coverage=tuple(
            source.coverage()
            for source in sources
            if source.status != "absent" or source.faults or source.name not in _EXTRA
        ),
        gaps=(
            *snapshot.gaps,
            *check_order(doubt),
            *check_namespace(
                reader,
                local=transcript.session.is_local,
                host_seen=any(each.label == "host" for each in readings),
            ),
            *check_session(sections, transcript, ends, found),
            *check_counters(sections, counters),
            *check_sudo(sections, ownership),
            *(gap for source in sources if (gap := source.gap()) is not None),
        ),
        services=labels,
        unix=list_unix(sections.get("unix")),
        exposures=sort_exposures((*published, *balanced)) if reader != "other" else (),
    )


def _fold(places: list[tuple[Setting, Sequence[Table]]], labels: Mapping[str, str]) -> tuple[Listener, ...]:
    """Return the listeners of every network namespace, each by itself, the host's own first."""
    folded = [
        fold_listeners(chain.from_iterable([table.sockets for table in tables]), labels, setting)
        for setting, tables in places
    ]
    return tuple(listener for group in folded for listener in group)


def _describe(
    sections: Sections,
    transcript: Transcript,
    order: ByteOrder,
    *,
    raised: bool = False,
    states: dict[str, dict[str, int]] | None = None,
) -> System:
    """`raised`: what needed it was read as root, whoever logged in."""
    _, kernel, machine = read_names(sections)
    return _make_system(
        hostname=read_hostname(sections),
        os=read_os(sections),
        kernel=kernel,
        arch=machine,
        byte_order=order,
        privileged=raised or read_number(sections, "uid") == 0,
        reader_netns=read_netns(sections),
        collected_at=transcript.finished_at,
        clock_skew_s=measure_skew(sections, transcript.started_at, transcript.finished_at),
        ephemeral_ports=read_port_range(sections),
        host_key=transcript.session.host_key,
        host_key_trust=transcript.session.host_key_trust,
        kex=transcript.session.kex,
        states=states or {},
    )
