"""`netaudit run`: collect, judge, report."""

from auditor.cli.options import (
    DEFAULT_JOBS,
    AcceptNewOption,
    AllowEmptyOption,
    BaselineOption,
    ColorOption,
    DespiteChangesOption,
    ExplainExitOption,
    FailOnNewOption,
    FailOnOption,
    IgnoreHostKeysOption,
    InventoryArgument,
    JobsOption,
    LimitOption,
    LogFormatOption,
    LogoOption,
    MatchExecOption,
    OutputDirOption,
    OutputOption,
    OwnersOption,
    PolicyOption,
    ProcsOption,
    QuietOption,
    ResumeOption,
    SshConfigOption,
    StrictOption,
    TimeoutOption,
    TitleOption,
    VerboseOption,
)


def run(
    inventory: InventoryArgument,
    policy: PolicyOption = [],
    limit: LimitOption = None,
    jobs: JobsOption = DEFAULT_JOBS,
    procs: ProcsOption = None,
    output: OutputOption = [],
    output_dir: OutputDirOption = None,
    title: TitleOption = "",
    logo: LogoOption = None,
    fail_on: FailOnOption = "low",
    baseline: BaselineOption = None,
    fail_on_new: FailOnNewOption = False,
    strict: StrictOption = False,
    owners: OwnersOption = True,
    timeout: TimeoutOption = None,
    resume: ResumeOption = None,
    despite_changes: DespiteChangesOption = False,
    accept_new_host_keys: AcceptNewOption = False,
    insecure_ignore_host_keys: IgnoreHostKeysOption = False,
    ssh_config: SshConfigOption = None,
    match_exec: MatchExecOption = False,  # noqa: ARG001 - took effect when it was read
    allow_empty: AllowEmptyOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = 0,
    log_format: LogFormatOption = None,  # noqa: ARG001 - took effect when it was read
    color: ColorOption = "auto",
    explain_exit: ExplainExitOption = False,
) -> int:
    """Audit the hosts of an inventory and write the reports."""
    from auditor.cli.brand import choose_brand
    from auditor.cli.choice import choose_hosts, choose_policies, choose_trust
    from auditor.cli.gate import Gate, audit_inventory, close_run
    from auditor.cli.gathering import Manner
    from auditor.cli.regression import choose_baseline

    hosts = choose_hosts(inventory, limit, timeout, allow_empty, ssh_config)
    hosts = choose_trust(hosts, accept_new=accept_new_host_keys, ignore=insecure_ignore_host_keys)
    policies = choose_policies(policy, inventory)
    gate = Gate(
        manner=Manner(jobs=jobs, procs=procs, owners=owners, quiet=quiet, verbosity=verbose, color=color),
        fail_on=fail_on,
        baseline=choose_baseline(baseline, fail_on_new),
        only_new=fail_on_new,
        strict=strict,
        output=output,
        output_dir=output_dir,
        brand=choose_brand(title, logo),
        resume=resume,
        despite_changes=despite_changes,
        explain_exit=explain_exit,
    )
    return close_run(audit_inventory(hosts, policies, gate), gate)
