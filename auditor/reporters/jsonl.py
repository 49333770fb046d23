"""AuditReport in, JSON Lines out: the run, a line for each host, and what came of it all.

The lines can be written as hosts finish: only the last needs the whole report. Then their order is that of arrival,
while `render` sorts them; the lines themselves are the same.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from auditor.model.host import HostKeyPolicy
from auditor.model.report import AuditReport, Generator, HostReport, InventoryRef, PolicyRef
from auditor.model.transcript import EarlierRun
from auditor.reporters.inert import defuse_json
from auditor.reporters.json import dump_value


class JsonlRun(NamedTuple):
    """What is known of a run when it begins."""

    id: str
    started_at: datetime
    chosen: int | None
    judged_again: bool
    inventory: InventoryRef
    policies: tuple[PolicyRef, ...]
    host_keys: HostKeyPolicy
    operator: str
    command: str
    resumed: tuple[EarlierRun, ...]


def render(report: AuditReport) -> bytes:
    """Return the report as lines, the hosts sorted. Equal reports give equal bytes."""
    return b"".join(_list_lines(report))


def _list_lines(report: AuditReport) -> Iterator[bytes]:
    run = report.run
    head = {name: getattr(run, name) for name in JsonlRun._fields}
    yield write_head(JsonlRun(**head), report.generator)
    for host in report.hosts:
        yield write_host(host)
    yield write_end(report)


def write_head(run: JsonlRun, generator: Generator) -> bytes:
    """Return the first line."""
    return _line("netaudit.run", {"schema_version": 1, "generator": generator, "run": run._asdict()})


def write_host(host: HostReport) -> bytes:
    """Return the line of one host: the same object as in the JSON report."""
    return _line("netaudit.host", {"host": host})


def write_end(report: AuditReport) -> bytes:
    """Return the last line; a file without it was cut off."""
    run = {"finished_at": report.run.finished_at, "partial": report.run.partial}
    rest = {"verdict": report.verdict, "exit": report.exit, "summary": report.summary, "hygiene": report.hygiene}
    return _line("netaudit.end", {**run, **rest})


def _line(kind: str, fields: dict[str, object]) -> bytes:
    return defuse_json(dump_value({"kind": kind, **fields})) + b"\n"
