"""`netaudit collect`: evidence now, verdicts later."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.options import (
    AllowEmptyOption,
    InventoryArgument,
    JobsOption,
    LimitOption,
    OwnersOption,
    QuietOption,
    TimeoutOption,
    VerboseOption,
)


def collect(
    inventory: InventoryArgument,
    limit: LimitOption = None,
    jobs: JobsOption = 32,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o",
            "--output",
            metavar="PATH",
            help="The file to write. [default: evidence.jsonl.gz in reports/<run-id>/ beside the inventory]",
            show_default=False,
        ),
    ] = None,
    owners: OwnersOption = True,
    timeout: TimeoutOption = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Gather the evidence of every host and judge nothing; `netaudit check` does that, now or in a year."""
    from auditor.cli.choice import choose_hosts
    from auditor.cli.gate import Gate, collect_inventory

    hosts = choose_hosts(inventory, limit, timeout, allow_empty)
    return collect_inventory(hosts, output, Gate(jobs=jobs, owners=owners, quiet=quiet, verbose=verbose))
