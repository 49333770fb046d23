"""`netaudit check`: judge evidence that was gathered earlier."""

from pathlib import Path

from auditor.cli.options import (
    AllowEmptyOption,
    BaselineOption,
    ColorOption,
    EvidenceArgument,
    ExplainExitOption,
    FailOnNewOption,
    FailOnOption,
    LogFormatOption,
    LogoOption,
    OutputDirOption,
    OutputOption,
    PolicyOption,
    QuietOption,
    StrictOption,
    TitleOption,
)


def check(
    evidence: EvidenceArgument,
    policy: PolicyOption = [],
    output: OutputOption = [],
    output_dir: OutputDirOption = None,
    title: TitleOption = "",
    logo: LogoOption = None,
    fail_on: FailOnOption = "low",
    baseline: BaselineOption = None,
    fail_on_new: FailOnNewOption = False,
    strict: StrictOption = False,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    log_format: LogFormatOption = None,  # noqa: ARG001 - took effect when it was read
    color: ColorOption = "auto",
    explain_exit: ExplainExitOption = False,
) -> int:
    """Evaluate saved evidence again, offline: with other policies, or to see a verdict reproduced."""
    from auditor.cli.brand import choose_brand
    from auditor.cli.choice import choose_policies
    from auditor.cli.evidence_place import find_evidence
    from auditor.cli.gate import Gate, audit_saved
    from auditor.cli.gathering import Manner
    from auditor.cli.regression import choose_baseline
    from auditor.transport.evidence import read_evidence

    gate = Gate(
        manner=Manner(quiet=quiet, color=color),
        fail_on=fail_on,
        baseline=choose_baseline(baseline, fail_on_new),
        only_new=fail_on_new,
        strict=strict,
        output=output,
        output_dir=output_dir,
        brand=choose_brand(title, logo),
        explain_exit=explain_exit,
    )
    with read_evidence(find_evidence(evidence)) as saved:
        policies = choose_policies(policy, Path(saved.header.inventory_path))
        return audit_saved(saved, policies, gate, allow_empty=allow_empty)
