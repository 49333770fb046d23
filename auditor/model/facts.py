"""What one host was seen to be: its listeners, what could be read, and what could not."""

from datetime import datetime
from typing import Literal, get_args

from auditor.model.address import Family, Scope
from auditor.model.host import HostKeyTrust
from auditor.model.value import Value

Proto = Literal["tcp", "udp", "udplite", "sctp", "raw", "packet"]
PROTOS: tuple[Proto, ...] = get_args(Proto)
Kind = Literal["listener", "ephemeral-udp"]
DualStack = Literal["yes", "no", "unknown"]
OwnerStatus = Literal["known", "unprivileged", "kernel", "other-namespace", "unknown", "not-collected"]
CoverageStatus = Literal["ok", "absent", "denied", "empty", "malformed", "truncated", "inconsistent"]
ByteOrder = Literal["little", "big", "unknown"]
ReaderNetns = Literal["host", "other", "unknown"]
ExposureSource = Literal["nftables", "iptables", "ipvs"]


_FIRST = 1
_REPLACED = " (deleted)"
"""What the kernel adds to /proc/PID/exe once the file was replaced, as an upgrade does (proc(5))."""


class Gap(Value):
    """Something that could not be known: `source` is a table or a step, `reason` a sentence a reader understands."""

    source: str
    reason: str


class Coverage(Value):
    """How the reading of one source went. `sha256` is of the raw bytes; None when there were none."""

    source: str
    status: CoverageStatus
    rows: int = 0
    listeners: int = 0
    rejected: int = 0
    duplicates: int = 0
    sha256: str | None = None


class Owner(Value):
    """A process that holds the socket. Its name and command line are its own claim, `exe` is the kernel's word.

    `unit` is the systemd unit it runs in, `container` the id of its container, `runtime` what runs that (`docker`,
    `podman`, `containerd`, `cri-o`, `lxc`, `nspawn`; `container` where its control group does not tell).
    """

    pid: int
    comm: str | None = None
    exe: str | None = None
    cmdline: str | None = None
    unit: str | None = None
    container: str | None = None
    runtime: str | None = None

    @property
    def is_systemd(self) -> bool | None:
        """Whether this is the host's service manager, which opens sockets for others; None: that cannot be told.

        That is process 1, by its program; by its name only where the program was not seen. Other programs are process 1
        too, in containers and on small systems.
        """
        if self.pid != _FIRST:
            return False
        if self.exe is not None:
            return self.exe.removesuffix(_REPLACED).rpartition("/")[2] == "systemd"
        return None if self.comm is None else self.comm == "systemd"


class Listener(Value):
    """One (netns, proto, address, port, uid); several sockets of one user there are folded into `sockets`.

    Sockets of several users on one endpoint, as UDP with SO_REUSEADDR lets them be, are a listener each.
    `address` is in canonical text (RFC 5952), IPv4-mapped addresses as the IPv4 address they carry. `service` is the
    name the host's own /etc/services gives: a label, never a reason. `dual_stack` is only for the IPv6 wildcard (else
    None): does it take IPv4 too? `pending_accepts` is the accept queue of a TCP listener. `raw` is the kernel's line.
    `seen` is `some` when a table read several times showed it in some reads only. `owners` is everybody who holds it
    exactly when `owner_status` is `known`; with any other status, it is who was seen.
    """

    proto: Proto
    family: Family | None
    address: str
    port: int
    scope: Scope
    service: str | None = None
    sockets: int = 1
    kind: Kind = "listener"
    dual_stack: DualStack | None = None
    netns: str = "host"
    uid: int | None = None
    user: str | None = None
    owner_status: OwnerStatus = "not-collected"
    owners: tuple[Owner, ...] = ()
    pending_accepts: int | None = None
    seen: Literal["all", "some"] = "all"
    raw: str


class UnixListener(Value):
    """A listening unix socket. The kernel prints its path as any local user made it, so none of this can be trusted."""

    kind: Literal["stream", "seqpacket", "unknown"]
    path: str


class Exposure(Value):
    """A port that leads elsewhere without any socket: published by a firewall's address translation, or by IPVS.

    `family`, `address` and `port` None: whatever the rule does not narrow down, or what it narrows down by means that
    are not followed here; `proto` is then `any` likewise. `last_port` ends a range. `target` is where it leads, as the
    tool prints it. `raw` is the tool's line.
    """

    proto: str
    family: Family | None
    address: str | None
    port: int | None
    last_port: int | None = None
    target: str
    source: ExposureSource
    raw: str


class System(Value):
    """The host itself. None and `unknown` mean the host did not say.

    `clock_skew_s` is the host's clock minus the controller's, in seconds. `ephemeral_ports` is ip_local_port_range.
    `reader_netns`: whether the tables are those of the host's own network namespace, that of its first process.
    `states` counts the sockets of its tables as {"tcp": {"ESTABLISHED": 3}}, in the order of the kernel's numbers.
    """

    hostname: str | None = None
    os: str | None = None
    kernel: str | None = None
    arch: str | None = None
    byte_order: ByteOrder = "unknown"
    privileged: bool = False
    reader_netns: ReaderNetns = "unknown"
    collected_at: datetime
    clock_skew_s: float | None = None
    ephemeral_ports: tuple[int, int] | None = None
    host_key: str | None = None
    host_key_trust: HostKeyTrust | None = None
    kex: str | None = None
    states: dict[str, dict[str, int]] = {}


class HostFacts(Value):
    """Everything parsed from one host. Any gap means: not complete, and so never compliant.

    `services` is the host's own table as {"443/tcp": "https"}, first name wins, used to label and to find conflicts.
    """

    system: System
    listeners: tuple[Listener, ...]
    coverage: tuple[Coverage, ...]
    gaps: tuple[Gap, ...]
    services: dict[str, str] = {}
    unix: tuple[UnixListener, ...] = ()
    exposures: tuple[Exposure, ...] = ()
