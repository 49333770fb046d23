"""`netaudit services`: what is https, what is 5432, and do the hosts agree?"""

from typing import Annotated

import typer

from auditor.cli.options import (
    DEFAULT_JOBS,
    JobsOption,
    LimitOption,
    MatchExecOption,
    SshConfigOption,
    TimeoutOption,
)


def services(
    question: Annotated[
        str | None,
        typer.Argument(metavar="[NAME|PORT[/PROTO]]", help="A name or a port: https, 5432, 53/udp. [default: all]"),
    ] = None,
    inventory: Annotated[
        str | None,
        typer.Option(
            "-i",
            "--inventory",
            metavar="TARGET",
            help="See also where hosts disagree: those of an inventory, one host as ssh takes it, or saved evidence or "
            "its folder.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The answer as JSON.")] = False,
    limit: LimitOption = None,
    jobs: JobsOption = DEFAULT_JOBS,
    timeout: TimeoutOption = None,
    ssh_config: SshConfigOption = None,  # noqa: ARG001 - took effect when it was read
    match_exec: MatchExecOption = False,  # noqa: ARG001 - the same
) -> int:
    """Look up well-known services by name or by port, in the table that policies are resolved with.

    With -i the hosts' own /etc/services are held against it: who calls another port https?
    """
    from auditor.cli.boundary import say_exit
    from auditor.cli.services_output import explain_unknown, write_answer
    from auditor.cli.stdout import write_stdout
    from auditor.errors import UsageError
    from auditor.netstat.services import find_services, parse_question
    from auditor.policies.services import bundled_services

    asked = parse_question(question)
    if asked is None:
        raise UsageError(f"{question!r} is neither a service nor a port", "write https, 5432 or 53/udp")
    found = find_services(bundled_services(), asked)
    if inventory is None:
        if not found:
            raise explain_unknown(question or "", asked)
        write_stdout(write_answer(question, found, None, as_json=as_json))
        return 0
    from auditor.cli.services_hosts import Asking, ask_hosts, close

    hosts = ask_hosts(asked, Asking(inventory, limit, jobs, timeout))
    write_stdout(write_answer(question, found, hosts, as_json=as_json))
    if not found and not hosts.differences and not hosts.code:
        return say_exit(2, [f"{explain_unknown(question or '', asked).message}, and no host has it"])
    return close(hosts)
