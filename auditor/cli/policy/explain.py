"""`netaudit policy explain`: what policies say of a listener, without a run."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.cli.options import ColorOption, PolicyOption

if TYPE_CHECKING:
    from auditor.model.facts import Listener
    from auditor.model.host import Host


def explain(
    host: Annotated[str, typer.Option("--host", metavar="NAME", help="The host's name.")],
    listener: Annotated[
        list[str],
        typer.Option("--listener", metavar="LISTENER", help="What listens there: 'tcp 0.0.0.0:443 nginx'. Repeatable."),
    ],
    policy: PolicyOption = [],
    inventory: Annotated[
        Path | None,
        typer.Option("-i", "--inventory", metavar="INVENTORY", help="Take the host's groups and labels from here."),
    ] = None,
    group: Annotated[list[str], typer.Option("--group", metavar="NAME", help="A group it is in. Repeatable.")] = [],
    label: Annotated[list[str], typer.Option("--label", metavar="NAME=VALUE", help="A label. Repeatable.")] = [],
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of text.")] = False,
    color: ColorOption = "auto",
) -> int:
    """Explain what the policies say of a listener: the policies that apply, every line tried, waivers, the verdict."""
    from auditor.cli.clock import read_clock
    from auditor.cli.explanation import show_explanations
    from auditor.evaluate.explain import explain_listener
    from auditor.policies import load_policies

    now = read_clock()
    policies = load_policies(policy or [Path("policies")], now.date())
    known = _find_host(inventory, host) if inventory else _make_host(host, group, label)
    listeners = [_read_listener(text) for text in listener]
    explanations = [explain_listener(known, one, policies, now) for one in listeners]
    show_explanations(explanations, as_json=as_json, color=color)
    return 0


def _read_listener(text: str) -> "Listener":
    from pydantic_core import PydanticCustomError

    from auditor.cases import parse_listener
    from auditor.errors import UsageError

    try:
        return parse_listener(text)
    except PydanticCustomError as error:
        context = error.context or {}
        raise UsageError(context["message"], context["hint"]) from None


def _make_host(name: str, groups: Sequence[str], labels: Sequence[str]) -> "Host":
    from auditor.errors import UsageError
    from auditor.model.host import Host
    from auditor.model.origin import Origin

    wrong = next((label for label in labels if "=" not in label), None)
    if wrong is not None:
        raise UsageError(f"{wrong!r} is not a label", "write NAME=VALUE, as in env=prod")
    parts = (label.partition("=") for label in labels)
    pairs = {key: value for key, _, value in parts}
    return Host(name=name, address=name, groups=tuple(groups), labels=pairs, origin=Origin(file="--host", line=1))


def _find_host(inventory: Path, name: str) -> "Host":
    from auditor.errors import UsageError
    from auditor.inventory import load_inventory

    found = next((host for host in load_inventory(inventory).hosts if host.name == name), None)
    if found is None:
        raise UsageError(f"{name} is not in {inventory}", "name a host of the inventory, or leave -i out")
    return found
