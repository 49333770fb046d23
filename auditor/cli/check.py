"""`netaudit check`: judge evidence that was gathered earlier."""

from pathlib import Path

from auditor.cli.options import (
    ColorOption,
    EvidenceArgument,
    FailOnOption,
    JobsOption,
    OutputDirOption,
    OutputOption,
    PolicyOption,
    QuietOption,
)


def check(
    evidence: EvidenceArgument,
    policy: PolicyOption = [],
    jobs: JobsOption = 1,
    output: OutputOption = [],
    output_dir: OutputDirOption = None,
    fail_on: FailOnOption = "low",
    quiet: QuietOption = False,
    color: ColorOption = "auto",
) -> int:
    """Evaluate saved evidence again, offline: with other policies, or to see a verdict reproduced."""
    from auditor.cli.choice import choose_policies
    from auditor.cli.gate import Gate, audit_saved
    from auditor.transport.evidence import read_evidence

    gate = Gate(fail_on=fail_on, jobs=jobs, output=output, output_dir=output_dir, quiet=quiet, color=color)
    with read_evidence(evidence) as saved:
        policies = choose_policies(policy, Path(saved.header.inventory_path))
        return audit_saved(saved, policies, gate)
