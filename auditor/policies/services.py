"""The name of a service in, ports out: by the policy's own names, then by the bundled table.

Never by the audited host's /etc/services, with which a host could name its own ports.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files

from auditor.document import mistake, suggest
from auditor.model.policy import Ports
from auditor.model.services import ServiceTable
from auditor.policies.ports import parse_protocol

_CUSTOM = "\n# Not assigned by IANA"
"""Begins what is only customary in the trusted table."""
_NEAR = 0.75
"""How alike a name must be to be suggested: `kuberntes` to `kubernetes` is, `nosuch` to `couchdb` (0.62) is not."""


@cache
def bundled_services() -> ServiceTable:
    """Return the trusted table, auditor/policies/services.txt."""
    return ServiceTable.parse(_read_table())


@cache
def assigned_services() -> ServiceTable:
    """Return the part of the trusted table that IANA assigned."""
    return ServiceTable.parse(_read_table().partition(_CUSTOM)[0])


def _read_table() -> str:
    return files("auditor.policies").joinpath("services.txt").read_text("utf-8")


def resolve_service(text: str, own: Mapping[str, Sequence[Ports]]) -> tuple[Ports, ...]:
    """Return the ports `text` (`https`, `https/tcp`) stands for; `own` are the policy's names.

    Raises a mistake when the name is unknown, or is not listed for that protocol.
    """
    name, slash, protocol = text.partition("/")
    ports = tuple(own[name]) if name in own else _bundled(name)
    if not ports:
        raise _unknown(name, own)
    if not slash:
        return ports
    proto, family = parse_protocol(protocol)
    pinned = tuple(one.model_copy(update={"family": family or one.family}) for one in ports if one.proto == proto)
    if not pinned:
        listed = ", ".join(map(str, ports))
        raise mistake(f"{name!r} is not listed for {protocol}", f"it is {listed}; write port: … for anything else")
    return pinned


def _bundled(name: str) -> tuple[Ports, ...]:
    lines = bundled_services().resolve(name)
    return tuple(Ports.model_validate({"proto": line.proto, "first": line.port, "last": line.port}) for line in lines)


def _unknown(name: str, own: Mapping[str, Sequence[Ports]]) -> Exception:
    if name.isdecimal():
        return mistake(f"{name} is a port, not the name of a service", f"write port: {name}/tcp")
    hint = suggest_service(name, own) or f"define it: services: {{{name}: 1234/tcp}}"
    return mistake(f"unknown service {name!r}", hint)


def suggest_service(name: str, own: Iterable[str] = ()) -> str:
    """Return "did you mean 'https'?" for the name of the table, or of the policy's `own`, that `name` is nearest to."""
    known = [*own, *(word for service in bundled_services().services for word in (service.name, *service.aliases))]
    return suggest(name, known, _NEAR) or suggest(name.lower(), known, _NEAR)
