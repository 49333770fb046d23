"""`netaudit collect`: evidence now, verdicts later."""

from typing import Annotated

import typer

from auditor.cli.options import (
    DEFAULT_JOBS,
    AcceptNewOption,
    AllowEmptyOption,
    DespiteChangesOption,
    IgnoreHostKeysOption,
    InventoryArgument,
    JobsOption,
    LimitOption,
    LogFormatOption,
    MatchExecOption,
    OwnersOption,
    ProcsOption,
    QuietOption,
    ResumeOption,
    SshConfigOption,
    TimeoutOption,
    VerboseOption,
)


def collect(
    inventory: InventoryArgument,
    limit: LimitOption = None,
    jobs: JobsOption = DEFAULT_JOBS,
    procs: ProcsOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o",
            "--output",
            metavar="[evidence=]PATH",
            help="The file to write. [default: evidence.jsonl.gz in reports/<run-id>/ beside the inventory]",
            show_default=False,
        ),
    ] = None,
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
) -> int:
    """Gather the evidence of every host and judge nothing; `netaudit check` does that, now or in a year."""
    from auditor.cli.choice import choose_hosts, choose_trust
    from auditor.cli.gate import Gate, collect_inventory
    from auditor.cli.gathering import Manner
    from auditor.cli.outputs import choose_evidence

    path = choose_evidence(output)
    hosts = choose_hosts(inventory, limit, timeout, allow_empty, ssh_config)
    hosts = choose_trust(hosts, accept_new=accept_new_host_keys, ignore=insecure_ignore_host_keys)
    manner = Manner(jobs=jobs, procs=procs, owners=owners, quiet=quiet, verbosity=verbose)
    return collect_inventory(hosts, path, Gate(manner=manner, resume=resume, despite_changes=despite_changes))
