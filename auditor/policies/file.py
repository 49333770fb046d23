"""What a policy file may say, as one model per kind of mapping. Descriptions feed the published JSON Schema."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from auditor.document import FileModel, Unset, listed, mistake
from auditor.model.policy import Default, Severity
from auditor.policies.names import check_id, check_name

_OWNERS = "remove it; an entry is decided by its port and its bind address for now"
_LATER_ENTRY = {
    **dict.fromkeys(("process", "exe", "user", "unit", "container", "owner", "owners"), _OWNERS),
    "netns": "remove it; entries are about the host's own network namespace for now",
    "at_least": "remove it; `required: true` asks for at least one listener",
    "exposures": "remove it; `bind: …` says where a port may be open",
}
_LATER_POLICY = {
    "include": "remove it; every policy file that applies to a host holds together with the others",
    "waivers": "remove it; allow the port in a policy with `applies_to: {hosts: [NAME]}` for the time being",
    "exposures": "remove it; `bind: …` says where a port may be open",
}


def _refuse_raw(value: object) -> object:
    if value in ("warn", "deny"):
        raise mistake(f"raw_sockets: {value} is not evaluated yet by this version", "write ignore, or remove the line")
    return value


Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1), listed]


def _as_port(value: object) -> object:
    """Return a port as text; what the text means is checked where its place is known."""
    if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise mistake("this is not a port", "write for example 443/tcp, 8000-8100/tcp or 53/udp")


def _as_ports(value: object) -> object:
    return value if isinstance(value, list) else [value]


PortText = Annotated[str, BeforeValidator(_as_port, json_schema_input_type=str)]
PortTexts = Annotated[
    list[PortText], Field(min_length=1), BeforeValidator(_as_ports, json_schema_input_type=str | list[str])
]


class SelectorFile(FileModel):
    """Which hosts."""

    familiar = {"group": "groups", "host": "hosts", "label": "labels", "tags": "labels"}

    groups: Annotated[Texts | Unset, Field(description="Hosts in any of these groups.")] = None
    hosts: Annotated[Texts | Unset, Field(description="Hosts whose name matches any of these globs.")] = None
    labels: Annotated[
        Annotated[dict[str, str], Field(min_length=1)] | Unset,
        Field(description="Hosts that bear all of these labels."),
    ] = None


class AppliesFile(SelectorFile):
    """Which hosts, and which of them not. Every key that is written must hold."""

    except_: Annotated[
        SelectorFile | Unset, Field(alias="except", description="Hosts that match any key of this are left out.")
    ] = None


class EntryFile(FileModel):
    """One line of allow or deny: what is listened on, where, and why."""

    later = _LATER_ENTRY
    familiar = {
        "address": "bind",
        "comment": "reason",
        "description": "reason",
        "interface": "bind, an address or a scope such as private",
        "listen": "bind",
        "name": "id",
        "proto": "in the port: 443/tcp",
        "protocol": "in the port: 443/tcp",
        "services": "service, one entry each",
    }

    id: Annotated[
        Annotated[str, AfterValidator(check_id)] | Unset,
        Field(description="Name of the entry in reports; made from its ports when it is not written."),
    ] = None
    port: Annotated[
        PortText | Unset, Field(description="A port or range with its protocol: 443/tcp, 8000-8100/tcp, 53/udp4.")
    ] = None
    ports: Annotated[PortTexts | Unset, Field(description="Several ports.")] = None
    service: Annotated[
        Text | Unset, Field(description="A name of the services table: https is every protocol of it, https/tcp one.")
    ] = None
    bind: Annotated[
        Texts | Unset,
        Field(description="Where it may listen: any, a scope such as loopback or private, an address, a network."),
    ] = None
    required: Annotated[bool | Unset, Field(description="Nothing listening here is a finding.")] = None
    severity: Annotated[Severity | Unset, Field(description="Instead of the policy's.")] = None
    reason: Annotated[Text | Unset, Field(description="Why; shown in reports.")] = None
    remediation: Annotated[Text | Unset, Field(description="What to do about a finding.")] = None
    controls: Annotated[Texts | Unset, Field(description="Controls of a benchmark or standard this serves.")] = None


class PolicyFile(FileModel):
    """A policy: what may listen on which hosts."""

    later = _LATER_POLICY
    familiar = {
        "allowed": "allow",
        "allowlist": "allow",
        "blocklist": "deny",
        "denied": "deny",
        "groups": "under applies_to",
        "hosts": "under applies_to",
        "labels": "under applies_to",
        "name": "policy",
        "rules": "allow and deny",
    }
    may_be_empty = frozenset({"allow", "deny"})

    version: Annotated[Literal[1], Field(description="Version of this format: 1.")]
    policy: Annotated[Annotated[str, AfterValidator(check_name)], Field(description="Name of the policy, unique.")]
    description: Annotated[Text | Unset, Field(description="What it is for, in a sentence.")] = None
    controls: Annotated[Texts | Unset, Field(description="Controls of a benchmark or standard it serves.")] = None
    applies_to: Annotated[AppliesFile | Unset, Field(description="Which hosts; every host when it is not written.")] = (
        None
    )
    default: Annotated[
        Default | Unset, Field(description="What an unlisted listener is: deny (a finding), warn (info), ignore.")
    ] = None
    severity: Annotated[Severity | Unset, Field(description="Of this policy's findings; high when not written.")] = None
    services: Annotated[
        dict[str, PortTexts] | Unset, Field(description="Names for ports, before those of the bundled table.")
    ] = None
    allow: Annotated[list[EntryFile] | Unset, Field(description="What may listen.")] = None
    deny: Annotated[list[EntryFile] | Unset, Field(description="What must not listen; wins over every allow.")] = None
    ephemeral_udp: Annotated[
        Default | Unset, Field(description="Unlisted UDP sockets on ephemeral ports; ignore when not written.")
    ] = None
    raw_sockets: Annotated[
        Literal["ignore"] | Unset, BeforeValidator(_refuse_raw), Field(description="Raw and packet sockets.")
    ] = None
