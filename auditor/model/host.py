"""A host of the inventory: what to call it, how to reach it, what to trust."""

from typing import Literal

from auditor.model.origin import Origin
from auditor.model.value import Value

Connection = Literal["ssh", "local", "replay"]
Client = Literal["paramiko", "openssh"]
HostKeyChecking = Literal["strict", "accept-new", "off"]
AddressFamily = Literal["any", "inet", "inet6"]


class SecretRef(Value):
    """A secret by reference: an environment variable, or a file only its owner may read. Never the secret itself."""

    source: Literal["env", "file"]
    name: str

    def __str__(self) -> str:
        return f"{self.source}:{self.name}"


class SshOptions(Value):
    """What ssh_config(5) settles for a host beyond the inventory's own keys; each field is named after its keyword.

    Lists of algorithms are complete (`+`, `-`, `^` already applied); empty means: netaudit's own. `identity_agent`
    None means SSH_AUTH_SOCK, `none` no agent. `connect_timeout` is in seconds. `proxy_command` has its tokens expanded.
    """

    host_key_alias: str | None = None
    strict_host_key_checking: HostKeyChecking = "strict"
    revoked_host_keys: tuple[str, ...] = ()
    certificate_files: tuple[str, ...] = ()
    identities_only: bool = False
    identity_agent: str | None = None
    proxy_command: str | None = None
    address_family: AddressFamily = "any"
    bind_address: str | None = None
    connect_timeout: float | None = None
    kex_algorithms: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    macs: tuple[str, ...] = ()
    host_key_algorithms: tuple[str, ...] = ()


class Host(Value):
    """One host, with groups and defaults already folded in.

    `name` is its identity everywhere (reports, policies, limits); `address` is what is dialled. `user` None means: not
    set, which ssh refuses rather than guesses. Paths are absolute or relative to the working directory, `~` expanded.
    `client` is what speaks SSH: paramiko here, or the system's own `ssh`.
    `timeout` is the hard limit in seconds for the whole host. `namespaces`: read every other network
    namespace there too, as root.
    """

    name: str
    address: str
    port: int = 22
    connection: Connection = "ssh"
    user: str | None = None
    identity: tuple[str, ...] = ()
    agent: bool = False
    password: SecretRef | None = None
    passphrase: SecretRef | None = None
    known_hosts: tuple[str, ...] = ()
    jump: tuple[str, ...] = ()
    client: Client = "paramiko"
    ssh: SshOptions = SshOptions()
    sudo: bool = False
    sudo_password: SecretRef | None = None
    namespaces: bool = False
    timeout: float = 60.0
    evidence: str | None = None
    groups: tuple[str, ...] = ()
    labels: dict[str, str] = {}
    origin: Origin


class Inventory(Value):
    """The hosts of one inventory file to work on, in file order; `others` are those a limit left out.

    Hosts that serve only as jump hosts are hosts like any other, and an `other` may still be jumped through.
    """

    path: str
    sha256: str
    hosts: tuple[Host, ...]
    others: tuple[Host, ...] = ()
