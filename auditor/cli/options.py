"""The flags that several commands share, each defined once."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from auditor.cli.log import VARIABLE, LogFormat, choose_format
from auditor.cli.reach import note_match_exec, note_ssh_config

FailOn = Literal["critical", "high", "medium", "low", "info"]
ColorChoice = Literal["auto", "always", "never"]


def _choose_format(chosen: LogFormat | None) -> LogFormat | None:
    choose_format(chosen)
    return chosen


def _join_limit(context: typer.Context, limit: list[str] | None) -> list[str] | None:
    """Return the limit of a variable as it was written: the values of repeatable flags are parted at blanks there."""
    source = context.get_parameter_source("limit")
    return [" ".join(limit)] if limit and source is not None and source.name == "ENVIRONMENT" else limit


InventoryArgument = Annotated[Path, typer.Argument(metavar="INVENTORY", help="The inventory file (YAML).")]
PolicyOption = Annotated[
    list[Path],
    typer.Option(
        "-p",
        "--policy",
        metavar="PATH",
        envvar="NETAUDIT_POLICY",
        help="A policy file, or a folder of them. Repeatable. [default: policies/ beside the inventory]",
        show_default=False,
    ),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(
        "-l",
        "--limit",
        metavar="PATTERN",
        envvar="NETAUDIT_LIMIT",
        callback=_join_limit,
        help="Only hosts that match, as in Ansible: 'web:&prod:!web-03', '~^db', 'env=prod'. Repeatable.",
    ),
]
DEFAULT_JOBS = 64
JobsOption = Annotated[
    int,
    typer.Option("-j", "--jobs", min=1, max=1024, metavar="N", envvar="NETAUDIT_JOBS", help="Hosts at the same time."),
]
ProcsOption = Annotated[
    int | None,
    typer.Option(
        "--procs",
        min=1,
        max=64,
        metavar="N",
        envvar="NETAUDIT_PROCS",
        help="Processes to share the hosts among, this one included. [default: what pays; 1 below 1,000 hosts]",
        show_default=False,
    ),
]
OutputOption = Annotated[
    list[str],
    typer.Option(
        "-o",
        "--output",
        metavar="FORMAT[=PATH]",
        envvar="NETAUDIT_OUTPUT",
        help="What to write: evidence, or one of `netaudit report --list`; '-' is standard output. Repeatable. "
        "[default: html, json and evidence in the run's folder, a text summary on standard output]",
        show_default=False,
    ),
]
OutputDirOption = Annotated[
    Path | None,
    typer.Option(
        "--output-dir",
        metavar="DIR",
        envvar="NETAUDIT_OUTPUT_DIR",
        help="The folder for this run's files. [default: reports/<run-id>/ beside the inventory]",
        show_default=False,
    ),
]
TitleOption = Annotated[
    str,
    typer.Option(
        "--title",
        metavar="TEXT",
        envvar="NETAUDIT_TITLE",
        help="What the HTML pages are headed with.",
        show_default=False,
    ),
]
LogoOption = Annotated[
    Path | None,
    typer.Option(
        "--logo",
        metavar="FILE",
        envvar="NETAUDIT_LOGO",
        help="A picture for the head of the HTML pages: PNG, JPEG, GIF, WebP or SVG of at most 100 kB.",
        show_default=False,
    ),
]
FailOnOption = Annotated[
    FailOn, typer.Option("--fail-on", envvar="NETAUDIT_FAIL_ON", help="Exit 1 on findings of this severity or worse.")
]
StrictOption = Annotated[
    bool,
    typer.Option(
        "--strict", envvar="NETAUDIT_STRICT", help="Exit 1, too, on what rots in the policies: unused lines, waivers…"
    ),
]
OwnersOption = Annotated[
    bool,
    typer.Option("--owners/--no-owners", envvar="NETAUDIT_OWNERS", help="Find out which processes hold what listens."),
]
BaselineOption = Annotated[
    Path | None,
    typer.Option(
        "--baseline",
        metavar="REPORT",
        envvar="NETAUDIT_BASELINE",
        help="An earlier report, or its run's folder, to compare with. It must have seen every host completely.",
        show_default=False,
    ),
]
FailOnNewOption = Annotated[
    bool,
    typer.Option("--fail-on-new", envvar="NETAUDIT_FAIL_ON_NEW", help="Exit 1 only on findings the baseline has not."),
]
ExplainExitOption = Annotated[
    bool, typer.Option("--explain-exit", help="Say on standard error why the exit code is what it is.")
]
TimeoutOption = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        min=1.0,
        max=3600.0,
        metavar="S",
        envvar="NETAUDIT_TIMEOUT",
        help="Seconds for each host, all steps together. [default: the inventory's, or 60]",
        show_default=False,
    ),
]
SshConfigOption = Annotated[
    str | None,
    typer.Option(
        "-F",
        "--ssh-config",
        metavar="FILE",
        envvar="NETAUDIT_SSH_CONFIG",
        callback=note_ssh_config,
        help="Read what the inventory leaves open from this ssh_config; none: from nowhere. "
        "[default: ~/.ssh/config and /etc/ssh/ssh_config]",
        show_default=False,
    ),
]
SshConfigLongOption = Annotated[
    str | None,
    typer.Option(
        "--ssh-config",
        metavar="FILE",
        envvar="NETAUDIT_SSH_CONFIG",
        callback=note_ssh_config,
        help="As in `netaudit run`: where to read how hosts are reached; none: nowhere.",
        show_default=False,
    ),
]
MatchExecOption = Annotated[
    bool,
    typer.Option(
        "--match-exec",
        envvar="NETAUDIT_MATCH_EXEC",
        callback=note_match_exec,
        help="Let `Match exec` in ssh_config run its commands; without this its blocks do not apply.",
    ),
]
AllowEmptyOption = Annotated[
    bool,
    typer.Option(
        "--allow-empty",
        envvar="NETAUDIT_ALLOW_EMPTY",
        help="Neither no hosts nor a limit to some that are not there is an error.",
    ),
]
QuietOption = Annotated[bool, typer.Option("-q", "--quiet", help="No progress and no summary, only errors.")]
VerboseOption = Annotated[
    int,
    typer.Option(
        "-v",
        "--verbose",
        count=True,
        metavar="",
        help="A line for every host as it finishes, with what its phases took; -vv: for every phase, too.",
        show_default=False,
    ),
]
LogFormatOption = Annotated[
    LogFormat | None,
    typer.Option(
        "--log-format",
        envvar=VARIABLE,
        is_eager=True,
        callback=_choose_format,
        help="What standard error is written as: lines for people, or one JSON object a line. [default: text]",
        show_default=False,
    ),
]
ResumeOption = Annotated[
    Path | None,
    typer.Option(
        "--resume",
        metavar="REPORT|RUN",
        help="Go on from a run that did not finish (its folder, report.json or evidence): ask only what is missing.",
        show_default=False,
    ),
]
DespiteChangesOption = Annotated[
    bool,
    typer.Option("--despite-changes", help="Resume, and ask again the hosts that are now another machine."),
]
AcceptNewOption = Annotated[
    bool,
    typer.Option(
        "--accept-new-host-keys",
        help="Take the key of a host that is not known on trust, keep it, and mark the host in the report.",
    ),
]
IgnoreHostKeysOption = Annotated[
    bool,
    typer.Option(
        "--insecure-ignore-host-keys",
        help="Verify no host keys: anybody on the way can answer for a host. Every report says so.",
    ),
]
ColorOption = Annotated[
    ColorChoice, typer.Option("--color", envvar="NETAUDIT_COLOR", help="Colour in the text summary.")
]
EvidenceArgument = Annotated[
    Path, typer.Argument(metavar="EVIDENCE", help="Evidence saved by run or collect, or the folder of a run.")
]
