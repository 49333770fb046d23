"""What every host has to show in, bytes for standard output and lines for standard error out."""

import csv
from collections.abc import Sequence
from io import StringIO
from typing import Literal

from auditor.cli import log
from auditor.cli.netstat_answer import Shown
from auditor.display import escape
from auditor.netstat.fleet import HostBlocks, join_alone, join_columns, join_grouped
from auditor.netstat.groups import GROUP_FIELDS
from auditor.netstat.interfaces import INTERFACE_FIELDS
from auditor.netstat.links import LINK_FIELDS
from auditor.netstat.routes import ROUTE_FIELDS
from auditor.netstat.rows import CONNECTION_FIELDS, UNIX_FIELDS, Cell
from auditor.netstat.states import STATE_FIELDS
from auditor.netstat.statistics import COUNTER_FIELDS
from auditor.reporters.csv import defuse
from auditor.reporters.inert import write_json

Layout = Literal["alone", "columns", "group", "json", "csv"]
_COLUMNS = {
    "connections": CONNECTION_FIELDS,
    "unix": UNIX_FIELDS,
    "states": STATE_FIELDS,
    "routes": ROUTE_FIELDS,
    "interfaces": INTERFACE_FIELDS,
    "groups": GROUP_FIELDS,
    "statistics": COUNTER_FIELDS,
    "links": LINK_FIELDS,
}
"""The columns of each table, the same for any rows."""


def write_shown(found: Sequence[Shown], layout: Layout) -> bytes:
    """Return the output of all hosts, in the order given. A host that was not read has no row but in JSON and CSV."""
    if layout == "json":
        return _write_json(found)
    if layout == "csv":
        return _write_csv(found)
    read = [HostBlocks(each.host, each.blocks) for each in found if each.failure is None]
    if layout == "alone":
        lines = [line for each in read for line in join_alone(each.blocks)]
    else:
        lines = join_grouped(read) if layout == "group" else join_columns(read)
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def say_troubles(found: Sequence[Shown], *, alone: bool) -> None:
    """Say which hosts were not read, or not wholly, and why; `alone`: there is one, which needs no name."""
    for each in found:
        name = "" if alone else f"{escape(each.host)}: "
        if each.failure is not None:
            hint = f"\n  hint: {escape(each.failure.hint)}" if each.failure.hint else ""
            text = f"{name}{each.failure.phase}/{each.failure.code}: {escape(each.failure.message)}{hint}"
            log.say("unreachable", text, "error", host=each.host, **each.failure.model_dump(mode="json"))
        for gap in each.gaps:
            text = f"{name}not known: {escape(gap.source)}: {escape(gap.reason)}"
            log.say("gap", text, "warning", host=each.host, source=gap.source, reason=gap.reason)
        for note in each.notes:
            log.say("note", f"{name}{note}", host=each.host, note=note)


def _write_json(found: Sequence[Shown]) -> bytes:
    hosts = [
        {
            "name": each.host,
            "status": each.status,
            "error": each.failure.model_dump(mode="json") if each.failure is not None else None,
            "gaps": [gap.model_dump(mode="json") for gap in each.gaps],
            **(each.records or {}),
        }
        for each in found
    ]
    return write_json({"kind": "netaudit.netstat", "schema_version": 1, "hosts": hosts}) + b"\n"


def _write_csv(found: Sequence[Shown]) -> bytes:
    """A row for each row of a table. Hosts not read have one, too, and every gap: with what is wrong in `problem`."""
    tables = dict.fromkeys(table for each in found for table in each.records or {})
    columns = dict.fromkeys(column for table in tables for column in _COLUMNS[table])
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(("host", "table", *columns, "problem"))
    empty = [""] * len(columns)
    for each in found:
        if each.failure is not None:
            problem = f"{each.failure.phase}/{each.failure.code}: {each.failure.message}"
            writer.writerow([defuse(each.host), "unreachable", *empty, defuse(problem)])
        for gap in each.gaps:
            writer.writerow([defuse(each.host), "gap", *empty, defuse(f"{gap.source}: {gap.reason}")])
        for table, rows in (each.records or {}).items():
            for row in rows:
                cells = (_spell(row.get(column)) for column in columns)
                writer.writerow([defuse(each.host), table, *cells, ""])
    return text.getvalue().encode("utf-8", "backslashreplace")


def _spell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, list):
        return defuse(" ".join(map(str, cell)))
    return defuse(cell) if isinstance(cell, str) else str(cell)
