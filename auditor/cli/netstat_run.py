"""What `netaudit netstat` was asked in; its hosts read, the output written, and the exit code out."""

import time
from collections.abc import Sequence
from typing import cast

from auditor.cli.boundary import say_exit
from auditor.cli.netstat_answer import Request, Screen, Shown, Wish
from auditor.cli.netstat_hosts import choose_source
from auditor.cli.netstat_output import Layout, say_troubles, write_shown
from auditor.cli.stdout import write_stdout
from auditor.cli.target import HERE
from auditor.errors import UsageError
from auditor.netstat.view import View
from auditor.netstat.where import parse_where
from auditor.policies.services import bundled_services
from auditor.reporters.text_layout import count

_MOST_SECONDS = 86400


def choose_wish(screens: Sequence[str], view: View, where: str | None, formats: Sequence[str]) -> Wish:
    """Return what is to be shown. Raises UsageError for flags that exclude each other, DocumentError for a filter."""
    if len(screens) > 1:
        raise UsageError(f"{' and '.join(screens)} are different screens", "ask for one of them at a time")
    screen = cast("Screen", screens[0] if screens else "sockets")
    if where is not None and screen not in {"sockets", "states"}:
        raise UsageError("--where chooses among sockets", f"leave it out, or leave out the flag for {screen}")
    found = parse_where(where, _find_ports) if where is not None else None
    owners = view.programs or (found is not None and found.needs_owners)
    return Wish(screen, view, found, owners, records=not {"json", "csv"}.isdisjoint(formats))


def _find_ports(name: str) -> frozenset[int]:
    return frozenset(service.port for service in bundled_services().resolve(name))


def run_netstat(request: Request, wish: Wish) -> int:
    """Show what `wish` asks for of the hosts of the target, once or over and over; return the exit code."""
    target, pause = _read_pause(request)
    if len(request.formats) > 1:
        raise UsageError(f"--{' and --'.join(request.formats)} exclude each other", "ask for one of them")
    if request.continuous and request.save is not None:
        raise UsageError("--save keeps one reading", "leave out -c or --save")
    source = choose_source(target, request)
    while True:
        found, total, interrupted, alone = source.read(wish)
        write_stdout(write_shown(found, _choose_layout(request, alone)))
        say_troubles(found, alone=alone)
        if interrupted is not None:
            return say_exit(interrupted, [f"interrupted: {len(found)} of {count(total, 'host')} read"])
        if not request.continuous:
            return _close(found, total)
        time.sleep(pause)


def _read_pause(request: Request) -> tuple[str, float]:
    """Return the target and the seconds between two readings; `-c 5 TARGET` is as good as `TARGET -c 5`."""
    target, seconds = request.target, request.seconds
    if request.continuous and seconds is None and _is_number(target):
        target, seconds = HERE, target
    if seconds is None:
        return target, 1.0
    if not _is_number(seconds) and _is_number(target):
        target, seconds = seconds, target
    if not request.continuous:
        raise UsageError(f"one target is enough, and {seconds!r} is a second", "put several hosts into an inventory")
    if not _is_number(seconds) or not 0 < float(seconds) <= _MOST_SECONDS:
        raise UsageError(f"{seconds!r} is no number of seconds", "write -c 5")
    return target, float(seconds)


def _is_number(text: str) -> bool:
    return text.isascii() and text.replace(".", "", 1).isdecimal()


def _choose_layout(request: Request, alone: bool) -> Layout:
    if request.formats:
        return cast("Layout", request.formats[0])
    return "alone" if alone else "columns"


def _close(found: Sequence[Shown], total: int) -> int:
    """Return 0 in silence when everything was read, as netstat does; else say what was not."""
    unreachable = sum(each.status == "unreachable" for each in found)
    incomplete = sum(each.status == "incomplete" for each in found)
    hosts = count(total, "host")
    reasons = [f"{unreachable} of {hosts} not read"] * (unreachable > 0)
    reasons += [f"{incomplete} of {hosts} not read completely"] * (incomplete > 0)
    return say_exit(3, reasons) if reasons else 0
