"""`netaudit hosts`: what an inventory means, before anything is contacted."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.options import LimitOption, MatchExecOption, SshConfigOption
from auditor.display import count_columns, escape, pad

if TYPE_CHECKING:
    from auditor.model.host import Host


def hosts(
    inventory: Annotated[
        Path | None,
        typer.Argument(metavar="INVENTORY", help="The inventory file (YAML). --explain can do without."),
    ] = None,
    limit: LimitOption = None,
    explain: Annotated[
        str | None,
        typer.Option("--explain", metavar="HOST", help="How one host is reached: every option, and where it is from."),
    ] = None,
    ssh_config: SshConfigOption = None,
    match_exec: MatchExecOption = False,  # noqa: ARG001 - took effect when it was read
    as_json: Annotated[bool, typer.Option("--json", help="Every setting of every host, as JSON.")] = False,
) -> int:
    """List the hosts of an inventory with what is known of each. Connects to none."""
    from auditor.cli.choice import choose_hosts
    from auditor.errors import UsageError

    if explain is not None:
        from auditor.cli.ssh_explanation import explain_host

        explain_host(explain, inventory, as_json=as_json)
        return 0
    if inventory is None:
        raise UsageError("which inventory?", "name its file: `netaudit hosts inventory.yaml`")
    chosen = choose_hosts(inventory, limit, timeout=None, allow_empty=limit is None, ssh_config=ssh_config).hosts
    if as_json:
        import json

        print(json.dumps([host.model_dump(mode="json") for host in chosen], indent=2))
        return 0
    rows = [("HOST", "CONNECTION", "TARGET", "GROUPS", "LABELS"), *(_describe(host) for host in chosen)]
    widths = [max(count_columns(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  ".join(pad(cell, width) for cell, width in zip(row, widths, strict=True)).rstrip())
    return 0


def _describe(host: "Host") -> tuple[str, ...]:
    from auditor.model.address import join_port

    target = {
        "ssh": f"{host.user or '(no user)'}@{join_port(host.address, host.port)}",
        "local": "this machine",
        "replay": host.evidence or "",
    }[host.connection]
    if host.jump:
        target += f" via {', '.join(host.jump)}"
    labels = ", ".join(f"{key}={value}" for key, value in sorted(host.labels.items()))
    cells = (host.name, host.connection, target, ", ".join(host.groups) or "-", labels or "-")
    return tuple(escape(cell) for cell in cells)
