"""`netaudit doctor`: can this host be reached and read, and if not, at which step does it end and what comes next?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.options import ColorOption, LogFormatOption, MatchExecOption, SshConfigOption, TimeoutOption

if TYPE_CHECKING:
    from auditor.cli.diagnosis import Check
    from auditor.model.host import Host, Inventory
    from auditor.transport.timeline import Step, Watcher


def doctor(
    host: Annotated[
        str,
        typer.Argument(
            metavar="HOST", help="A host of the inventory, or what ssh takes: NAME, USER@NAME, NAME:PORT; or localhost."
        ),
    ],
    inventory: Annotated[
        Path | None,
        typer.Option("-i", "--inventory", metavar="INVENTORY", help="The inventory that has the host."),
    ] = None,
    timeout: TimeoutOption = None,
    ssh_config: SshConfigOption = None,  # noqa: ARG001 - took effect when it was read
    match_exec: MatchExecOption = False,  # noqa: ARG001 - the same
    as_json: Annotated[bool, typer.Option("--json", help="The same as JSON.")] = False,
    color: ColorOption = "auto",
    log_format: LogFormatOption = None,  # noqa: ARG001 - took effect when it was read
) -> int:
    """Go through every step of an audit with one host, from its name to its clock, and stop at the first that fails."""
    from auditor.cli.boundary import say_exit
    from auditor.cli.diagnosis_text import show_checks

    chosen = choose_patient(host, inventory, timeout)
    patient = chosen.hosts[0]
    checks = examine(patient, chosen)
    failed = checks[-1] if checks[-1].result == "failed" else None
    code = 3 if failed else 0
    reason = f"{failed.name}: {failed.code}" if failed else f"{patient.name} can be audited"
    show_checks(patient, checks, code, reason, as_json=as_json, color=color)
    return say_exit(code, [reason])


def choose_patient(name: str, path: Path | None, timeout: float | None) -> "Inventory":
    """Return an inventory of that one host. Raises UsageError when the inventory has no such host."""
    import difflib

    from auditor.cli.choice import choose_hosts, choose_target
    from auditor.cli.target import HERE, this_host
    from auditor.errors import UsageError

    if path is None:
        return this_host(timeout) if name == HERE else choose_target(name, timeout=timeout)
    whole = choose_hosts(path, None, timeout, allow_empty=True)
    found = tuple(host for host in whole.hosts if host.name == name)
    if not found:
        near = difflib.get_close_matches(name, [host.name for host in whole.hosts], n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"`netaudit hosts {path}` lists them"
        raise UsageError(f"{path} has no host {name!r}", hint)
    others = tuple(host for host in whole.hosts if host.name != name)
    return whole.model_copy(update={"hosts": found, "others": others})


class _Steps:
    """Takes note of every step of the one host, and lets somebody else watch, too (a Watcher)."""

    def __init__(self, other: "Watcher") -> None:
        self.taken: list[Step] = []
        self._other = other

    def begin(self, host: "Host", step: "Step", /) -> None:
        self._other.begin(host, step)

    def end(self, host: "Host", step: "Step", /) -> None:
        self.taken.append(step)
        self._other.end(host, step)


def examine(patient: "Host", inventory: "Inventory") -> "list[Check]":
    """Collect the host as a run would, and return how each step went."""
    from auditor.audit import collect_host
    from auditor.cli.clock import read_clock
    from auditor.cli.diagnosis import Read, diagnose
    from auditor.cli.fleet import open_transports
    from auditor.cli.progress import Progress, choose_style
    from auditor.collect import unframe
    from auditor.model.transcript import Transcript
    from auditor.parse import parse_snapshot
    from auditor.transport.timeline import watch

    with open_transports(inventory, read_clock) as transports, Progress(1, choose_style(False, False)) as progress:
        steps = _Steps(progress)
        with watch(patient, steps):
            evidence = collect_host(patient, transports, read_clock)
    if not isinstance(evidence.outcome, Transcript):
        return diagnose(evidence, steps.taken, None)
    snapshot = unframe(evidence.outcome)
    facts = parse_snapshot(snapshot, evidence.outcome, namespaces=patient.namespaces)
    return diagnose(evidence, steps.taken, Read(patient, snapshot, facts))
