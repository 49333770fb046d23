"""`netaudit report`: a saved report in another format."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from auditor.cli import log
from auditor.cli.options import ColorOption, ExplainExitOption, LogoOption, OutputOption, TitleOption

if TYPE_CHECKING:
    from auditor.cli.outputs import Output
    from auditor.model.report import AuditReport


def report(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="REPORT.json", help="A report saved as JSON, or its run's folder.", show_default=False),
    ] = None,
    output: OutputOption = [],
    title: TitleOption = "",
    logo: LogoOption = None,
    color: ColorOption = "auto",
    explain_exit: ExplainExitOption = False,
    redact: Annotated[
        Literal["hosts"] | None,
        typer.Option(
            "--redact",
            help="Put stable pseudonyms in the place of host names, and leave the evidence out. "
            "NETAUDIT_REDACT_KEY keeps them from being guessed.",
            show_default=False,
        ),
    ] = None,
    csv_bom: Annotated[
        bool, typer.Option("--csv-bom", help="Begin CSV with what tells Excel that it is UTF-8.")
    ] = False,
    list_formats: Annotated[bool, typer.Option("--list", help="List the formats.")] = False,
) -> int:
    """Render a saved report again: `netaudit report report.json -o html=report.html`; a text summary by default."""
    from auditor.cli.brand import choose_brand
    from auditor.cli.color import use_color
    from auditor.cli.history import list_earlier
    from auditor.cli.outputs import plan_outputs, write_report
    from auditor.cli.stdout import write_stdout
    from auditor.errors import UsageError
    from auditor.reporters import FOLDERS, FORMATS
    from auditor.reporters.exit_text import explain_exit as explain
    from auditor.reporters.redact import redact_hosts
    from auditor.reporters.text import render_text

    if list_formats:
        for name, fmt in (FORMATS | FOLDERS).items():
            print(f"{name:14} {fmt.description}")
        return 0
    if source is None:
        raise UsageError("no report named", "netaudit report REPORT.json -o FORMAT=PATH, or --list for the formats")
    brand = choose_brand(title, logo)
    loaded = load_saved(source)
    folder = source if source.is_dir() else source.parent
    earlier = list_earlier(folder.absolute().parent, loaded)
    if redact:
        loaded = redact_hosts(loaded, os.environb.get(b"NETAUDIT_REDACT_KEY", b""))
    if output:
        for planned in plan_outputs(output, folder, (*FORMATS, *FOLDERS)):
            write_report(loaded, planned, use_color(color), earlier, csv_bom, brand)
            _say_written(planned)
    else:
        write_stdout(render_text(loaded, color=use_color(color)))
    if explain_exit:
        log.say("explain-exit", explain(loaded).rstrip("\n"))
    return 0


def _say_written(output: "Output") -> None:
    if output.path is not None:
        log.say("wrote", f"wrote {output.path}", path=str(output.path))


def load_saved(path: Path) -> "AuditReport":
    """Return the report saved at `path`, a file or the folder of a run. Raises EvidenceError."""
    from auditor.reporters.json import load_report

    return load_report(read_saved(path), str(path))


def read_saved(path: Path) -> bytes:
    """Return the bytes of a saved report: a file, or the report.json of a run's folder. Raises EvidenceError."""
    from auditor.errors import EvidenceError
    from auditor.reporters import FORMATS

    file = path / FORMATS["json"].file_name if path.is_dir() else path
    try:
        return file.read_bytes()
    except OSError as error:
        raise EvidenceError(f"cannot read {file}: {error.strerror}", "name the report.json of a run") from None
