"""The road run, collect, check and demo share: work through hosts, build the report, write it, say the exit code."""

import hashlib
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from auditor import __version__
from auditor.audit import collect_host, judge_evidence
from auditor.cli.boundary import say_exit
from auditor.cli.clock import read_clock
from auditor.cli.color import use_color
from auditor.cli.fleet import gather, open_transports
from auditor.cli.options import ColorChoice, FailOn
from auditor.cli.outputs import DEFAULTS, EVIDENCE_NAME, Output, plan_outputs, point_latest, write_report, write_stdout
from auditor.cli.progress import Progress, choose_style, describe_outcome
from auditor.evaluate import compile_policies
from auditor.model.host import Host, Inventory
from auditor.model.policy import PolicySet
from auditor.model.report import (
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
from auditor.reporters.text import render_text
from auditor.transport.evidence import EvidenceFile, EvidenceWriter

GENERATOR = Generator(name="netaudit", version=__version__)


@dataclass(frozen=True, slots=True)
class Gate:
    """What the user asked of a run, whichever command it is."""

    fail_on: FailOn = "low"
    jobs: int = 32
    output: Sequence[str] = ()
    output_dir: Path | None = None
    quiet: bool = False
    verbose: bool = False
    color: ColorChoice = "auto"


@dataclass(slots=True)
class Tally:
    """What became of the hosts so far; `finished_at` is when the last of them was done."""

    finished_at: datetime
    reports: list[HostReport] = field(default_factory=list)
    hosts: int = 0
    unreachable: int = 0
    interrupted: int | None = None

    def take(self, evidence: Evidence, report: HostReport | None) -> None:
        self.hosts += 1
        self.unreachable += isinstance(evidence.outcome, Failure)
        if report is not None:
            self.reports.append(report)
        self.finished_at = max(self.finished_at, evidence.finished_at)


def audit_inventory(inventory: Inventory, policies: PolicySet, gate: Gate) -> int:
    """Audit every host of `inventory`, write what `gate` asks for, and return the exit code."""
    header = open_run(inventory)
    folder = gate.output_dir or _default_folder(header)
    outputs = plan_outputs(gate.output or DEFAULTS, folder)
    paths = [output.path for output in outputs if output.format == "evidence" and output.path is not None]
    compiled = compile_policies(policies)

    def judge(evidence: Evidence) -> HostReport:
        return judge_evidence(evidence, compiled, header.started_at, gate.fail_on)

    tally = _work_through(inventory, header, paths, gate, judge)
    report = assemble_report(header, policies, tally, gate.fail_on)
    if tally.interrupted is not None:
        report = interrupt_report(report, tally.interrupted, of=len(inventory.hosts))
    code = publish(report, outputs, gate)
    if gate.output_dir is None and folder.is_dir():
        point_latest(folder)
    return say_exit(code, report.exit.reasons)


def collect_inventory(inventory: Inventory, path: Path | None, gate: Gate) -> int:
    """Gather the evidence of every host of `inventory` into `path` and return the exit code."""
    header = open_run(inventory)
    target = path or _default_folder(header) / EVIDENCE_NAME
    tally = _work_through(inventory, header, [target], gate, lambda _evidence: None)
    total = len(inventory.hosts)
    if not gate.quiet:
        print(f"wrote {target}", file=sys.stderr)
    if tally.interrupted is not None:
        return say_exit(tally.interrupted, [f"interrupted: {tally.hosts} of {total} hosts collected"])
    if tally.unreachable:
        return say_exit(3, [f"{tally.unreachable} of {total} hosts unreachable"])
    return say_exit(0, [f"evidence of {total} of {total} hosts collected; nothing was judged"])


def audit_saved(saved: EvidenceFile, policies: PolicySet, gate: Gate) -> int:
    """Judge evidence gathered earlier; every time in the report is the evidence's own."""
    outputs = plan_outputs(gate.output, gate.output_dir or Path.cwd())
    compiled = compile_policies(policies)
    tally = Tally(finished_at=saved.header.started_at)

    def judge(evidence: Evidence) -> tuple[Evidence, HostReport]:
        return evidence, judge_evidence(evidence, compiled, saved.header.started_at, gate.fail_on)

    interruption = gather(judge, saved, gate.jobs, lambda done: tally.take(*done))
    report = assemble_report(saved.header, policies, tally, gate.fail_on, partial=saved.partial)
    if interruption.code is not None:
        report = interrupt_report(report, interruption.code, of=tally.hosts)
    return say_exit(publish(report, outputs, gate), report.exit.reasons)


def open_run(inventory: Inventory) -> EvidenceHeader:
    """Return what identifies a run that begins now."""
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
    header: EvidenceHeader, policies: PolicySet, tally: Tally, fail_on: FailOn, partial: bool = False
) -> AuditReport:
    """Return the report of what was gathered."""
    run = Run(
        id=header.run_id,
        started_at=header.started_at,
        finished_at=tally.finished_at,
        partial=partial or tally.interrupted is not None,
        inventory=InventoryRef(path=header.inventory_path, sha256=header.inventory_sha256),
        policies=tuple(PolicyRef(name=each.name, path=each.path, sha256=each.sha256) for each in policies.policies),
    )
    return build_report(run, tally.reports, (), fail_on, GENERATOR)


def publish(report: AuditReport, outputs: Sequence[Output], gate: Gate) -> int:
    """Write every output and the summary; return the exit code of the report."""
    write_report(report, outputs)
    if gate.quiet:
        return report.exit.code
    if not any(output.path is None or output.format == "text" for output in outputs):
        write_stdout(render_text(report, color=use_color(gate.color)))
    for output in outputs:
        if output.path is not None:
            print(f"wrote {output.path}", file=sys.stderr)
    return report.exit.code


def _default_folder(header: EvidenceHeader) -> Path:
    return Path(header.inventory_path).parent / "reports" / header.run_id


def _work_through(
    inventory: Inventory,
    header: EvidenceHeader,
    paths: Sequence[Path],
    gate: Gate,
    judge: Callable[[Evidence], HostReport | None],
) -> Tally:
    """Collect every host, keep the evidence at `paths`, and return what `judge` makes of each."""
    tally = Tally(finished_at=header.started_at)
    progress = Progress(len(inventory.hosts), choose_style(gate.quiet, gate.verbose), verbose=gate.verbose)
    with ExitStack() as stack:
        transports = stack.enter_context(open_transports(inventory, read_clock))
        writers = [stack.enter_context(EvidenceWriter(path, header)) for path in paths]

        def audit(host: Host) -> tuple[Evidence, HostReport | None]:
            evidence = collect_host(host, transports, read_clock)
            return evidence, judge(evidence)

        def take(done: tuple[Evidence, HostReport | None]) -> None:
            tally.take(*done)
            for writer in writers:
                writer.append(done[0])
            progress.count(done[0].host.name, *describe_outcome(*done))

        interruption = gather(audit, inventory.hosts, gate.jobs, take)
        progress.close()
        tally.interrupted = interruption.code
        for writer in writers:
            writer.finish(partial=interruption.code is not None)
    return tally
