"""Policies, loaded and resolved: service names are already port numbers, every entry knows its line."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from auditor.model.address import Family, Scope
from auditor.model.facts import Proto
from auditor.model.origin import Origin
from auditor.model.value import Value

Severity = Literal["critical", "high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
"""Worst first."""
Default = Literal["deny", "warn", "ignore"]
"""Strictest first."""
PortNumber = Annotated[int, Field(ge=0, le=65535)]


def severity_rank(severity: Severity) -> int:
    """Return 0 for info up to 4 for critical."""
    return len(SEVERITIES) - 1 - SEVERITIES.index(severity)


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


class Entry(Value):
    """One allow or deny line.

    `ports` is what it covers, names resolved; `bind` empty means any address at all. `service` is the name the author
    wrote, for display. `severity` None: the policy's. `policy` names the policy it stands in.
    """

    id: str
    policy: str
    action: Literal["allow", "deny"]
    ports: tuple[Ports, ...]
    service: str | None = None
    bind: tuple[Bind, ...] = ()
    required: bool = False
    severity: Severity | None = None
    reason: str = ""
    remediation: str = ""
    controls: tuple[str, ...] = ()
    origin: Origin


class Selector(Value):
    """Which hosts: every key that is given must hold; within a key any one value is enough. Hosts are shell globs."""

    groups: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    labels: dict[str, str] = {}


class Policy(Value):
    """One policy file. `applies_to` None: every host; `excluded` hosts match any key of `except`.

    `sha256` is of the file's bytes.
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
    allow: tuple[Entry, ...] = ()
    deny: tuple[Entry, ...] = ()
    origin: Origin


class PolicySet(Value):
    """Every policy of a run, sorted by name; names are unique."""

    policies: tuple[Policy, ...]
