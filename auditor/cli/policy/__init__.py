"""`netaudit policy`: work on policies without a fleet. One file per command."""

from collections.abc import Callable

import typer

from auditor.cli.boundary import guard
from auditor.cli.policy.cases import try_cases
from auditor.cli.policy.explain import explain
from auditor.cli.policy.impact import impact
from auditor.cli.policy.lint import lint

COMMANDS: dict[str, Callable[..., int]] = {"lint": lint, "test": try_cases, "explain": explain, "impact": impact}

policy = typer.Typer(
    name="policy", help="Check, test, explain and compare policies.", rich_markup_mode=None, no_args_is_help=True
)
for _name, _command in COMMANDS.items():
    policy.command(name=_name)(guard(_command))
