"""The hosts of a run in, their evidence kept on the disk and their reports handed on as they come; the tally out."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from auditor.audit import collect_host
from auditor.cli import log
from auditor.cli.clock import read_clock
from auditor.cli.color import use_color
from auditor.cli.fleet import gather_hosts, open_transports, work_through_saved
from auditor.cli.options import DEFAULT_JOBS, ColorChoice
from auditor.cli.outputs import attempt
from auditor.cli.processes import choose_procs
from auditor.cli.progress import Progress, choose_style, describe_outcome
from auditor.cli.resumption import Resumption
from auditor.collect import unframe
from auditor.display import escape
from auditor.errors import OutputError
from auditor.model.host import Host, Inventory
from auditor.model.report import INTERRUPTED, HostReport
from auditor.model.transcript import Evidence, EvidenceHeader, Failure, Transcript
from auditor.reporters.text_layout import count
from auditor.transport.evidence import EvidenceWriter, read_evidence
from auditor.transport.timeline import watch

Judge = Callable[[Evidence], HostReport | None]
Done = tuple[Evidence, HostReport | None]
_NOISE = 300


@dataclass(frozen=True, slots=True)
class Manner:
    """How to work through the hosts of a run, and how to tell of it. `procs`: as many processes; None: what pays."""

    jobs: int = DEFAULT_JOBS
    procs: int | None = None
    owners: bool = True
    quiet: bool = False
    verbosity: int = 0
    color: ColorChoice = "auto"


@dataclass(slots=True)
class Tally:
    """What became of the hosts so far; `finished_at` is when the last was done. `limited`: `-l` left some out."""

    finished_at: datetime
    reports: list[HostReport] = field(default_factory=list)
    hosts: int = 0
    unreachable: int = 0
    interrupted: int | None = None
    limited: bool = False
    errors: list[OutputError] = field(default_factory=list)

    def take(self, evidence: Evidence, report: HostReport | None) -> None:
        self.hosts += 1
        self.unreachable += isinstance(evidence.outcome, Failure)
        if report is not None:
            self.reports.append(report)
        self.finished_at = max(self.finished_at, evidence.finished_at)

    def add_unfinished(self, inventory: Inventory, judge: Judge) -> None:
        """Take the hosts that an interruption left out: not audited is not the same as not there."""
        done = {report.name for report in self.reports}
        why = Failure(
            phase="read",
            code=INTERRUPTED,
            message="the run was interrupted before this host was done",
            hint="run it again with --resume: only what is missing is asked then",
        )
        for host in inventory.hosts:
            if host.name not in done:
                report = judge(Evidence(host=host, outcome=why, finished_at=self.finished_at))
                self.reports += [] if report is None else [report]


class EvidenceFiles:
    """The evidence files of a run, in step. One that cannot be written is an error of its own and ends no other."""

    def __init__(self, writers: Sequence[EvidenceWriter], errors: list[OutputError]) -> None:
        self._writers = list(writers)
        self._errors = errors

    def append(self, evidence: Evidence) -> None:
        self._each(lambda writer: writer.append(evidence))

    def settle(self) -> None:
        """Everything that was kept is in: take the place of what it was kept from."""
        self._each(EvidenceWriter.settle)

    def finish(self, *, partial: bool) -> None:
        self._each(lambda writer: writer.finish(partial=partial))

    def _each(self, act: Callable[[EvidenceWriter], None]) -> None:
        for writer in list(self._writers):
            if failed := attempt(partial(act, writer)):
                self._errors += failed
                self._writers.remove(writer)


def work_through(
    inventory: Inventory,
    header: EvidenceHeader,
    paths: Sequence[Path],
    manner: Manner,
    judge: Judge,
    show: Callable[[HostReport | None], None] = lambda _report: None,
    resumption: Resumption | None = None,
) -> Tally:
    """Collect every host, keep the evidence at `paths`, `show` what `judge` makes of each, and return it all.

    What `resumption` keeps comes first, and is not collected again.
    """
    tally = Tally(finished_at=header.started_at, limited=bool(inventory.others))
    color = use_color(manner.color, log.stderr())
    style = choose_style(manner.quiet, manner.verbosity > 0)
    kept = {} if resumption is None else resumption.kept
    missing = [host for host in inventory.hosts if host.name not in kept]
    procs = choose_procs(manner.procs, missing, inventory.host_keys)
    with ExitStack() as stack:
        transports = stack.enter_context(open_transports(inventory, read_clock, procs))
        files = stack.enter_context(_write_evidence(paths, header, tally))
        progress = stack.enter_context(Progress(len(inventory.hosts), style, manner.verbosity, color=color))

        def collect(host: Host) -> Evidence:
            with watch(host, progress) if progress.shows_phases else nullcontext():
                evidence = collect_host(host, transports, read_clock, owners=manner.owners)
            progress.rest(host)
            return evidence

        def finish(evidence: Evidence) -> Done:
            if manner.verbosity > 1:
                _say_noise(evidence)
            return evidence, judge(evidence)

        def take(done: Done) -> None:
            tally.take(*done)
            files.append(done[0])
            show(done[1])
            progress.count(done[0].host.name, *describe_outcome(*done))

        if resumption is not None:
            with read_evidence(resumption.file) as opened:
                tally.interrupted = work_through_saved(
                    lambda kept: (kept, judge(kept)), resumption.read(opened), take
                ).code
        if tally.interrupted is None:
            files.settle()
            tally.interrupted = gather_hosts(collect, finish, missing, manner.jobs, take, seed=header.run_id).code
            files.finish(partial=tally.interrupted is not None)
    return tally


@contextmanager
def _write_evidence(paths: Sequence[Path], header: EvidenceHeader, tally: Tally) -> Iterator[EvidenceFiles]:
    """Yield the evidence files; when the program is made to end at once, say where what was gathered is."""
    with ExitStack() as stack:
        writers = [stack.enter_context(EvidenceWriter(path, header)) for path in paths]
        try:
            yield EvidenceFiles(writers, tally.errors)
        except KeyboardInterrupt:
            for writer in writers:
                if writer.hosts:
                    hosts = count(writer.hosts, "host")
                    text = f"the evidence of {hosts} is in {writer.part}: go on from there with --resume"
                    log.say("unfinished-run", text, "warning", hosts=writer.hosts, file=str(writer.part))
            raise


def _say_noise(evidence: Evidence) -> None:
    """Say what a host printed around its answer: a login banner, a message of the day."""
    noise = unframe(evidence.outcome).noise if isinstance(evidence.outcome, Transcript) else b""
    if said := noise.decode("utf-8", "replace").strip():
        shown = escape(said, _NOISE)
        log.say("noise", f'{escape(evidence.host.name, 253)}: printed around its answer: "{shown}"', "debug",
                host=evidence.host.name, noise=shown)  # fmt: skip
