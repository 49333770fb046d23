"""`netaudit demo`: a fleet of sample hosts on loopback, audited for real."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.options import ColorOption

MARK = ".netaudit-demo"


def demo(
    output_dir: Annotated[
        Path,
        typer.Option("--output-dir", metavar="DIR", help="Where the demo's files and reports go."),
    ] = Path("netaudit-demo"),
    color: ColorOption = "auto",
) -> int:
    """Start sample hosts on loopback, audit them over SSH, and say what to look at. Needs nothing but this package."""
    from auditor.cli.boundary import say_exit
    from auditor.cli.choice import choose_hosts, choose_policies
    from auditor.cli.clock import read_clock
    from auditor.cli.gate import Gate, audit_inventory
    from auditor.cli.gathering import Manner
    from auditor.cli.outputs import make_folder
    from auditor.demo import start_fleet

    gate = Gate(manner=Manner(color=color), output_dir=output_dir)
    make_folder(output_dir)
    _claim(output_dir)
    with start_fleet(output_dir, read_clock()) as inventory:
        hosts = choose_hosts(inventory, limit=None, timeout=None, allow_empty=False, ssh_config="none")
        finished = audit_inventory(hosts, choose_policies([], inventory), gate)
    if finished.report.run.partial or finished.errors:
        return say_exit(finished.code, finished.reasons)
    print(f"\nOpen {output_dir / 'report.html'} in a browser: start with what could not be audited, then the findings.")
    return say_exit(0, [f"the demo ran; a run with these findings would end with exit {finished.code}"])


def _claim(folder: Path) -> None:
    """Make sure that `folder` is ours to write: empty, or left by an earlier demo. Raises UsageError."""
    from auditor.errors import UsageError

    mark = folder / MARK
    if not mark.exists():
        if any(folder.iterdir()):
            raise UsageError(f"{folder} holds other files", "name an empty folder with --output-dir")
        mark.write_text("This folder was made by `netaudit demo`, which writes it again every time.\n", "utf-8")
