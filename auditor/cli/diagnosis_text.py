"""The checks of one host in, aligned lines for a person out, or JSON for a program."""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from auditor.cli.color import use_color
from auditor.cli.diagnosis import Check, Result
from auditor.cli.options import ColorChoice
from auditor.cli.stdout import write_stdout
from auditor.display import escape
from auditor.model.address import join_port
from auditor.model.host import Host
from auditor.reporters.text_layout import Line, Span, Style, write_lines

_STYLES: dict[Result, Style] = {"ok": "good", "note": "medium", "failed": "critical"}
_LEAST_ROOM = 30


def show_checks(
    patient: Host, checks: Sequence[Check], code: int, reason: str, *, as_json: bool, color: ColorChoice
) -> None:
    """Write the checks, and as JSON how they end, to standard output."""
    if as_json:
        document = {
            "kind": "netaudit.doctor",
            "schema_version": 1,
            "host": patient.name,
            "address": patient.address,
            "checks": [asdict(check) for check in checks],
            "exit": {"code": code, "reasons": [reason]},
        }
        write_stdout(json.dumps(document, indent=2).encode() + b"\n")
        return
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    text = write_lines(lay_out(patient, checks, columns), color=use_color(color))
    write_stdout(text.encode(errors="backslashreplace"))


def lay_out(patient: Host, checks: Sequence[Check], columns: int | None = None) -> Iterator[Line]:
    """Yield a line for every check, with what to do about it beneath, and one for every jump host on the way.

    In `columns`, those of a terminal, long texts go on under themselves; without, every line is whole.
    """
    where = {"ssh": join_port(patient.address, patient.port), "local": "this machine", "replay": patient.evidence or ""}
    yield Span(patient.name, "strong"), Span(f"  {where[patient.connection]}")
    width = max(len(check.name) for check in checks)
    via = ""
    for check in checks:
        if check.via != via:
            via = check.via
            yield (Span(f"  through {via}:" if via else f"  to {patient.name}:", "faint"),)
        yield from _show(check, width, columns)


def _show(check: Check, width: int, columns: int | None) -> Iterator[Line]:
    indent = " " * (width + 23)
    took = "" if check.seconds is None else f"{check.seconds:.3f} s"
    first, *rest = _wrap(check.detail, columns, indent)
    yield (
        Span(f"  {check.result:6}", _STYLES[check.result]),
        Span(f"  {check.name:{width}}", "strong"),
        Span(f"  {took:>9}  {first}"),
    )
    yield from ((Span(f"{indent}{line}"),) for line in rest)
    for line in _wrap(f"next: {check.next}", columns, indent) if check.next else ():
        yield (Span(f"{indent}{line}", "faint"),)


def _wrap(text: str, columns: int | None, indent: str) -> list[str]:
    if columns is None:
        return [text]
    return textwrap.wrap(escape(text), max(_LEAST_ROOM, columns - len(indent) - 1)) or [""]
