"""`netaudit netstat`: the table of netstat(8), of one host or of a fleet, with nothing installed there."""

from pathlib import Path
from typing import Annotated

import typer

from auditor.cli.options import (
    DEFAULT_JOBS,
    AllowEmptyOption,
    JobsOption,
    MatchExecOption,
    QuietOption,
    SshConfigLongOption,
    TimeoutOption,
    VerboseOption,
)

_SHOW, _WHICH, _HOW, _FLEET = "What to show", "Which sockets", "How", "Fleet"


def _flag(short: str, name: str, text: str, panel: str) -> typer.models.OptionInfo:
    names = (short, name) if short else (name,)
    option: typer.models.OptionInfo = typer.Option(*names, help=text, rich_help_panel=panel)
    return option


def netstat(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="An inventory, a host as ssh takes it, localhost (this machine), or saved evidence or its folder.",
        ),
    ] = "localhost",
    seconds: Annotated[str | None, typer.Argument(metavar="SECONDS", help="With -c: the pause. [default: 1]")] = None,
    route: Annotated[bool, _flag("-r", "--route", "Routing tables (with -6: of IPv6).", _SHOW)] = False,
    interfaces: Annotated[bool, _flag("-i", "--interfaces", "Interfaces and their counters.", _SHOW)] = False,
    groups: Annotated[bool, _flag("-g", "--groups", "Multicast groups that interfaces are in.", _SHOW)] = False,
    statistics: Annotated[bool, _flag("-s", "--statistics", "Counters of the protocols.", _SHOW)] = False,
    link: Annotated[bool, _flag("", "--link", "Speed, duplex, link and driver, as ethtool.", _SHOW)] = False,
    states: Annotated[bool, _flag("", "--states", "Sockets per state, and what many hint at.", _SHOW)] = False,
    all_sockets: Annotated[bool, _flag("-a", "--all", "Listening and not. [default: connected]", _WHICH)] = False,
    listening: Annotated[bool, _flag("-l", "--listening", "Listening sockets only.", _WHICH)] = False,
    tcp: Annotated[bool, _flag("-t", "--tcp", "TCP.", _WHICH)] = False,
    udp: Annotated[bool, _flag("-u", "--udp", "UDP.", _WHICH)] = False,
    udplite: Annotated[bool, _flag("-U", "--udplite", "UDP-Lite.", _WHICH)] = False,
    raw: Annotated[bool, _flag("-w", "--raw", "Raw sockets.", _WHICH)] = False,
    unix: Annotated[bool, _flag("-x", "--unix", "Unix sockets.", _WHICH)] = False,
    ipv4: Annotated[bool, _flag("-4", "--inet", "IPv4 only.", _WHICH)] = False,
    ipv6: Annotated[bool, _flag("-6", "--inet6", "IPv6 only.", _WHICH)] = False,
    family: Annotated[
        str,
        typer.Option(
            "-A",
            "--protocol",
            metavar="FAMILY",
            help="inet, inet6 or unix; several with commas.",
            rich_help_panel=_WHICH,
        ),
    ] = "",
    where: Annotated[
        str | None,
        typer.Option(
            "--where",
            metavar="FILTER",
            help="Only rows that match, in the language of ss: 'state established and dport = :5432', "
            "'dst 10.0.0.0/8', 'process nginx', 'host web-*', with and, or, not and parentheses. Implies -a.",
            rich_help_panel=_WHICH,
        ),
    ] = None,
    numeric: Annotated[bool, _flag("-n", "--numeric", "Numbers for hosts, ports and users.", _HOW)] = False,
    numeric_hosts: Annotated[bool, _flag("", "--numeric-hosts", "Numbers for hosts.", _HOW)] = False,
    numeric_ports: Annotated[bool, _flag("", "--numeric-ports", "Numbers for ports.", _HOW)] = False,
    numeric_users: Annotated[bool, _flag("", "--numeric-users", "Numbers for users.", _HOW)] = False,
    programs: Annotated[bool, _flag("-p", "--programs", "PID and program of each socket.", _HOW)] = False,
    extend: Annotated[
        int,
        typer.Option(
            "-e", "--extend", count=True, help="User and inode as well.", show_default=False, rich_help_panel=_HOW
        ),
    ] = 0,
    timers: Annotated[bool, _flag("-o", "--timers", "Timers as well.", _HOW)] = False,
    wide: Annotated[bool, _flag("-W", "--wide", "Do not cut addresses.", _HOW)] = False,
    continuous: Annotated[bool, _flag("-c", "--continuous", "Again every second, or every SECONDS.", _HOW)] = False,
    classic: Annotated[bool, _flag("", "--classic", "Write * for any address, as net-tools 1 did.", _HOW)] = False,
    as_json: Annotated[bool, _flag("", "--json", "Every field of every row, as JSON.", _HOW)] = False,
    as_csv: Annotated[bool, _flag("", "--csv", "Every field of every row, as CSV.", _HOW)] = False,
    limit: Annotated[
        list[str] | None,
        typer.Option(
            "--limit",
            "-L",
            metavar="PATTERN",
            help="Only hosts that match, as `netaudit run -l`. Repeatable.",
            rich_help_panel=_FLEET,
        ),
    ] = None,
    group: Annotated[bool, _flag("", "--group", "A heading per host, not a column.", _FLEET)] = False,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save", metavar="PATH", help="Keep what was read, as evidence to show again.", rich_help_panel=_FLEET
        ),
    ] = None,
    jobs: JobsOption = DEFAULT_JOBS,
    timeout: TimeoutOption = None,
    ssh_config: SshConfigLongOption = None,  # noqa: ARG001 - took effect when it was read
    match_exec: MatchExecOption = False,  # noqa: ARG001 - the same
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
    _fib: Annotated[bool, _flag("-F", "--fib", "As in netstat, the default of -r.", _HOW)] = False,
    _symbolic: Annotated[bool, _flag("-N", "--symbolic", "As in netstat; no hardware here has names.", _HOW)] = False,
) -> int:
    """Show sockets, routes, interfaces and counters as netstat does, on every host at once, from the kernel's files.

    The flags are netstat's, and combine: -tulpn, -at, -rn. Names of hosts and ports are the target's own.
    """
    from auditor.cli.netstat_answer import Request
    from auditor.cli.netstat_run import choose_wish, run_netstat
    from auditor.netstat.view import View, choose_tables

    view = View(
        all=all_sockets or states or (where is not None and not listening),
        listening=listening,
        numeric_hosts=numeric or numeric_hosts,
        numeric_ports=numeric or numeric_ports,
        numeric_users=numeric or numeric_users,
        programs=programs,
        extend=extend,
        timers=timers,
        wide=wide,
        classic=classic,
    )
    protos = _name("tcp" * tcp, "udp" * udp, "udplite" * udplite, "raw" * raw)
    families = {*_name("inet" * ipv4, "inet6" * ipv6, "unix" * unix), *_read_families(family)}
    view = choose_tables(view, protos, families, unix="unix" in families, groups=groups, counters=statistics)
    screens = _name(
        "routes" * route, "interfaces" * interfaces, "statistics" * statistics, "link" * link, "states" * states
    )
    formats = _name("json" * as_json, "csv" * as_csv, "group" * group)
    wish = choose_wish(screens, view, where, formats)
    request = Request(
        target=target,
        seconds=seconds,
        limit=limit,
        timeout=timeout,
        allow_empty=allow_empty,
        jobs=jobs,
        quiet=quiet,
        verbosity=verbose,
        save=save,
        continuous=continuous,
        formats=formats,
    )
    return run_netstat(request, wish)


def _name(*words: str) -> tuple[str, ...]:
    """Return the words of the flags that were given."""
    return tuple(word for word in words if word)


def _read_families(text: str) -> tuple[str, ...]:
    from auditor.errors import UsageError

    families = tuple(word for word in text.lower().split(",") if word)
    for word in families:
        if word not in {"inet", "inet6", "unix"}:
            raise UsageError(f"unknown family {word!r}", "it is inet, inet6 or unix")
    return families
