"""Policies, loaded and resolved: service names are already port numbers, every entry knows its line."""

from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import Field

from auditor.model.address import Family, Scope
from auditor.model.facts import Proto
from auditor.model.origin import Origin
from auditor.model.value import Value

Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first."""
_RANKS: dict[Severity, int] = {severity: rank for rank, severity in enumerate(reversed(SEVERITIES))}
Default = Literal["deny", "warn", "ignore"]
"""Strictest first."""
Switch = Literal["default", "ephemeral_udp", "raw_sockets", "exposures"]
SWITCHES: tuple[Switch, ...] = get_args(Switch)
"""The settings of a policy for what no line names."""
NetnsChoice = Literal["host", "containers", "any"]
"""The host's own network namespace; every other one found on it; all of them."""
OwnerClass = Literal["kernel", "systemd", "docker-proxy", "kubelet", "container"]
OWNER_CLASSES: tuple[OwnerClass, ...] = get_args(OwnerClass)
"""`kernel`: no process holds the socket; `systemd`: pid 1 does; `container`: only processes in containers do."""
WaivableRule = Literal[
    "unexpected-listener",
    "forbidden-listener",
    "missing-listener",
    "exposed-listener",
    "wrong-owner",
    "service-name-conflict",
    "connection-states",
    "accept-queue",
]
WAIVABLE_RULES: tuple[WaivableRule, ...] = get_args(WaivableRule)
TcpState = Literal[
    "ESTABLISHED",
    "SYN_SENT",
    "SYN_RECV",
    "FIN_WAIT1",
    "FIN_WAIT2",
    "TIME_WAIT",
    "CLOSE",
    "CLOSE_WAIT",
    "LAST_ACK",
    "LISTEN",
    "CLOSING",
]
TCP_STATES: tuple[TcpState, ...] = get_args(TcpState)
"""As netstat spells them, in the order of the kernel's numbers (include/net/tcp_states.h)."""
PortNumber = Annotated[int, Field(ge=0, le=65535)]


def severity_rank(severity: Severity) -> int:
    """Return 0 for info up to 4 for critical."""
    return _RANKS[severity]


class Ports(Value):
    """An inclusive range of ports of one protocol. `family` None: both; set by `tcp4`, `udp6` and the like."""

    proto: Proto
    first: PortNumber
    last: PortNumber
    family: Family | None = None

    def __str__(self) -> str:
        span = str(self.first) if self.first == self.last else f"{self.first}-{self.last}"
        pin = {"ipv4": "4", "ipv6": "6", None: ""}[self.family]
        return f"{span}/{self.proto}{pin}"


class BindScope(Value):
    """Any address of a scope."""

    kind: Literal["scope"] = "scope"
    scope: Scope

    def __str__(self) -> str:
        return self.scope


class BindNetwork(Value):
    """Any address inside a network; a single address is a network of one. `network` is canonical CIDR text."""

    kind: Literal["network"] = "network"
    network: str

    def __str__(self) -> str:
        return self.network


Bind = Annotated[BindScope | BindNetwork, Field(discriminator="kind")]


class OwnerCondition(Value):
    """Who may hold a socket. Every key that is given must hold; within a key any one value is enough.

    All but `classes` are shell globs. `process` is the name a process goes by (its own claim), `exe` the path of its
    program (the kernel's word), `user` a name or number and the one the socket belongs to.
    """

    process: tuple[str, ...] = ()
    exe: tuple[str, ...] = ()
    user: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    container: tuple[str, ...] = ()
    classes: tuple[OwnerClass, ...] = ()


class Entry(Value):
    """One allow or deny line.

    `ports` is what it covers, names resolved; `bind` empty means any address at all. `service` is the name the author
    wrote, for display. `severity` None: the policy's. `policy` names the policy it holds in; an included entry holds in
    the including policy, and `origin` says where it is written. `at_least` counts the sockets of a `required` line.
    """

    id: str
    policy: str
    action: Literal["allow", "deny"]
    ports: tuple[Ports, ...]
    service: str | None = None
    bind: tuple[Bind, ...] = ()
    owner: OwnerCondition | None = None
    netns: NetnsChoice = "host"
    required: bool = False
    at_least: int = 1
    severity: Severity | None = None
    reason: str = ""
    remediation: str = ""
    controls: tuple[str, ...] = ()
    origin: Origin


class Bound(Value):
    """How many there may be at most: TCP sockets of a host in `state`, or connections that wait at a listener.

    `state` None: connections that are open and that the program has not accepted yet, for each listener by itself.
    `severity` None: the policy's.
    """

    policy: str
    state: TcpState | None
    most: int
    severity: Severity | None = None
    reason: str = ""
    remediation: str = ""
    origin: Origin


class Waiver(Value):
    """An exception from findings, for a time: who answers for it, why, and until when.

    It covers findings of `rules` on hosts whose name matches a glob of `hosts`. `ports` empty: any port there is.
    `expires` is the last day it holds, to its end in UTC. `owner` is the person; whose socket it is, is `held_by`.
    """

    id: str
    policy: str
    rules: tuple[WaivableRule, ...]
    hosts: tuple[str, ...]
    ports: tuple[Ports, ...] = ()
    bind: tuple[Bind, ...] = ()
    held_by: OwnerCondition | None = None
    netns: NetnsChoice = "host"
    reason: str
    owner: str
    ticket: str = ""
    expires: date
    origin: Origin


class PolicyFileRef(Value):
    """A policy file as it was read: `sha256` of its bytes."""

    name: str
    path: str
    sha256: str


class Selector(Value):
    """Which hosts: every key that is given must hold; within a key any one value is enough. Hosts are shell globs."""

    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    labels: dict[str, str] = {}


class Policy(Value):
    """One policy file, with all it includes. `applies_to` None: every host; `excluded` hosts match any key of `except`.

    `sha256` is of the file's bytes; `included` are the other files it is made of. `written` is where those of the
    switches stand that are written, here or in an included file.
    """

    name: str
    path: str
    sha256: str
    description: str = ""
    controls: tuple[str, ...] = ()
    applies_to: Selector | None = None
    excluded: Selector | None = None
    default: Default = "deny"
    severity: Severity = "high"
    ephemeral_udp: Default = "ignore"
    raw_sockets: Default = "ignore"
    exposures: Default = "ignore"
    written: dict[Switch, Origin] = {}
    allow: tuple[Entry, ...] = ()
    deny: tuple[Entry, ...] = ()
    bounds: tuple[Bound, ...] = ()
    waivers: tuple[Waiver, ...] = ()
    included: tuple[PolicyFileRef, ...] = ()
    origin: Origin

    def place_of(self, switch: Switch) -> Origin:
        """Return where a switch is written, or the policy itself where it is not."""
        return self.written.get(switch, self.origin)

    @property
    def all_controls(self) -> tuple[str, ...]:
        """Return the controls of the policy and of all its lines, each once, sorted."""
        return tuple(sorted({*self.controls, *(one for entry in (*self.allow, *self.deny) for one in entry.controls)}))


class PolicySet(Value):
    """Every policy of a run, sorted by name; names are unique."""

    policies: tuple[Policy, ...]
