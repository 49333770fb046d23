"""`netaudit hosts --explain HOST`: every option in force for one host, and where it comes from."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from auditor.cli.reach import settle_fleet, show_warnings
from auditor.cli.target import host_from_name
from auditor.display import count_columns, escape, pad
from auditor.errors import Problem, UsageError
from auditor.inventory import find_places, load_inventory
from auditor.model.host import Host, Inventory
from auditor.model.origin import Origin
from auditor.ssh_config.effect import DEFAULT
from auditor.ssh_config.keywords import NAMES
from auditor.ssh_config.settle import Fleet, Settled

_WIDEST = 72
_ALGORITHMS = frozenset({"KexAlgorithms", "HostKeyAlgorithms", "Ciphers", "MACs"})
_INVENTORY_KEYS = {"hostname": "address", "port": "port", "user": "user"}
_OURS = {
    "identity": "identity",
    "agent": "agent",
    "password": "password",
    "passphrase": "passphrase",
    "known_hosts": "known_hosts",
    "host_keys": "host_keys",
    "jump": "jump",
    "client": "transport",
    "sudo": "sudo",
    "sudo_password": "sudo_password",
    "namespaces": "namespaces",
    "timeout": "timeout",
}
"""Fields of a host, and the key that the inventory has for each."""


@dataclass(frozen=True, slots=True)
class Line:
    """One option: its name, its values and where they come from."""

    name: str
    values: tuple[str, ...]
    origin: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One host with its options by ssh_config's names, and what netaudit makes of them by the inventory's."""

    host: Host
    options: tuple[Line, ...]
    settings: tuple[Line, ...]
    unused: tuple[Line, ...]


def explain_host(name: str, inventory: Path | None, *, as_json: bool) -> None:
    """Print how the host `name` is reached, and every host on the way. Raises UsageError, DocumentError."""
    chosen = _choose(name, inventory)
    places = {} if inventory is None else {name: find_places(inventory, name)}
    settled, fleet = settle_fleet(chosen)
    first = fleet.by_name.get(chosen.hosts[0].name)
    if first is None:
        raise _not_ours(settled.hosts[0])
    if inventory is not None:
        places |= {hop: find_places(inventory, hop) for hop in fleet.by_name if hop != name}
    way = [_explain(each, places.get(each.host.name, {})) for each in _order(first, fleet)]
    if as_json:
        print(
            json.dumps(
                {"hosts": [_encode(each) for each in way], "warnings": list(map(_tell, fleet.warnings))}, indent=2
            )
        )
        return
    print("\n\n".join(map(_render, way)))
    show_warnings(fleet.warnings)


def _not_ours(host: Host) -> UsageError:
    if host.client == "openssh":
        return UsageError(f"{host.name} has transport openssh: ssh reads its own configuration", f"ssh -G {host.name}")
    return UsageError(f"{host.name} has connection {host.connection}: no ssh is involved")


def _choose(name: str, path: Path | None) -> Inventory:
    """Return an inventory of the host alone, the others kept as jump hosts."""
    if path is None:
        return host_from_name(name)
    whole = load_inventory(path)
    found = tuple(host for host in whole.hosts if host.name == name)
    if not found:
        raise UsageError(f"{path} has no host {name!r}", f"`netaudit hosts {path}` lists them")
    others = tuple(host for host in whole.hosts if host.name != name)
    return whole.model_copy(update={"hosts": found, "others": others})


def _order(first: Settled, fleet: Fleet) -> list[Settled]:
    """Return the host, then those it is reached through, the nearest to it first."""
    order, pending = [first], list(first.host.jump)
    while pending:
        hop = fleet.by_name.get(pending.pop())
        if hop is not None and hop not in order:
            order.append(hop)
            pending = pending or list(hop.host.jump)
    return order


def _explain(settled: Settled, places: dict[str, Origin]) -> Explained:
    options = []
    for option in settled.effect.options.values():
        key = _INVENTORY_KEYS.get(option.keyword)
        origin = str(places[key]) if key in places else option.origin
        options.append(Line(NAMES[option.keyword], option.values, origin))
    known = set(settled.effect.options)
    unused = tuple(
        Line(NAMES[keyword], tuple(one.value for one in found), str(found[0].origin))
        for keyword, found in settled.resolution.settings.items()
        if keyword not in known
    )
    return Explained(settled.host, tuple(options), tuple(_ours(settled.host, places)), unused)


def _ours(host: Host, places: dict[str, Origin]) -> Iterable[Line]:
    for field, key in _OURS.items():
        value = getattr(host, field)
        values = tuple(map(str, value)) if isinstance(value, tuple) else (_word(value),)
        if value in (None, (), False) and key not in places:
            continue
        derived = field in ("identity", "agent", "known_hosts", "jump") and key not in places
        yield Line(key, values, str(places[key]) if key in places else "from the above" if derived else DEFAULT)


def _word(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _encode(each: Explained) -> dict[str, object]:
    def lines(found: Sequence[Line]) -> list[dict[str, object]]:
        return [{"name": line.name, "values": line.values, "origin": line.origin} for line in found]

    return {
        "name": each.host.name,
        "options": lines(each.options),
        "settings": lines(each.settings),
        "not_honoured": lines(each.unused),
        "host": each.host.model_dump(mode="json"),
    }


def _tell(problem: Problem) -> dict[str, object]:
    return {"file": problem.file, "line": problem.line, "message": problem.message, "hint": problem.hint}


def _render(each: Explained) -> str:
    name = each.host.name
    parts = [escape(name)]
    shown = tuple(_explain_default(line) for line in each.options)
    for title, lines in (("ssh_config", shown), ("netaudit", each.settings), ("not acted on", each.unused)):
        if lines:
            parts += [f"  {title}", *_table(lines)]
    return "\n".join(parts)


def _explain_default(line: Line) -> Line:
    """Return the line with what netaudit does instead, where the default of ssh is not its own."""
    if line.origin != DEFAULT:
        return line
    if line.name == "User":
        return Line(line.name, (f"not set: refused (ssh would use {line.values[0]})",), DEFAULT)
    return Line(line.name, ("netaudit's own",), DEFAULT) if line.name in _ALGORITHMS else line


def _table(lines: Sequence[Line]) -> list[str]:
    """Return aligned rows; every value of a list has its own."""
    rows: list[tuple[str, str, str]] = []
    for line in lines:
        values = _fold(line.values)
        rows += [
            (line.name if number == 0 else "", value, line.origin if number == 0 else "")
            for number, value in enumerate(values or ("",))
        ]
    cells = [tuple(map(escape, row)) for row in rows]
    names = max(count_columns(row[0]) for row in cells)
    texts = min(_WIDEST, max(count_columns(row[1]) for row in cells))
    return [f"    {pad(name, names)}  {pad(value, texts)}  {origin}".rstrip() for name, value, origin in cells]


def _fold(values: Sequence[str]) -> list[str]:
    """Return long lists, such as those of algorithms, on as few rows as fit."""
    rows: list[str] = []
    for value in values:
        if rows and len(values) > 8 and len(rows[-1]) + len(value) + 1 <= _WIDEST:
            rows[-1] += f" {value}"
        else:
            rows.append(value)
    return rows
