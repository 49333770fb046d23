"""`netaudit report`: a saved report in another format."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.options import ColorOption, OutputOption


def report(
    source: Annotated[
        Path | None, typer.Argument(metavar="REPORT.json", help="A report saved as JSON.", show_default=False)
    ] = None,
    output: OutputOption = [],
    color: ColorOption = "auto",
    list_formats: Annotated[bool, typer.Option("--list", help="List the formats.")] = False,
) -> int:
    """Render a saved report again: `netaudit report report.json -o html=report.html`; a text summary by default."""
    from auditor.cli.color import use_color
    from auditor.cli.outputs import plan_outputs, write_report, write_stdout
    from auditor.errors import UsageError
    from auditor.reporters import FORMATS
    from auditor.reporters.json import load_report
    from auditor.reporters.text import render_text

    if list_formats:
        for name, fmt in FORMATS.items():
            print(f"{name:8} {fmt.description}")
        return 0
    if source is None:
        raise UsageError("no report named", "netaudit report REPORT.json -o FORMAT=PATH, or --list for the formats")
    loaded = load_report(read_saved(source), str(source))
    if output:
        write_report(loaded, plan_outputs(output, source.parent, tuple(FORMATS)))
    else:
        write_stdout(render_text(loaded, color=use_color(color)))
    return 0


def read_saved(path: Path) -> bytes:
    """Return the bytes of a saved report. Raises EvidenceError."""
    from auditor.errors import EvidenceError

    try:
        return path.read_bytes()
    except OSError as error:
        raise EvidenceError(f"cannot read {path}: {error.strerror}", "name the report.json of a run") from None
