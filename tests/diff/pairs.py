"""Pairs of reports for `diff`, built by hand: one host before and after."""

from collections.abc import Sequence
from typing import Any

from auditor.model.facts import Coverage, CoverageStatus, Gap, Owner
from auditor.model.finding import Finding
from auditor.model.report import AuditReport, HostReport, JudgedListener
from tests.reporters.fleet import a_host_report, a_judged, a_report, a_system, digest

TABLES = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "packet", "sctp")


def some_tables(**other: CoverageStatus) -> tuple[Coverage, ...]:
    """Return the coverage of a host all of whose tables were read, but for those named."""
    return tuple(Coverage(source=name, status=other.get(name, "ok"), sha256=digest(name)) for name in TABLES)


def a_seen_host(
    *listeners: JudgedListener, name: str = "web-01", findings: Sequence[Finding] = (), **fields: Any
) -> HostReport:
    return a_host_report(name, listeners, findings, **{"coverage": some_tables(), **fields})


def a_blind_host(
    *listeners: JudgedListener, source: str, status: CoverageStatus = "denied", **fields: Any
) -> HostReport:
    """Return a host of which one source could not be read."""
    gap = Gap(source=source, reason=f"{source} could not be read")
    coverage = some_tables(**({source: status} if source in TABLES else {}))
    host = a_seen_host(*listeners, **fields)
    return host.model_copy(update={"gaps": (gap,), "coverage": coverage, "status": "incomplete"})


def owned(address: str = "0.0.0.0", port: int = 443, **fields: Any) -> JudgedListener:
    """Return a listener whose owner is known: nginx, unless told otherwise."""
    owner = {"pid": 100, "comm": "nginx", "exe": "/usr/sbin/nginx", "unit": "nginx.service"}
    given = {key: fields.pop(key) for key in ("pid", "comm", "exe", "unit", "container", "cmdline") if key in fields}
    rest = {"owner_status": "known", "uid": 0, "user": "root", **fields}
    return a_judged(address, port, owners=(Owner.model_validate({**owner, **given}),), **rest)


def alone(host: HostReport) -> AuditReport:
    return a_report(host)


ROOT = a_system(privileged=True)
