"""`netaudit demo`: a fleet of sample hosts on loopback, audited for real."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.options import ColorOption


def demo(
    output_dir: Annotated[
        Path,
        typer.Option("--output-dir", metavar="DIR", help="Where the demo's files and reports go."),
    ] = Path("netaudit-demo"),
    color: ColorOption = "auto",
) -> int:
    """Start sample hosts on loopback, audit them over SSH, and say what to look at. Needs nothing but this package."""
    from auditor.cli.choice import choose_hosts, choose_policies
    from auditor.cli.clock import read_clock
    from auditor.cli.gate import Gate, audit_inventory
    from auditor.cli.outputs import make_folder
    from auditor.demo import start_fleet

    make_folder(output_dir)
    with start_fleet(output_dir, read_clock()) as inventory:
        hosts = choose_hosts(inventory, limit=None, timeout=None, allow_empty=False)
        audit_inventory(hosts, choose_policies([], inventory), Gate(output_dir=output_dir, color=color))
    print(f"\nOpen {output_dir / 'report.html'} in a browser.")
    return 0
