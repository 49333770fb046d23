"""The road run, collect, check and demo share: work through hosts, build the report, write it, say the exit code."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path

from auditor import __version__
from auditor.audit import collect_host, judge_evidence
from auditor.cli.boundary import say_exit
from auditor.cli.clock import is_stopped, read_clock
from auditor.cli.color import use_color
from auditor.cli.fleet import SIGNAL_EXITS, gather, open_transports
from auditor.cli.options import ColorChoice, FailOn
from auditor.cli.outputs import (
    DEFAULTS,
    EVIDENCE_NAME,
    Output,
    attempt,
    plan_outputs,
    point_latest,
    write_report,
)
from auditor.cli.progress import Progress, choose_style, describe_outcome
from auditor.cli.regression import compare_with
from auditor.cli.stream import Stream
from auditor.errors import NoHostsError, OutputError
from auditor.evaluate import compile_policies, review_policies
from auditor.model.host import Host, Inventory
from auditor.model.policy import PolicySet
from auditor.model.report import (
    INTERRUPTED,
    AuditReport,
    Generator,
    HostReport,
    InventoryRef,
    PolicyRef,
    Run,
    build_report,
    interrupt_report,
)
from auditor.model.transcript import Evidence, EvidenceHeader, Failure
from auditor.reporters.exit_text import explain_exit
from auditor.transport.evidence import EvidenceFile, EvidenceWriter

GENERATOR = Generator(name="netaudit", version=__version__)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the user asked of a run, whichever command it is."""

    fail_on: FailOn = "low"
    baseline: AuditReport | None = None
    only_new: bool = False
    strict: bool = False
    jobs: int = 32
    owners: bool = True
    output: Sequence[str] = ()
    output_dir: Path | None = None
    quiet: bool = False
    verbose: bool = False
    color: ColorChoice = "auto"
    explain_exit: bool = False


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


@dataclass(frozen=True, slots=True)
class Finished:
    """A run at its end: its report, and what of it could not be written."""

    report: AuditReport
    errors: Sequence[OutputError]

    @property
    def code(self) -> int:
        """The exit code: an interruption comes before an output that failed, and that before any verdict."""
        code = self.report.exit.code
        return OutputError.exit_code if self.errors and code not in SIGNAL_EXITS.values() else code

    @property
    def reasons(self) -> tuple[str, ...]:
        reasons, failed = self.report.exit.reasons, tuple(error.message for error in self.errors)
        return (*failed, *reasons) if self.code == OutputError.exit_code else (*reasons, *failed)


def audit_inventory(inventory: Inventory, policies: PolicySet, gate: Gate) -> Finished:
    """Audit every host of `inventory`, write what `gate` asks for, and return what came of it."""
    header = open_run(inventory)
    folder = gate.output_dir or _default_folder(header)
    outputs = plan_outputs(gate.output or DEFAULTS, folder)
    paths = [output.path for output in outputs if output.format == "evidence" and output.path is not None]
    compiled = compile_policies(policies)
    stream = Stream(outputs)
    stream.begin(header, _list_files(policies), GENERATOR)

    def judge(evidence: Evidence) -> HostReport:
        return judge_evidence(evidence, compiled, header.started_at, gate.fail_on)

    tally = _work_through(inventory, header, paths, gate, judge, stream.add)
    tally.limited = bool(inventory.others)
    if tally.interrupted is not None:
        _add_unfinished(inventory, tally, judge)
    report = assemble_report(header, policies, tally, gate)
    if tally.interrupted is not None:
        report = interrupt_report(report, tally.interrupted, of=len(inventory.hosts))
    stream.end(report)
    errors = [*tally.errors, *publish(report, outputs, gate, written=stream.outputs)]
    if gate.output_dir is None and folder.is_dir():
        from auditor.cli.history import write_index

        errors += attempt(partial(point_latest, folder), partial(write_index, folder.parent))
    return Finished(report, errors)


def _add_unfinished(inventory: Inventory, tally: Tally, judge: Callable[[Evidence], HostReport]) -> None:
    """Put the hosts that an interruption left out into the report: not audited is not the same as not there."""
    done = {report.name for report in tally.reports}
    why = Failure(
        phase="read",
        code=INTERRUPTED,
        message="the run was interrupted before this host was done",
        hint="run it again; -l limits it to the hosts that are missing",
    )
    for host in inventory.hosts:
        if host.name not in done:
            tally.reports.append(judge(Evidence(host=host, outcome=why, finished_at=tally.finished_at)))


def collect_inventory(inventory: Inventory, path: Path | None, gate: Gate) -> int:
    """Gather the evidence of every host of `inventory` into `path` and return the exit code."""
    header = open_run(inventory)
    target = path or _default_folder(header) / EVIDENCE_NAME
    tally = _work_through(inventory, header, [target], gate, lambda _evidence: None)
    total = len(inventory.hosts)
    for error in tally.errors:
        print(error, file=sys.stderr)
    if not gate.quiet and not tally.errors:
        print(f"wrote {target}", file=sys.stderr)
    if tally.errors and tally.interrupted is None:
        return say_exit(OutputError.exit_code, [error.message for error in tally.errors])
    if tally.interrupted is not None:
        return say_exit(tally.interrupted, [f"interrupted: {tally.hosts} of {total} hosts collected"])
    if tally.unreachable:
        return say_exit(3, [f"{tally.unreachable} of {total} hosts unreachable"])
    return say_exit(0, [f"evidence of {total} of {total} hosts collected; nothing was judged"])


def audit_saved(saved: EvidenceFile, policies: PolicySet, gate: Gate, *, allow_empty: bool = False) -> int:
    """Judge evidence gathered earlier; every time in the report is the evidence's own."""
    outputs = plan_outputs(gate.output, gate.output_dir or Path.cwd())
    compiled = compile_policies(policies)
    tally = Tally(finished_at=saved.header.started_at)

    def judge(evidence: Evidence) -> tuple[Evidence, HostReport]:
        return evidence, judge_evidence(evidence, compiled, saved.header.started_at, gate.fail_on)

    interruption = gather(judge, saved, gate.jobs, lambda done: tally.take(*done))
    if not tally.hosts and not allow_empty:
        raise NoHostsError("the evidence holds no hosts", "gather it again, or pass --allow-empty")
    report = assemble_report(saved.header, policies, tally, gate, partial=saved.partial)
    if interruption.code is not None:
        report = interrupt_report(report, interruption.code, of=tally.hosts)
    return close_run(Finished(report, publish(report, outputs, gate)), gate)


def open_run(inventory: Inventory) -> EvidenceHeader:
    """Return what identifies a run that begins now."""
    if is_stopped():
        print("warning: SOURCE_DATE_EPOCH stops the clock: no time in this run is real", file=sys.stderr)
    started = read_clock()
    return EvidenceHeader(
        run_id=name_run(started, inventory.sha256),
        started_at=started,
        inventory_path=inventory.path,
        inventory_sha256=inventory.sha256,
    )


def name_run(started: datetime, inventory_sha256: str) -> str:
    """Return the name of a run: when it began, and six hex digits to tell apart runs of the same second."""
    seed = f"{started.isoformat()}|{inventory_sha256}".encode()
    return f"{started:%Y%m%dT%H%M%SZ}-{hashlib.sha256(seed).hexdigest()[:6]}"


def assemble_report(
    header: EvidenceHeader, policies: PolicySet, tally: Tally, gate: Gate, partial: bool = False
) -> AuditReport:
    """Return the report of what was gathered."""
    run = Run(
        id=header.run_id,
        started_at=header.started_at,
        finished_at=tally.finished_at,
        partial=partial or tally.interrupted is not None,
        inventory=InventoryRef(path=header.inventory_path, sha256=header.inventory_sha256),
        policies=_list_files(policies),
    )
    reviewed = review_policies(policies, tally.reports, header.started_at)
    hygiene = [note for note in reviewed if not (tally.limited and note.kind == "unused-policy")]
    report = build_report(run, tally.reports, hygiene, gate.fail_on, GENERATOR, strict=gate.strict)
    if gate.baseline is None:
        return report
    return compare_with(report, gate.baseline, gate.fail_on, strict=gate.strict, only_new=gate.only_new)


def _list_files(policies: PolicySet) -> tuple[PolicyRef, ...]:
    """Return every policy file once, the included ones too."""
    found = {
        policy.path: PolicyRef(name=policy.name, path=policy.path, sha256=policy.sha256, controls=policy.all_controls)
        for policy in policies.policies
    }
    for file in (file for policy in policies.policies for file in policy.included):
        found.setdefault(file.path, PolicyRef(name=file.name, path=file.path, sha256=file.sha256, included=True))
    return tuple(sorted(found.values(), key=lambda file: (file.name, file.path)))


def publish(
    report: AuditReport, outputs: Sequence[Output], gate: Gate, written: Sequence[Output] = ()
) -> list[OutputError]:
    """Write the summary and every output but those already written; return what could not be."""
    color = use_color(gate.color)
    steps = [partial(write_report, report, output, color) for output in outputs if output not in written]
    if not gate.quiet and not any(output.path is None or output.format == "text" for output in outputs):
        steps.append(partial(write_report, report, Output("text", None), color))
    errors = attempt(*steps)
    if not gate.quiet:
        for output in outputs:
            if output.path is not None and output.path.exists():
                print(f"wrote {output.path}", file=sys.stderr)
    return errors


def close_run(finished: Finished, gate: Gate) -> int:
    """Say how the run ended and return its exit code."""
    for error in finished.errors:
        print(error, file=sys.stderr)
    if gate.explain_exit:
        print(explain_exit(finished.report), end="", file=sys.stderr)
    return say_exit(finished.code, finished.reasons)


def _default_folder(header: EvidenceHeader) -> Path:
    return Path(header.inventory_path).parent / "reports" / header.run_id


def _work_through(
    inventory: Inventory,
    header: EvidenceHeader,
    paths: Sequence[Path],
    gate: Gate,
    judge: Callable[[Evidence], HostReport | None],
    show: Callable[[HostReport | None], None] = lambda _report: None,
) -> Tally:
    """Collect every host, keep the evidence at `paths`, `show` what `judge` makes of each, and return it all."""
    tally = Tally(finished_at=header.started_at)
    progress = Progress(len(inventory.hosts), choose_style(gate.quiet, gate.verbose), verbose=gate.verbose)
    with ExitStack() as stack:
        transports = stack.enter_context(open_transports(inventory, read_clock))
        writers = [stack.enter_context(EvidenceWriter(path, header)) for path in paths]

        def audit(host: Host) -> tuple[Evidence, HostReport | None]:
            evidence = collect_host(host, transports, read_clock, owners=gate.owners)
            return evidence, judge(evidence)

        def take(done: tuple[Evidence, HostReport | None]) -> None:
            tally.take(*done)
            for writer in list(writers):
                if failed := attempt(partial(writer.append, done[0])):
                    tally.errors += failed
                    writers.remove(writer)
            show(done[1])
            progress.count(done[0].host.name, *describe_outcome(*done))

        interruption = gather(audit, inventory.hosts, gate.jobs, take)
        progress.close()
        tally.interrupted = interruption.code
        for writer in writers:
            tally.errors += attempt(partial(writer.finish, partial=interruption.code is not None))
    return tally
