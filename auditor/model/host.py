"""A host of the inventory: what to call it, how to reach it, what to trust."""

from typing import Any, Literal

from pydantic import Field

from auditor.model.origin import Origin
from auditor.model.value import Value

Connection = Literal["ssh", "local", "replay"]
Client = Literal["paramiko", "openssh"]
HostKeyChecking = Literal["strict", "accept-new", "off"]
HostKeyPolicy = Literal["strict", "accept-new", "ignored"]
"""How a run treats host keys; `ignored` only ever by a flag."""
HostKeyTrust = Literal["known", "certificate", "accepted", "ignored"]
"""Why a host's key was talked to: it is on file, an authority vouches for it, it was taken on trust at first use, or
nobody looked."""
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


def _name_of(fields: dict[str, Any]) -> str:
    return str(fields["name"]).strip("[]")


class Host(Value):
    """One host, with groups and defaults already folded in.

    `name` is its identity everywhere (reports, policies, limits); `address` is what is dialled. Which fields the
    inventory set is in `model_fields_set`; what ssh_config says fills in the others. `user` None means: not
    set, which ssh refuses rather than guesses. Paths are absolute or relative to the working directory, `~` expanded.
    `client` is what speaks SSH: paramiko here, or the system's own `ssh`. `host_keys` None: as `ssh` says.
    `timeout` is the hard limit in seconds for the whole host. `namespaces`: read every other network
    namespace there too, as root.
    """

    name: str
    address: str = Field(default_factory=_name_of)
    port: int = 22
    connection: Connection = "ssh"
    user: str | None = None
    identity: tuple[str, ...] = ()
    agent: bool = False
    password: SecretRef | None = None
    passphrase: SecretRef | None = None
    known_hosts: tuple[str, ...] = ()
    host_keys: Literal["strict", "accept-new"] | None = None
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

    @property
    def accepts_new_keys(self) -> bool:
        """Whether the key of this host, if it is not known, is taken on trust."""
        return (self.host_keys or self.ssh.strict_host_key_checking) == "accept-new"


class Inventory(Value):
    """The hosts of one inventory file to work on, in file order; `others` are those a limit left out.

    Hosts that serve only as jump hosts are hosts like any other, and an `other` may still be jumped through.
    `host_keys` is what the command line demands for all of them; a host's own `accept-new` needs no flag.
    `jump_hosts` are those that only ssh_config knows, named as it writes them.
    """

    path: str
    sha256: str
    hosts: tuple[Host, ...]
    others: tuple[Host, ...] = ()
    jump_hosts: tuple[Host, ...] = ()
    host_keys: HostKeyPolicy = "strict"

    @property
    def weakest_host_keys(self) -> HostKeyPolicy:
        """How host keys are treated where that is done with the least care."""
        asked = any(host.accepts_new_keys for host in self.hosts)
        return "accept-new" if asked and self.host_keys == "strict" else self.host_keys
