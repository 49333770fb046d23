"""The command line: one file per command. Nothing heavy is imported until a command runs, so `--help` is quick."""

import gc
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from auditor.cli import log
from auditor.cli.baseline import baseline
from auditor.cli.boundary import guard, report_error, said_exit, say_exit
from auditor.cli.check import check
from auditor.cli.collect import collect
from auditor.cli.demo import demo
from auditor.cli.diff import diff
from auditor.cli.doctor import doctor
from auditor.cli.explain import explain
from auditor.cli.hosts import hosts
from auditor.cli.init import init
from auditor.cli.netstat import netstat
from auditor.cli.policy import policy
from auditor.cli.report import report
from auditor.cli.run import run
from auditor.cli.schema import schema
from auditor.cli.services import services
from auditor.cli.settings import find_settings
from auditor.cli.stdout import flush_stdout, unwritable
from auditor.cli.target_kit import target_kit
from auditor.cli.variables import find_misspelt
from auditor.cli.version import version
from auditor.display import escape
from auditor.errors import AuditorError, UsageError

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

COMMANDS = (
    run,
    collect,
    check,
    report,
    diff,
    explain,
    baseline,
    hosts,
    doctor,
    netstat,
    services,
    init,
    demo,
    schema,
    target_kit,
    version,
)

_SHOWING = ("color", "title", "logo")
_JUDGING = ("policy", "fail_on", "baseline", "fail_on_new", "strict", "output", "output_dir", *_SHOWING)
_REACHING = ("limit", "jobs", "procs", "owners", "timeout", "allow_empty", "ssh_config")
CONFIGURED = {
    "run": {*_JUDGING, *_REACHING},
    "check": {*_JUDGING, "allow_empty"},
    "collect": set(_REACHING),
    "hosts": {"limit", "ssh_config"},
    "doctor": {"timeout", "ssh_config"},
    "netstat": {"limit", "jobs", "timeout", "allow_empty", "ssh_config"},
    "services": {"limit", "jobs", "timeout", "ssh_config"},
    "report": set(_SHOWING),
}
"""Which settings of a file each command takes; the others read none."""


class _Plain(TyperGroup):
    """Commands whose mistakes are told in the words of the command line alone."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            error.message = error.message.removeprefix("Value error, ")  # pydantic's, of a choice that is not there
            raise


app = typer.Typer(
    cls=_Plain,
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
    asks_for_help = {"-h", "--help"} & set(sys.argv[1:])
    if context.invoked_subcommand not in CONFIGURED or asks_for_help:
        return
    for name, near in find_misspelt(os.environ):
        shown = escape(name, 100)
        log.warn(f"the variable {shown} means nothing here: did you mean {near}?", variable=shown)
    settings, files = find_settings(_find_folder())
    for path in files:
        log.say("settings", f"settings from {escape(str(path))}", path=str(path))
    own = CONFIGURED[context.invoked_subcommand]
    if "limit" in settings:  # one there, and repeatable as a flag
        settings["limit"] = [settings["limit"]]
    context.default_map = {context.invoked_subcommand: {key: settings[key] for key in settings if key in own}}


for _command in COMMANDS:
    app.command(name=_command.__name__.replace("_", "-"))(guard(_command))
app.add_typer(policy)


def _find_folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError as error:
        raise UsageError("the folder you are in is not there any more", "go to another one") from error


def _find_log_format(words: list[str]) -> log.LogFormat | None:
    """Return how to write standard error, also of mistakes that are found before the options are read."""
    line = f"{' '.join(words)} "
    wanted = os.environ.get(log.VARIABLE) == "json" or any(f"--log-format{mark}json " in line for mark in "= ")
    return "json" if wanted else None


def _travel_light() -> None:
    """Make the process start faster and run cheaper: what matters to five hosts, and to ten thousand."""
    # paramiko imports invoke, and asyncio with it, for `Match exec` of an ssh_config it is never given; without, it is
    # as good, and half as long in coming.
    sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]  # documented: importing it is then an ImportError
    # pydantic would look through all that is installed for plugins, which then have a say in what is valid: none has.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # Nearly everything that is made here is kept: looking for garbage often finds nothing, at a tenth of the time.
    gc.set_threshold(100_000, 20, 50)


def _keep_named(words: list[str]) -> None:
    """Leave only the command that the line begins with, if it does: typer would build every other's options, too."""
    named = [command for command in app.registered_commands if [command.name] == words[:1]]
    if named:
        app.registered_commands, app.registered_groups = named, []


def main() -> NoReturn:
    """Run the command line and end the process with its code."""
    _travel_light()
    _keep_named(sys.argv[1:])
    log.choose_format(_find_log_format(sys.argv[1:]))
    code = 0
    try:
        app()
    except AuditorError as error:
        code = report_error(error)
    except SystemExit as end:
        if not isinstance(end.code, int):
            raise
        code = end.code
        if code == 2 and not said_exit():  # a mistake that the command line itself found, and told
            say_exit(2, ["wrong usage; no host was contacted"])
    except OSError as error:  # a command says so itself: this is what shows help
        code = report_error(unwritable(error, "give it room"))
    _end(code)


def _end(code: int) -> NoReturn:
    """End the process as it is. Python would look for garbage several times over, in all there is; and it would end the
    thread of hosts that are late wherever that is, which greenlets do not always survive: a crash instead of the code.
    """
    try:
        flush_stdout()
    except BrokenPipeError:
        pass  # a reader that has gone away has seen what he wanted
    except AuditorError as error:
        code = report_error(error)
    if sys.stderr is not None:
        with suppress(OSError):
            sys.stderr.flush()
    os._exit(code)
