"""Hosts for the HTML report: each with its facts, its listeners and how well it could be read; worst first."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from auditor.model.facts import Coverage, Gap, System, UnixListener
from auditor.model.host import HostKeyTrust
from auditor.model.report import HostReport, HostStatus
from auditor.model.transcript import Failure
from auditor.reporters.html_beside import (
    ELSEWHERE,
    Elsewhere,
    count_ephemeral,
    list_elsewhere,
    list_unix,
    spell_reader,
    spell_states,
)
from auditor.reporters.html_findings import anchor_host
from auditor.reporters.html_fleet import Fleet
from auditor.reporters.html_listeners import Listeners, build_listeners

_SKEWED = 60.0
"""Seconds a clock may be off before the page says so: the app does the same (views.js)."""
GAPS = 200
"""Gaps shown of one host, so that no host can use up what the others need."""
FINDINGS = 1_000
TRUST: dict[HostKeyTrust, str] = {
    "known": "it is on file",
    "certificate": "an authority on file vouches for it",
    "accepted": "it was the first time: taken on trust, and put on file",
    "ignored": "nobody looked: host keys were ignored",
}


class FactLine(NamedTuple):
    """One fact about a host; None is shown as not known. `exact` asks for a typewriter face."""

    label: str
    value: str | None
    exact: bool = False


class FindingLine(NamedTuple):
    """One finding of a host."""

    id: str
    level: str
    rule: str
    subject: str
    message: str
    remedy: str
    controls: tuple[str, ...]


class HostView(NamedTuple):
    """One host and all there is about it."""

    name: str
    anchor: str
    address: str
    groups: tuple[str, ...]
    policies: tuple[str, ...]
    status: HostStatus
    found: int
    listening: int
    facts: tuple[FactLine, ...]
    error: Failure | None
    findings: tuple[FindingLine, ...]
    listeners: Listeners | None
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    gaps_hidden: int
    ephemeral: int
    elsewhere: tuple[Elsewhere, ...]
    elsewhere_hidden: int
    unix: tuple[UnixListener, ...]
    unix_count: int


class HostRow(NamedTuple):
    """One host as a line of a table. None: not known, for the host could not be read."""

    name: str
    status: HostStatus
    groups: tuple[str, ...]
    findings: int | None
    listeners: int | None
    address: str


def list_hosts(fleet: Fleet, most: int) -> tuple[HostRow, ...]:
    """Return a line for each of the `most` worst hosts, worst first."""
    hosts, matters = fleet.report.hosts, fleet.matters
    open_ = [matter.waived is None and not matter.undecided for matter in matters.kinds]
    ranked = ((hosts[at], matters.hosts[at]) for at in fleet.ranked[:most])
    return tuple(
        HostRow(
            name=host.name,
            status=host.status,
            groups=host.groups,
            findings=None if host.error else sum(map(open_.__getitem__, kinds)),
            listeners=None if host.error else len(host.listeners),
            address=host.address,
        )
        for host, kinds in ranked
    )


def spell_time(moment: datetime) -> str:
    """Return a moment as `2026-01-02 03:04:05 UTC`. One without a zone is UTC already, as everywhere in a report."""
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%d %H:%M:%S} UTC"


def view_host(host: HostReport) -> HostView:
    """Return everything about one host."""
    return HostView(
        name=host.name,
        anchor=anchor_host(host.name),
        address=host.address,
        groups=host.groups,
        policies=host.policies,
        status=host.status,
        found=len(host.findings),
        listening=len(host.listeners),
        facts=tuple(_facts(host, host.facts)) if host.facts else (),
        error=host.error,
        findings=tuple(
            FindingLine(
                level="waived" if finding.waived else finding.severity,
                rule=finding.rule,
                subject=finding.subject,
                message=finding.message,
                remedy=finding.remediation,
                controls=finding.controls,
                id=finding.id,
            )
            for finding in host.findings[:FINDINGS]
        ),
        listeners=build_listeners(host.listeners) if host.facts else None,
        coverage=host.coverage,
        gaps=host.gaps[:GAPS],
        gaps_hidden=max(0, len(host.gaps) - GAPS),
        ephemeral=count_ephemeral(host),
        elsewhere=tuple(list_elsewhere(host)),
        elsewhere_hidden=max(0, len(host.exposures) - ELSEWHERE),
        unix=list_unix(host),
        unix_count=len(host.unix),
    )


def _say_skew(skew: float) -> str:
    return f"{skew:+.1f} s{': more than a minute off' if abs(skew) >= _SKEWED else ''}"


def _facts(host: HostReport, system: System) -> Iterable[FactLine]:
    skew, ports = system.clock_skew_s, system.ephemeral_ports
    yield FactLine("Calls itself", system.hostname, exact=True)
    yield FactLine("System", system.os)
    yield FactLine("Kernel", system.kernel)
    yield FactLine("Architecture", system.arch)
    yield FactLine("Byte order", f"{system.byte_order} endian" if system.byte_order != "unknown" else None)
    yield FactLine("Read as", "root" if system.privileged else "an unprivileged user")
    yield FactLine("Network namespace", spell_reader(system.reader_netns))
    yield FactLine("Host key", system.host_key, exact=True)
    if system.host_key_trust is not None:
        yield FactLine("Key trusted because", TRUST[system.host_key_trust])
    yield FactLine("Key exchange", system.kex, exact=True)
    yield FactLine("Collected", spell_time(system.collected_at))
    yield FactLine("Clock against ours", _say_skew(skew) if skew is not None else None)
    yield FactLine("Ephemeral ports", f"{ports[0]}–{ports[1]}" if ports else None)
    yield FactLine("Sockets by state", spell_states(host))
    if host.labels:
        yield FactLine("Labels", ", ".join(f"{name}={value}" for name, value in host.labels.items()))
