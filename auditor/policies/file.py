"""What a policy file may say, as one model per kind of mapping. Descriptions feed the published JSON Schema."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from auditor.document import Disputed, FileModel, Unset, listed, mistake
from auditor.model.address import SCOPES
from auditor.model.finding import INCOMPLETE_RULES
from auditor.model.policy import Default, NetnsChoice, OwnerClass, Severity, WaivableRule
from auditor.policies.dates import check_date
from auditor.policies.names import check_id, check_name

Text = Annotated[str, Field(min_length=1)]
Texts = Annotated[list[Text], Field(min_length=1), listed]


def _as_port(value: object) -> object:
    """Return a port as text; what the text means is checked where its place is known."""
    if isinstance(value, str | Disputed) or (isinstance(value, int) and not isinstance(value, bool)):
        return str(value)
    raise mistake("this is not a port", "write for example 443/tcp, 8000-8100/tcp or 53/udp")


def _as_list(value: object) -> object:
    return value if isinstance(value, list) else [value]


# For editors only: a pattern helps while a person writes; what is wrong with a port is told by the reader of the file.
_SPAN = "(0|[1-9][0-9]{0,4})(-(0|[1-9][0-9]{0,4}))?"
_Port = Annotated[str, Field(pattern=f"^{_SPAN}/((tcp|udp|udplite|sctp|raw)[46]?|packet)$", examples=["443/tcp"])]
_Ports = Annotated[list[_Port], Field(min_length=1)]
_NAME = WithJsonSchema({"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"})
_BIND = WithJsonSchema(
    {"anyOf": [{"enum": ["any", *SCOPES]}, {"type": "string", "pattern": r"^[0-9a-fA-F:\[][^%]*[.:][^%]*$"}]}
)

PortText = Annotated[str, BeforeValidator(_as_port, json_schema_input_type=_Port)]
PortTexts = Annotated[
    list[PortText], Field(min_length=1), BeforeValidator(_as_list, json_schema_input_type=_Port | _Ports)
]
Binds = Annotated[list[Annotated[Text, _BIND]], Field(min_length=1), listed]


def _as_user(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else value


Users = Annotated[
    list[Annotated[str, Field(min_length=1), BeforeValidator(_as_user, json_schema_input_type=str | int)]],
    Field(min_length=1),
    BeforeValidator(_as_list, json_schema_input_type=str | int | list[str | int]),
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


_FAMILIAR = {
    "address": "bind",
    "cgroup": "unit or container",
    "command": "process, or exe for the path of the program",
    "comment": "reason",
    "interface": "bind, an address or a scope such as private",
    "listen": "bind",
    "name": "id",
    "namespace": "netns",
    "program": "exe for its path, or process for its name",
    "proto": "in the port: 443/tcp",
    "protocol": "in the port: 443/tcp",
    "uid": "user, which takes a number too",
}


class PlaceFile(FileModel):
    """What entries and waivers have in common: which listeners, and who holds them."""

    id: Annotated[
        Annotated[str, AfterValidator(check_id), _NAME] | Unset,
        Field(description="Its name in reports, unique in the policy; made from what it says when it is not written."),
    ] = None
    port: Annotated[
        PortText | Unset,
        Field(
            description="A port or range with its protocol: 443/tcp, 8000-8100/tcp, 53/udp4. For raw sockets the IP "
            "protocol (58/raw), for packet sockets the Ethernet protocol (3/packet: all)."
        ),
    ] = None
    ports: Annotated[PortTexts | Unset, Field(description="Several ports.")] = None
    bind: Annotated[
        Binds | Unset,
        Field(description="Where it listens: any, a scope such as loopback or private, an address, a network."),
    ] = None
    process: Annotated[
        Texts | Unset,
        Field(description="Names (globs) of the processes that hold the socket; all of them must fit."),
    ] = None
    exe: Annotated[
        Texts | Unset, Field(description="Paths (globs) of their programs: /usr/sbin/nginx. The kernel's word.")
    ] = None
    user: Annotated[
        Users | Unset,
        Field(description="Names (globs) or numbers of the user the socket belongs to; needs no root."),
    ] = None
    unit: Annotated[Texts | Unset, Field(description="systemd units (globs) of the processes: nginx.service.")] = None
    container: Annotated[
        Texts | Unset, Field(description="Ids (globs) of the containers of the processes; '*' for any container.")
    ] = None
    netns: Annotated[
        NetnsChoice | Unset,
        Field(description="Network namespaces it is about: host (when not written), containers (every other), any."),
    ] = None
    reason: Annotated[Text | Unset, Field(description="Why; shown in reports.")] = None


class EntryFile(PlaceFile):
    """One line of allow or deny: what is listened on, where, by whom, and why."""

    exactly_one = ("port", "ports", "service")
    familiar = {**_FAMILIAR, "description": "reason", "owners": "owner", "services": "service, one entry each"}

    service: Annotated[
        Text | Unset, Field(description="A name of the services table: https is every protocol of it, https/tcp one.")
    ] = None
    owner: Annotated[
        Annotated[list[OwnerClass], Field(min_length=1), listed] | Unset,
        Field(
            description="What holds the socket: kernel (no process), systemd (socket activation), docker-proxy, "
            "kubelet, container (processes in containers only)."
        ),
    ] = None
    required: Annotated[bool | Unset, Field(description="Nothing listening here is a finding.")] = None
    at_least: Annotated[
        Annotated[int, Field(ge=1, le=100_000)] | Unset,
        Field(description="With required: so many sockets (SO_REUSEPORT), all addresses together."),
    ] = None
    severity: Annotated[Severity | Unset, Field(description="Instead of the policy's.")] = None
    remediation: Annotated[Text | Unset, Field(description="What to do about a finding.")] = None
    controls: Annotated[Texts | Unset, Field(description="Controls of a benchmark or standard this serves.")] = None


class BoundFile(FileModel):
    """How many there may be at most."""

    familiar = {
        "comment": "reason",
        "count": "max",
        "description": "reason",
        "limit": "max",
        "maximum": "max",
        "threshold": "max",
    }

    max: Annotated[
        Annotated[int, Field(ge=0, le=10_000_000)], Field(description="How many there may be; one more is a finding.")
    ]
    severity: Annotated[Severity | Unset, Field(description="Instead of the policy's.")] = None
    reason: Annotated[Text | Unset, Field(description="Why; shown in reports.")] = None
    remediation: Annotated[Text | Unset, Field(description="What to do about a finding.")] = None


class StatesFile(FileModel):
    """How many TCP sockets of a host may be in a state, all addresses together."""

    familiar = {
        "CLOSED": "CLOSE",
        "CLOSE-WAIT": "CLOSE_WAIT",
        "ESTAB": "ESTABLISHED",
        "FIN-WAIT-1": "FIN_WAIT1",
        "FIN-WAIT-2": "FIN_WAIT2",
        "LAST-ACK": "LAST_ACK",
        "SYN-RECV": "SYN_RECV",
        "SYN-SENT": "SYN_SENT",
        "TIME-WAIT": "TIME_WAIT",
    }

    ESTABLISHED: Annotated[BoundFile | Unset, Field(description="Open connections.")] = None
    SYN_SENT: Annotated[BoundFile | Unset, Field(description="Called, no answer yet.")] = None
    SYN_RECV: Annotated[BoundFile | Unset, Field(description="Was called, the handshake is not over.")] = None
    FIN_WAIT1: Annotated[BoundFile | Unset, Field(description="Closed here, not confirmed by the peer.")] = None
    FIN_WAIT2: Annotated[BoundFile | Unset, Field(description="Closed here, not yet closed by the peer.")] = None
    TIME_WAIT: Annotated[BoundFile | Unset, Field(description="Closed here first; waits for stragglers.")] = None
    CLOSE: Annotated[BoundFile | Unset, Field(description="Bound or left over, without a connection.")] = None
    CLOSE_WAIT: Annotated[BoundFile | Unset, Field(description="Closed by the peer, not by the program here.")] = None
    LAST_ACK: Annotated[BoundFile | Unset, Field(description="Closed after the peer, not confirmed yet.")] = None
    LISTEN: Annotated[BoundFile | Unset, Field(description="Listeners.")] = None
    CLOSING: Annotated[BoundFile | Unset, Field(description="Closed by both sides at once.")] = None


def _refuse_gap_rule(rule: object) -> object:
    if rule in INCOMPLETE_RULES:
        raise mistake(f"{rule} says that something is not known, and cannot be waived", "make it known on that host")
    if rule == "expired-waiver":
        raise mistake("an expired waiver cannot be waived", "renew it: a new `expires`, and the reason for it")
    return rule


class WaiverFile(PlaceFile):
    """An exception for a time: findings that are still shown, and do not fail a run."""

    familiar = {
        **_FAMILIAR,
        "approved_by": "owner",
        "date": "expires",
        "description": "reason",
        "expiry": "expires",
        "expiration": "expires",
        "group": "hosts; a waiver is for named hosts",
        "groups": "hosts; a waiver is for named hosts",
        "host": "hosts",
        "issue": "ticket",
        "rules": "rule, which takes a list too",
        "until": "expires",
    }

    rule: Annotated[
        Annotated[list[Annotated[WaivableRule, BeforeValidator(_refuse_gap_rule)]], Field(min_length=1), listed],
        Field(description="The rule whose findings it covers, or several."),
    ]
    hosts: Annotated[Texts, Field(description="Names (globs) of the hosts it is for.")]
    reason: Annotated[Text, Field(description="Why this is acceptable for a time; shown in reports.")]
    owner: Annotated[Text, Field(description="Who answers for it: a person or a team.")]
    ticket: Annotated[Text | Unset, Field(description="Where it was agreed.")] = None
    expires: Annotated[
        str,
        BeforeValidator(
            check_date, json_schema_input_type=Annotated[str, Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
        ),
        Field(description="The last day it holds, to its end (UTC): 2026-12-31.", json_schema_extra={"format": "date"}),
    ]


class PolicyFile(FileModel):
    """A policy: what may listen on which hosts."""

    familiar = {
        "allowed": "allow",
        "allowlist": "allow",
        "blocklist": "deny",
        "denied": "deny",
        "exceptions": "waivers",
        "extends": "include",
        "groups": "under applies_to",
        "hosts": "under applies_to",
        "import": "include",
        "imports": "include",
        "includes": "include",
        "labels": "under applies_to",
        "name": "policy",
        "rules": "allow and deny",
    }
    may_be_empty = frozenset({"allow", "deny", "waivers"})

    version: Annotated[Literal[1], Field(description="Version of this format: 1.")]
    policy: Annotated[
        Annotated[str, AfterValidator(check_name), _NAME], Field(description="Name of the policy, unique.")
    ]
    description: Annotated[Text | Unset, Field(description="What it is for, in a sentence.")] = None
    controls: Annotated[Texts | Unset, Field(description="Controls of a benchmark or standard it serves.")] = None
    applies_to: Annotated[AppliesFile | Unset, Field(description="Which hosts; every host when it is not written.")] = (
        None
    )
    include: Annotated[
        Texts | Unset,
        Field(description="Policy files, relative to this one, whose entries, services and waivers hold here too."),
    ] = None
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
        Default | Unset, Field(description="Unlisted raw and packet sockets (sniffers); ignore when not written.")
    ] = None
    exposures: Annotated[
        Default | Unset,
        Field(description="Unlisted ports that NAT or IPVS lead elsewhere without a socket; ignore when not written."),
    ] = None
    states: Annotated[
        StatesFile | Unset,
        Field(description="How many TCP sockets of a host may be in a state: {CLOSE_WAIT: {max: 500}}."),
    ] = None
    accept_queue: Annotated[
        BoundFile | Unset, Field(description="How many connections may wait at a listener to be accepted: {max: 100}.")
    ] = None
    waivers: Annotated[list[WaiverFile] | Unset, Field(description="Exceptions, with their reason and end.")] = None
    max_waiver_days: Annotated[
        Annotated[int, Field(ge=1, le=3660)] | Unset,
        Field(description="How far ahead a waiver of this file may end, in days; 366 when not written."),
    ] = None
