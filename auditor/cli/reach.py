"""How hosts are reached where the inventory does not say: as this user's ssh would, by ssh_config.

Which files those are is said on the command line (`--ssh-config`), and taken note of when it is read.
"""

import os
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from auditor.errors import DocumentError, Problem

if TYPE_CHECKING:
    from auditor.model.host import Inventory
    from auditor.ssh_config.config import Setting
    from auditor.ssh_config.settle import Fleet, Question

_QUESTIONS_AT_ONCE = 8


class _Chosen:
    """What the command line said. One for the program, which runs one command."""

    file: str | None = None
    match_exec: bool = False


def note_ssh_config(file: str | None) -> str | None:
    """Read ssh_config from `file` from now on; None: from where ssh does, 'none': from nowhere."""
    _Chosen.file = file
    return file


def chosen_ssh_config() -> str | None:
    """Return what the command line said of ssh_config, as `note_ssh_config` takes it."""
    return _Chosen.file


def note_match_exec(allowed: bool) -> bool:
    """Let Match exec run its commands from now on, or not."""
    _Chosen.match_exec = allowed
    return allowed


def settle_hosts(inventory: "Inventory", file: str | None = None) -> "Inventory":
    """Return the inventory with every host over ssh ready to be dialled; `file` overrules the command line.

    Warnings go to standard error. Raises DocumentError for mistakes in ssh_config.
    """
    if not any(host.connection == "ssh" for host in inventory.hosts):
        return inventory
    inventory, fleet = settle_fleet(inventory, file)
    show_warnings(fleet.warnings)
    return inventory


def settle_fleet(inventory: "Inventory", file: str | None = None) -> "tuple[Inventory, Fleet]":
    """Return the same without a word, and how each host came to be what it is."""
    from auditor.ssh_config.local import read_local
    from auditor.ssh_config.read import read_config
    from auditor.ssh_config.settle import Means, settle
    from auditor.transport.ssh_query import find_ssh, run_condition

    local = read_local()
    config = read_config(file or _Chosen.file, local)
    program = find_ssh()
    may_ask = program is not None and (_Chosen.match_exec or not config.executes)
    asker = _Asker(program or "", config.argument)
    means = Means(
        local=local,
        exists=cache(os.path.exists),
        run=cache(run_condition) if _Chosen.match_exec else None,
        ask=asker.ask if may_ask else None,
    )
    try:
        settled, fleet = settle(inventory, config, means)
    except DocumentError as error:
        raise DocumentError((*error.problems, *asker.refusals)) from None
    fleet.warnings.extend(asker.refusals)
    fleet.warnings.extend(_check_algorithms(settled))
    return settled, fleet


class _Asker:
    """Asks `ssh -G`; `refusals` are warnings about what it could not tell."""

    def __init__(self, program: str, file: str | None) -> None:
        self.refusals: list[Problem] = []
        self._program = program
        self._file = file

    def ask(self, questions: "Sequence[Question]") -> list[str | None]:
        """Return an answer for each question; several are asked at once, for each takes a hundredth of a second."""
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(_QUESTIONS_AT_ONCE) as pool:
            return list(pool.map(lambda question: self._ask(*question), questions))

    def _ask(self, name: str, settled: "Mapping[str, Setting]") -> str | None:
        from auditor.transport.ssh_query import SshRefusedError, query_ssh

        arguments = [] if self._file is None else ["-F", self._file]
        for keyword, setting in settled.items():
            arguments += ["-o", f"{keyword}={setting.value}"]
        try:
            return query_ssh(self._program, [*arguments, "--", name])
        except SshRefusedError as error:
            message = f"`ssh -G {name}` could not tell: {error}"
            self.refusals.append(Problem(self._file or "ssh_config", 0, 0, message, level="warning"))
            return None


def _check_algorithms(inventory: "Inventory") -> list[Problem]:
    """Return a warning for each list of algorithms from which netaudit speaks none: those hosts will not be reached."""
    kinds = ("kex_algorithms", "host_key_algorithms", "ciphers", "macs")
    wanted: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for host in (*inventory.hosts, *inventory.jump_hosts):
        for kind in kinds if host.client == "paramiko" else ():
            if names := getattr(host.ssh, kind):
                wanted.setdefault((kind, names), []).append(host.name)
    if not wanted:
        return []
    from auditor.transport.ssh_algorithms import CIPHERS, HOST_CERTIFICATES, HOST_KEYS, KEX, MACS

    spoken = dict(zip(kinds, (KEX, HOST_KEYS + HOST_CERTIFICATES, CIPHERS, MACS), strict=True))
    problems = []
    for (kind, names), hosts in wanted.items():
        if not set(names) & set(spoken[kind]):
            what = f"no {kind.replace('_', ' ')} that netaudit speaks"
            message = f"ssh_config leaves {hosts[0]} {what}: {', '.join(names)}"
            hint = "transport: openssh in the inventory uses the system's ssh"
            problems.append(Problem("ssh_config", 0, 0, message, hint, level="warning"))
    return problems


def show_warnings(warnings: Sequence[Problem]) -> None:
    """Write warnings on standard error."""
    from auditor.cli import log
    from auditor.display import escape

    for problem in warnings:
        where = f"{escape(problem.file)}:{problem.line}" if problem.line else escape(problem.file)
        hint = f" ({escape(problem.hint)})" if problem.hint else ""
        log.warn(f"{where}: {escape(problem.message)}{hint}", file=problem.file, line=problem.line)
