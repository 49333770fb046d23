"""`netaudit run`: collect, judge, report."""

from auditor.cli.options import (
    AllowEmptyOption,
    BaselineOption,
    ColorOption,
    ExplainExitOption,
    FailOnNewOption,
    FailOnOption,
    InventoryArgument,
    JobsOption,
    LimitOption,
    OutputDirOption,
    OutputOption,
    OwnersOption,
    PolicyOption,
    QuietOption,
    StrictOption,
    TimeoutOption,
    VerboseOption,
)


def run(
    inventory: InventoryArgument,
    policy: PolicyOption = [],
    limit: LimitOption = None,
    jobs: JobsOption = 32,
    output: OutputOption = [],
    output_dir: OutputDirOption = None,
    fail_on: FailOnOption = "low",
    baseline: BaselineOption = None,
    fail_on_new: FailOnNewOption = False,
    strict: StrictOption = False,
    owners: OwnersOption = True,
    timeout: TimeoutOption = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    color: ColorOption = "auto",
    explain_exit: ExplainExitOption = False,
) -> int:
    """Audit the hosts of an inventory and write the reports."""
    from auditor.cli.choice import choose_hosts, choose_policies
    from auditor.cli.gate import Gate, audit_inventory, close_run
    from auditor.cli.regression import choose_baseline

    hosts = choose_hosts(inventory, limit, timeout, allow_empty)
    policies = choose_policies(policy, inventory)
    gate = Gate(
        fail_on=fail_on,
        baseline=choose_baseline(baseline, fail_on_new),
        only_new=fail_on_new,
        strict=strict,
        jobs=jobs,
        owners=owners,
        output=output,
        output_dir=output_dir,
        quiet=quiet,
        verbose=verbose,
        color=color,
        explain_exit=explain_exit,
    )
    return close_run(audit_inventory(hosts, policies, gate), gate)
