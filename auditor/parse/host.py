"""A snapshot and its transcript in, what the host was seen to be out: the sentence that uses every table's parser."""

from auditor.model.facts import ByteOrder, Gap, HostFacts, System
from auditor.model.snapshot import Snapshot
from auditor.model.transcript import Transcript
from auditor.parse.byteorder import decide_order
from auditor.parse.checks import check_counters, check_namespace, check_order, find_block
from auditor.parse.listeners import fold_listeners
from auditor.parse.services import parse_services
from auditor.parse.session import find_session, read_ends
from auditor.parse.sockstat import read_counters
from auditor.parse.system import (
    Sections,
    measure_skew,
    read_hostname,
    read_names,
    read_number,
    read_os,
    read_port_range,
    read_text,
)
from auditor.parse.tables import check_counts, parse_tables

_NOTHING = Gap(source="no-frame", reason="the host's answer holds nothing")


def parse_snapshot(snapshot: Snapshot, transcript: Transcript) -> HostFacts:
    """Return what one host's sections say. Never raises on content; what cannot be relied on is in `gaps`.

    Without any section, on a system that is not Linux, or without /proc there is nothing to parse, and one gap says so.
    While the byte order is not known, addresses are decoded as little-endian, and a gap says so.
    """
    sections = snapshot.sections
    blocked = find_block(sections)
    if blocked is not None or not sections:
        gaps = (*snapshot.gaps, blocked) if blocked is not None else snapshot.gaps or (_NOTHING,)
        return HostFacts(system=_describe(sections, transcript, "unknown"), listeners=(), coverage=(), gaps=gaps)
    ends = read_ends(sections)
    found = find_session(ends, sections)
    order, doubt = decide_order(sections, found)
    tables = parse_tables(sections, order or "little")
    counters = read_counters(sections)
    check_counts(tables, counters)
    services, labels = parse_services(sections.get("services"))
    sources = [*tables, services]
    return HostFacts(
        system=_describe(sections, transcript, order or "unknown"),
        listeners=fold_listeners(
            (socket for table in tables for socket in table.sockets),
            labels,
            v6only_default=read_text(sections, "bindv6only") != b"0",
        ),
        coverage=tuple(source.coverage() for source in sources),
        gaps=(
            *snapshot.gaps,
            *check_order(doubt),
            *check_namespace(sections, transcript, ends, found),
            *check_counters(sections, counters),
            *(gap for source in sources if (gap := source.gap()) is not None),
        ),
        services=labels,
    )


def _describe(sections: Sections, transcript: Transcript, order: ByteOrder) -> System:
    _, kernel, machine = read_names(sections)
    return System(
        hostname=read_hostname(sections),
        os=read_os(sections),
        kernel=kernel,
        arch=machine,
        byte_order=order,
        privileged=read_number(sections, "uid") == 0,
        collected_at=transcript.finished_at,
        clock_skew_s=measure_skew(sections, transcript.started_at, transcript.finished_at),
        ephemeral_ports=read_port_range(sections),
        host_key=transcript.session.host_key,
        kex=transcript.session.kex,
    )
