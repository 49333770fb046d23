"""Where the answers of `netaudit netstat` come from: hosts asked now, or evidence saved before."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from auditor.audit import collect_host
from auditor.cli.choice import choose_target
from auditor.cli.clock import read_clock
from auditor.cli.evidence_place import seek_evidence
from auditor.cli.fleet import gather_hosts, open_transports, work_through_saved
from auditor.cli.netstat_answer import Request, Shown, Wish
from auditor.cli.netstat_host import list_tables, show_host
from auditor.cli.progress import Progress, choose_style
from auditor.cli.run_folder import open_run
from auditor.cli.target import HERE, this_host
from auditor.collect.sections import TABLE_GROUPS
from auditor.errors import NoHostsError, UsageError
from auditor.inventory import limit_hosts
from auditor.model.host import Host, Inventory
from auditor.model.transcript import Evidence, EvidenceHeader
from auditor.transport.evidence import EvidenceWriter, read_evidence
from auditor.transport.timeline import watch


class Reading(NamedTuple):
    """What the hosts have to show, by name, of how many; the exit code when a signal ended it early, and whether
    there is only one host."""

    found: list[Shown]
    total: int
    interrupted: int | None
    alone: bool


class Source(Protocol):
    """Something that can be read once, or over and over."""

    def read(self, wish: Wish) -> Reading: ...


def choose_source(target: str, request: Request) -> Source:
    """Return what `target` names. Raises UsageError, DocumentError, NoHostsError."""
    evidence = seek_evidence(target)
    if evidence is None:
        return _Live(choose_inventory(target, request), request)
    if request.save is not None or request.continuous:
        raise UsageError(f"{target} is saved evidence", "leave out --save and -c")
    return _Saved(evidence, request)


def choose_inventory(target: str, request: Request) -> Inventory:
    """Return the hosts to ask; `localhost` is this machine, without any login."""
    if target != HERE or Path(target).exists():
        return choose_target(target, request.limit, request.timeout, request.allow_empty)
    return this_host(request.timeout)


class _Live:
    """The hosts of an inventory, or one host, asked now."""

    def __init__(self, inventory: Inventory, request: Request) -> None:
        self._inventory = inventory
        self._request = request

    def read(self, wish: Wish) -> Reading:
        """Ask every host. Raises OutputError when the evidence that is to be kept cannot be written."""
        request, hosts = self._request, self._inventory.hosts
        keeping = request.save is not None  # all there is, for any flags to show later
        tables, owners = (frozenset(TABLE_GROUPS), True) if keeping else (list_tables(wish), wish.owners)
        header = open_run(self._inventory)
        found: list[Shown] = []
        with ExitStack() as stack:
            transports = stack.enter_context(open_transports(self._inventory, read_clock))
            writer = stack.enter_context(_keep(request.save, header))
            quiet = request.quiet or request.continuous or len(hosts) == 1
            style = choose_style(quiet, request.verbosity > 0)
            progress = stack.enter_context(Progress(len(hosts), style, request.verbosity))

            def collect(host: Host) -> Evidence:
                with watch(host, progress):
                    return collect_host(host, transports, read_clock, owners=owners, tables=tables)

            def finish(evidence: Evidence) -> tuple[Evidence | None, Shown]:
                return evidence if keeping else None, show_host(evidence, wish)

            def take(done: tuple[Evidence | None, Shown]) -> None:
                evidence, shown = done
                found.append(shown)
                if writer is not None and evidence is not None:
                    writer.append(evidence)
                progress.count(shown.host, shown.status)

            interruption = gather_hosts(collect, finish, hosts, request.jobs, take, seed=header.run_id)
            if writer is not None:
                writer.finish(partial=interruption.code is not None)
        return Reading(_sort(found), len(hosts), interruption.code, alone=len(hosts) == 1)


@contextmanager
def _keep(path: Path | None, header: EvidenceHeader) -> Iterator[EvidenceWriter | None]:
    if path is None:
        yield None
        return
    with EvidenceWriter(path, header) as writer:
        yield writer


class _Saved:
    """The hosts of saved evidence."""

    def __init__(self, path: Path, request: Request) -> None:
        self._path = path
        self._request = request

    def read(self, wish: Wish) -> Reading:
        """Read every host that the limit leaves. Raises EvidenceError, NoHostsError."""
        found: list[Shown] = []
        with read_evidence(self._path) as saved:
            chosen = (evidence for evidence in saved if self._is_wanted(evidence))
            interruption = work_through_saved(lambda evidence: show_host(evidence, wish), chosen, found.append)
        if not found and interruption.code is None and not self._request.allow_empty:
            raise NoHostsError(f"{self._path} holds no such hosts", "see what --limit leaves, or pass --allow-empty")
        return Reading(_sort(found), len(found), interruption.code, alone=len(found) == 1)

    def _is_wanted(self, evidence: Evidence) -> bool:
        if self._request.limit is None:
            return True
        inventory = Inventory(path=str(self._path), sha256="", hosts=(evidence.host,))
        return bool(limit_hosts(inventory, *self._request.limit, allow_empty=True).hosts)


def _sort(found: list[Shown]) -> list[Shown]:
    return sorted(found, key=lambda each: each.host)
