"""`--resume REPORT|RUN`: a run that did not finish in, what of it holds good for the hosts of now out.

Kept is every host that answered to the end; it is judged again by the policies of now. Hosts that were never asked,
did not answer, or were cut off in mid-answer are asked again.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from auditor.cli import log
from auditor.cli.evidence_place import find_evidence
from auditor.cli.outputs import EVIDENCE_NAME
from auditor.cli.run_folder import check_unoccupied
from auditor.display import escape
from auditor.errors import EvidenceError, OutputError, UsageError
from auditor.model.host import Host, Inventory
from auditor.model.transcript import EarlierRun, Evidence, EvidenceHeader, Transcript
from auditor.reporters.text_layout import count
from auditor.transport.evidence import PART, EvidenceFile, read_evidence

_TRY_AGAIN = {"deadline", "lost", "killed"}
_NAMED = 5
_RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}")
_TARGET: Mapping[str, Callable[[Host], object]] = {
    "address": lambda host: host.address,
    "port": lambda host: host.port,
    "connection": lambda host: (host.connection, host.evidence),
    "jump": lambda host: (host.jump, host.ssh.proxy_command),
    "sudo": lambda host: host.sudo,
    "namespaces": lambda host: host.namespaces,
}
"""What says which machine a host is and what is read there. Who logs in, and how, may be mended between two runs."""


@dataclass(frozen=True, slots=True)
class Resumption:
    """What is kept: the hosts, as the inventory has them now, whose evidence in `file` holds good."""

    file: Path
    earlier: tuple[EarlierRun, ...]
    kept: Mapping[str, Host]

    def read(self, opened: EvidenceFile) -> Iterator[Evidence]:
        """Yield the evidence that is kept, of hosts as they are called and grouped now."""
        for evidence in opened:
            if host := self.kept.get(evidence.host.name):
                yield evidence.model_copy(update={"host": host})


def choose_resumption(path: Path | None, inventory: Inventory, *, despite_changes: bool = False) -> Resumption | None:
    """Return what `path` (a report, a run's folder, evidence) spares the hosts of `inventory`; None without a path.

    Raises UsageError when the inventory now means another machine by a name, unless `despite_changes`: such a host is
    then asked again. Raises EvidenceError for evidence that is missing or not ours.
    """
    if path is None:
        if despite_changes:
            raise UsageError("--despite-changes says how to resume", "name the run with --resume REPORT|RUN")
        return None
    file = find_evidence(path, unfinished_first=True)
    check_unoccupied(file.parent)
    now = {host.name: host for host in inventory.hosts}
    kept: dict[str, Host] = {}
    changed: list[str] = []
    with read_evidence(file) as opened:
        for evidence in opened:
            host = now.get(evidence.host.name)
            if host is None or not _is_finished(evidence):
                continue
            if differences := _compare(evidence.host, host):
                changed.append(f"{host.name} ({', '.join(differences)})")
            else:
                kept[host.name] = host
    if changed and not despite_changes:
        raise _refuse(file, changed)
    _announce(file, opened.header, len(kept), len(inventory.hosts))
    return Resumption(file, (*opened.header.resumed, _name(opened.header)), kept)


def report_unfinished(folder: Path, paths: Collection[Path]) -> None:
    """Say that a killed run left evidence in `folder`, which a new run with evidence at `paths` is about to replace.

    Of the runs beside it, say it of the last one, if that came to no end.
    """
    part = folder / f"{EVIDENCE_NAME}{PART}"
    if not part.is_file():
        _report_last(folder.parent)
    elif folder / EVIDENCE_NAME in paths:
        with suppress(EvidenceError), read_evidence(part) as opened:
            hosts = sum(1 for _ in opened)
            text = f"note: a run left the evidence of {count(hosts, 'host')} in {part}, which this one replaces"
            log.say("unfinished-run", f"{text}; --resume {folder} would have gone on from it", "warning", hosts=hosts)


def _report_last(runs: Path) -> None:
    """Say of the last run in a folder of runs, which are named by their time, that it was killed, if it was."""
    unfinished = max((path.parent.name for path in runs.glob(f"*/{EVIDENCE_NAME}{PART}")), default="")
    finished = max((path.parent.name for path in runs.glob(f"*/{EVIDENCE_NAME}")), default="")
    if unfinished > finished and _RUN.fullmatch(unfinished):
        with suppress(UsageError, OutputError):  # it is at work, or nothing can be said of it
            check_unoccupied(runs / unfinished)
            text = f"note: the last run did not finish: --resume {runs / unfinished} would go on from it"
            log.say("unfinished-run", text, "warning", path=str(runs / unfinished))


def _is_finished(evidence: Evidence) -> bool:
    return isinstance(evidence.outcome, Transcript) and evidence.outcome.cut not in _TRY_AGAIN


def _compare(then: Host, now: Host) -> list[str]:
    """Return in what an inventory now means another machine, or another reading of it."""
    return [word for word, read in _TARGET.items() if read(then) != read(now)]


def _refuse(file: Path, changed: list[str]) -> UsageError:
    more = f" and {len(changed) - _NAMED} more" if len(changed) > _NAMED else ""
    return UsageError(
        f"the inventory has changed since {file} was gathered: {escape(', '.join(changed[:_NAMED]))}{more}",
        "run without --resume, or with --despite-changes: it asks these hosts again and keeps the others",
    )


def _name(header: EvidenceHeader) -> EarlierRun:
    return EarlierRun(id=header.run_id, started_at=header.started_at)


def _announce(file: Path, header: EvidenceHeader, kept: int, total: int) -> None:
    hosts = f"{kept} of {count(total, 'host')} {'is' if total == 1 else 'are'}"
    text = f"resuming {header.run_id}: {hosts} kept from {file}, {total - kept} are asked"
    log.say("resume", escape(text), run=header.run_id, kept=kept, asked=total - kept, file=str(file))
