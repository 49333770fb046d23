"""`netaudit run`: collect, judge, report."""

from auditor.cli.options import (
    AllowEmptyOption,
    ColorOption,
    FailOnOption,
    InventoryArgument,
    JobsOption,
    LimitOption,
    OutputDirOption,
    OutputOption,
    PolicyOption,
    QuietOption,
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
    timeout: TimeoutOption = None,
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    color: ColorOption = "auto",
) -> int:
    """Audit the hosts of an inventory and write the reports."""
    from auditor.cli.choice import choose_hosts, choose_policies
    from auditor.cli.gate import Gate, audit_inventory

    hosts = choose_hosts(inventory, limit, timeout, allow_empty)
    policies = choose_policies(policy, inventory)
    gate = Gate(
        fail_on=fail_on,
        jobs=jobs,
        output=output,
        output_dir=output_dir,
        quiet=quiet,
        verbose=verbose,
        color=color,
    )
    return audit_inventory(hosts, policies, gate)
