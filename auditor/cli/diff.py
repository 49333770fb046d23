"""`netaudit diff`: what changed between two runs."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from auditor.cli.options import ColorOption

if TYPE_CHECKING:
    from auditor.model.delta import Delta


def diff(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="The earlier report, or the folder of its run.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="The later one.")],
    output: Annotated[
        Literal["text", "json", "markdown"], typer.Option("-o", "--output", help="The form of the answer.")
    ] = "text",
    color: ColorOption = "auto",
) -> int:
    """Compare two reports: what opened, closed, reaches further, changed hands; findings that are new or resolved.

    Exit codes: 0 nothing got worse; 1 something opened, reaches further, changed hands or is newly wrong; 2 a report
    cannot be read; 3 nothing got worse where both could look, but one could not look everywhere.
    """
    from auditor.cli.boundary import say_exit
    from auditor.cli.color import use_color
    from auditor.cli.report import load_saved
    from auditor.cli.stdout import write_stdout
    from auditor.diff import diff as compare
    from auditor.reporters import delta_json, delta_markdown, delta_text

    delta = compare(load_saved(old), load_saved(new))
    if output == "text":
        write_stdout(delta_text.render_text(delta, color=use_color(color)))
    else:
        write_stdout((delta_json if output == "json" else delta_markdown).render(delta))
    return say_exit(*_judge(delta))


def _judge(delta: "Delta") -> tuple[int, list[str]]:
    """Return the exit code of a comparison and why."""
    from auditor.reporters.delta_wording import count_changes

    counts = count_changes(delta)
    if delta.worse:
        return 1, [f"something got worse; {counts}"]
    if not delta.comparable:
        return 3, [f"nothing got worse where both could look, but one could not look everywhere; {counts}"]
    return 0, [f"nothing got worse; {counts}"]
