"""`netaudit policy lint`: what a run would refuse, and what is allowed but rarely meant."""

from pathlib import Path
from typing import Annotated

import typer


def lint(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[PATH]...", help="Policy files, or folders of them. [default: policies]", show_default=False
        ),
    ] = None,
    inventory: Annotated[
        Path | None,
        typer.Option("-i", "--inventory", metavar="INVENTORY", help="Also check names of groups, labels and hosts."),
    ] = None,
) -> int:
    """Check policies. Exit 0: nothing to say; 1: warnings; 2: errors."""
    from auditor.cli.boundary import say_exit
    from auditor.cli.clock import read_clock
    from auditor.inventory import load_inventory
    from auditor.lint import lint_policies
    from auditor.policies import load_policies

    policies = load_policies(paths or [Path("policies")], read_clock().date())
    hosts = load_inventory(inventory).hosts if inventory else None
    warnings = lint_policies(policies, hosts)
    for warning in warnings:
        print(warning)
    total = len(policies.policies)
    counted = f"{total} {'policy' if total == 1 else 'policies'}"
    if warnings:
        return say_exit(1, [f"{len(warnings)} warning{'s' * (len(warnings) > 1)} in {counted}"])
    return say_exit(0, [f"nothing to say about {counted}"])
