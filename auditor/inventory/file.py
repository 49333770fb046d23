"""What an inventory file may say, as one model per kind of mapping. Descriptions feed the published JSON Schema."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from auditor.document import FileModel, Unset, listed, mistake
from auditor.inventory.names import check_address, check_user
from auditor.model.host import Client, Connection, SecretRef

_FAMILIAR = {
    "ansible_host": "address",
    "ansible_port": "port",
    "ansible_user": "user",
    "ansible_ssh_private_key_file": "identity",
    "ansible_connection": "connection",
    "ansible_become": "sudo",
    "ansible_become_password": "sudo_password",
    "bastion": "jump",
    "become": "sudo",
    "become_password": "sudo_password",
    "children": "`groups: [parent]`, in the child",
    "gateway": "jump",
    "host": "address",
    "hostname": "address",
    "identity_file": "identity",
    "key": "identity",
    "key_file": "identity",
    "private_key": "identity",
    "proxy_jump": "jump",
    "ssh_key": "identity",
    "tags": "labels",
    "username": "user",
    "vars": "without vars, directly in the group",
}


def _check_port(port: int) -> int:
    if not 0 < port < 65536:
        raise mistake(f"{port} is not a port", "a port is a number from 1 to 65535")
    return port


def read_secret(value: object) -> SecretRef:
    """Return the reference `value` is. Raises a mistake, which never repeats the value: it may be the secret."""
    source, colon, name = value.partition(":") if isinstance(value, str) else ("", "", "")
    if source == "file" and colon and name.strip():
        return SecretRef(source="file", name=name.strip())
    if source == "env" and colon:
        if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name, re.ASCII):
            return SecretRef(source="env", name=name)
        raise mistake("what stands after env: is not the name of an environment variable", "write env:NAME")
    raise mistake(
        "a secret must not stand in the inventory",
        "write env:NAME for an environment variable, or file:PATH for a file that only you can read (mode 0600)",
    )


Port = Annotated[int, AfterValidator(_check_port), Field(json_schema_extra={"minimum": 1, "maximum": 65535})]
Texts = Annotated[list[Annotated[str, Field(min_length=1)]], listed]
_Reference = Annotated[str, Field(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.*\S.*)$", examples=["env:PASSWORD"])]
Secret = Annotated[SecretRef, BeforeValidator(read_secret, json_schema_input_type=_Reference)]
User = Annotated[str, AfterValidator(check_user)]
Address = Annotated[str, AfterValidator(check_address)]
Timeout = Annotated[float, Field(gt=0, le=3600)]


class Settings(FileModel):
    """What defaults, groups and hosts can say alike. A host's own word wins over its groups', theirs over defaults."""

    familiar = _FAMILIAR

    port: Annotated[Port | Unset, Field(description="Port of the SSH server; 22 when nothing is said.")] = None
    user: Annotated[User | Unset, Field(description="User to log in as.")] = None
    connection: Annotated[
        Connection | Unset,
        Field(description="ssh (when nothing is said), local (this machine), or replay (saved evidence)."),
    ] = None
    identity: Annotated[
        Texts | Unset, Field(description="Private key files, tried in this order; relative to the inventory.")
    ] = None
    agent: Annotated[bool | Unset, Field(description="Also offer the keys of the running ssh-agent.")] = None
    password: Annotated[Secret | Unset, Field(description="Password as env:NAME or file:PATH, never itself.")] = None
    passphrase: Annotated[
        Secret | Unset, Field(description="Passphrase of the private keys as env:NAME or file:PATH.")
    ] = None
    known_hosts: Annotated[
        Texts | Unset, Field(description="Files of trusted host keys instead of ~/.ssh/known_hosts and the system's.")
    ] = None
    host_keys: Annotated[
        Literal["strict", "accept-new"] | Unset,
        Field(description="Unknown host keys: refused (strict, when nothing is said) or taken on trust and marked."),
    ] = None
    transport: Annotated[
        Client | Unset,
        Field(description="What speaks SSH: paramiko (when nothing is said), or openssh, the system's own ssh."),
    ] = None
    jump: Annotated[
        Texts | Unset,
        Field(description="Hosts of this inventory to go through, in this order; [] for none, whatever is inherited."),
    ] = None
    sudo: Annotated[bool | Unset, Field(description="Read as root through sudo -n: adds the owners of sockets.")] = None
    sudo_password: Annotated[
        Secret | Unset, Field(description="Password for sudo as env:NAME or file:PATH, sent only when asked.")
    ] = None
    namespaces: Annotated[
        bool | Unset,
        Field(description="Also read every other network namespace (containers), which needs root or sudo."),
    ] = None
    timeout: Annotated[Timeout | Unset, Field(description="Hard limit in seconds for the whole host; default 60.")] = (
        None
    )
    evidence: Annotated[
        str | Unset, Field(min_length=1, description="Evidence file to read with connection: replay.")
    ] = None
    labels: Annotated[
        dict[str, str] | Unset, Field(description="Free words about a host, for policies and limits.")
    ] = None


class GroupFile(Settings):
    """A group: settings for its hosts, and the groups it is part of."""

    groups: Annotated[Texts | Unset, Field(description="Groups this one is part of; its own settings win.")] = None


class HostFile(Settings):
    """A host, or every host of a range."""

    address: Annotated[
        Address | Unset, Field(description="Name or IP address to connect to, when it is not the host's name.")
    ] = None
    groups: Annotated[Texts | Unset, Field(description="Groups of the host; of two that differ, the later wins.")] = (
        None
    )


class InventoryFile(FileModel):
    """An inventory: which hosts there are, how to reach them and what to call them."""

    may_be_empty = frozenset({"hosts"})
    familiar = {"all": "as groups and hosts, without all", "vars": "defaults"}

    version: Annotated[Literal[1], Field(description="Version of this format: 1.")]
    defaults: Annotated[Settings | Unset, Field(description="Settings of every host.")] = None
    groups: Annotated[
        dict[str, GroupFile | None] | Unset,
        Field(description="Groups by name. When this section stands, every group must be in it."),
    ] = None
    hosts: Annotated[
        dict[str, HostFile | None] | Unset,
        Field(description="Hosts by name; web-[01:20].example.com is twenty hosts."),
    ] = None
