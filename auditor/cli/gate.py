"""The road run, collect, check and demo share: work through hosts, build the report, write it, say the exit code."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from auditor import __version__
from auditor.audit import judge_evidence
from auditor.cli import log
from auditor.cli.boundary import say_exit
from auditor.cli.color import use_color
from auditor.cli.fleet import SIGNAL_EXITS, work_through_saved
from auditor.cli.gathering import Manner, Tally, work_through
from auditor.cli.options import ColorChoice, FailOn
from auditor.cli.outputs import (
    DEFAULTS,
    EVIDENCE_NAME,
    Output,
    attempt,
    fetch_reporters,
    plan_outputs,
    point_latest,
    write_report,
)
from auditor.cli.regression import compare_with
from auditor.cli.resumption import choose_resumption, report_unfinished
from auditor.cli.run_folder import default_folder, hash_policies, occupy, open_run
from auditor.cli.stream import Stream, name_inventory
from auditor.errors import NoHostsError, OutputError
from auditor.evaluate import compile_policies, review_policies
from auditor.model.host import Inventory
from auditor.model.policy import PolicySet
from auditor.model.report import (
    AuditReport,
    Generator,
    HostReport,
    PolicyRef,
    Run,
    build_report,
    interrupt_report,
)
from auditor.model.transcript import Evidence, EvidenceHeader
from auditor.reporters.exit_text import explain_exit
from auditor.reporters.text_layout import count
from auditor.transport.evidence import EvidenceFile

if TYPE_CHECKING:
    from auditor.reporters.brand import Brand
    from auditor.reporters.past_runs import PastRun

GENERATOR = Generator(name="netaudit", version=__version__)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the user asked of a run, whichever command it is. `resume`: the run to go on from."""

    manner: Manner = field(default_factory=Manner)
    fail_on: FailOn = "low"
    baseline: AuditReport | None = None
    only_new: bool = False
    strict: bool = False
    output: Sequence[str] = ()
    output_dir: Path | None = None
    brand: "Brand | None" = None
    resume: Path | None = None
    despite_changes: bool = False
    explain_exit: bool = False

    @property
    def quiet(self) -> bool:
        return self.manner.quiet

    @property
    def color(self) -> ColorChoice:
        return self.manner.color


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
    resumption = choose_resumption(gate.resume, inventory, despite_changes=gate.despite_changes)
    header = open_run(inventory, resumption.earlier if resumption else (), policies)
    folder = gate.output_dir or default_folder(header)
    outputs = plan_outputs(gate.output or DEFAULTS, folder)
    paths = [output.path for output in outputs if output.format == "evidence" and output.path is not None]
    compiled = compile_policies(policies)
    stream = Stream(outputs)

    def judge(evidence: Evidence) -> HostReport:
        return judge_evidence(evidence, compiled, header.started_at, gate.fail_on)

    with occupy(folder, outputs, header.run_id):
        if resumption is None:
            report_unfinished(folder, paths)
        stream.begin(header, _list_files(policies), GENERATOR)
        fetch_reporters(outputs)
        tally = work_through(inventory, header, paths, gate.manner, judge, stream.add, resumption)
        if tally.interrupted is not None:
            tally.add_unfinished(inventory, judge)
        report = assemble_report(header, policies, tally, gate)
        if tally.interrupted is not None:
            report = interrupt_report(report, tally.interrupted, of=len(inventory.hosts))
        stream.end(report)
        errors = [
            *tally.errors,
            *publish(report, outputs, gate, written=stream.outputs, runs=None if gate.output_dir else folder.parent),
        ]
    if gate.output_dir is None and folder.is_dir():
        from auditor.cli.history import write_index

        errors += attempt(partial(point_latest, folder), partial(write_index, folder.parent))
    return Finished(report, errors)


def collect_inventory(inventory: Inventory, path: Path | None, gate: Gate) -> int:
    """Gather the evidence of every host of `inventory` into `path` and return the exit code."""
    resumption = choose_resumption(gate.resume, inventory, despite_changes=gate.despite_changes)
    header = open_run(inventory, resumption.earlier if resumption else ())
    folder = None if path else default_folder(header)
    target = path or default_folder(header) / EVIDENCE_NAME
    with occupy(folder, [Output("evidence", target)], header.run_id):
        tally = work_through(inventory, header, [target], gate.manner, lambda _evidence: None, resumption=resumption)
    total = count(len(inventory.hosts), "host")
    for error in tally.errors:
        log.say_error(error)
    if not gate.quiet and not tally.errors:
        log.say("wrote", f"wrote {target}", path=str(target))
    if tally.errors and tally.interrupted is None:
        return say_exit(OutputError.exit_code, [error.message for error in tally.errors])
    if tally.interrupted is not None:
        return say_exit(tally.interrupted, [f"interrupted: {tally.hosts} of {total} collected"])
    if tally.unreachable:
        return say_exit(3, [f"{tally.unreachable} of {total} unreachable"])
    return say_exit(0, [f"evidence of {tally.hosts} of {total} collected; nothing was judged"])


def audit_saved(saved: EvidenceFile, policies: PolicySet, gate: Gate, *, allow_empty: bool = False) -> int:
    """Judge evidence gathered earlier; every time in the report is the evidence's own."""
    outputs = plan_outputs(gate.output, gate.output_dir or Path.cwd())
    compiled = compile_policies(policies)
    tally = Tally(finished_at=saved.header.started_at)

    def judge(evidence: Evidence) -> tuple[Evidence, HostReport]:
        return evidence, judge_evidence(evidence, compiled, saved.header.started_at, gate.fail_on)

    interruption = work_through_saved(judge, saved, lambda done: tally.take(*done))
    if not tally.hosts and not allow_empty:
        raise NoHostsError("the evidence holds no hosts", "gather it again, or pass --allow-empty")
    report = assemble_report(saved.header, policies, tally, gate, partial=saved.partial)
    if interruption.code is not None:
        report = interrupt_report(report, interruption.code, of=0)
    return close_run(Finished(report, publish(report, outputs, gate)), gate)


def assemble_report(
    header: EvidenceHeader, policies: PolicySet, tally: Tally, gate: Gate, partial: bool = False
) -> AuditReport:
    """Return the report of what was gathered."""
    run = Run(
        id=header.run_id,
        started_at=header.started_at,
        finished_at=tally.finished_at,
        partial=partial or tally.interrupted is not None,
        judged_again=header.policies_sha256 not in {"", hash_policies(policies)},
        chosen=header.chosen,
        resumed=header.resumed,
        host_keys=header.host_keys,
        operator=header.operator,
        command=header.command,
        inventory=name_inventory(header),
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
    report: AuditReport,
    outputs: Sequence[Output],
    gate: Gate,
    written: Sequence[Output] = (),
    runs: Path | None = None,
) -> list[OutputError]:
    """Write the summary and every output but those already written; return what could not be.

    `runs` is a folder of earlier runs: where a page shows a trend, theirs go before this one.
    """
    color = use_color(gate.color)
    earlier = _list_earlier(runs, report, outputs) if runs else ()
    write = partial(write_report, report, earlier=earlier, brand=gate.brand)
    steps = [partial(write, output, color) for output in outputs if output not in written]
    if not gate.quiet and not any(output.path is None or output.format == "text" for output in outputs):
        steps.append(partial(write_report, report, Output("text", None), color))
    errors = attempt(*steps)
    if not gate.quiet:
        for output in outputs:
            if output.path is not None and output.path.exists():
                log.say("wrote", f"wrote {output.path}", path=str(output.path))
    return errors


def _list_earlier(runs: Path, report: AuditReport, outputs: Sequence[Output]) -> "Sequence[PastRun]":
    if not any(output.format == "html" for output in outputs):
        return ()
    from auditor.cli.history import list_earlier

    return list_earlier(runs, report)


def close_run(finished: Finished, gate: Gate) -> int:
    """Say how the run ended and return its exit code."""
    for error in finished.errors:
        log.say_error(error)
    if gate.explain_exit:
        log.say("explain-exit", explain_exit(finished.report).rstrip("\n"))
    return say_exit(finished.code, finished.reasons)
