"""The command line: one file per command. Nothing heavy is imported until a command runs, so `--help` is quick."""

from pathlib import Path

import typer

from auditor.cli.boundary import guard, report_error
from auditor.cli.check import check
from auditor.cli.collect import collect
from auditor.cli.demo import demo
from auditor.cli.hosts import hosts
from auditor.cli.policy import policy
from auditor.cli.report import report
from auditor.cli.run import run
from auditor.cli.schema import schema
from auditor.cli.settings import find_settings
from auditor.cli.version import version
from auditor.errors import AuditorError

EXIT_CODES = """\b
Exit codes:
  0    every host audited completely, nothing at or above --fail-on
  1    at least one finding at or above --fail-on
  2    usage, inventory, policy or configuration error; no host was contacted
  3    incomplete: a host was unreachable or could not be read completely
  4    no hosts (see --allow-empty)
  5    an output could not be written, or an internal error
  130  interrupted (143: terminated); what was gathered is written, marked partial
"""

COMMANDS = (run, collect, check, report, hosts, demo, schema, version)

app = typer.Typer(
    name="netaudit",
    help="Audit what listens on a fleet of Linux hosts against YAML allowlists, over SSH and without an agent.",
    epilog=EXIT_CODES,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    pretty_exceptions_show_locals=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)


@app.callback()
def _configure(context: typer.Context) -> None:
    settings = find_settings(Path.cwd())
    context.default_map = {command.__name__: settings for command in COMMANDS}


for _command in COMMANDS:
    app.command(name=_command.__name__)(guard(_command))
app.add_typer(policy)


def main() -> None:
    """Run the command line and exit with its code."""
    try:
        app()
    except AuditorError as error:
        raise SystemExit(report_error(error)) from None
