"""What the inventory and ssh_config say about logging in, in; credentials ready to use, out.

Every file is read and every secret resolved here, before anything is dialled: a mistake of ours must not cost a failed
login on the host. Keys are parsed once per run and shared (an encrypted key costs a key derivation each time).
No secret is ever part of a message or a repr.
"""

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Literal

import paramiko
from paramiko.pkey import PublicBlob

from auditor.errors import TransportError
from auditor.model.host import Host, SecretRef
from auditor.transport.certificate import read_certificate
from auditor.transport.once import Once
from auditor.transport.public_key import type_of
from auditor.transport.secret import resolve_secret
from auditor.transport.ssh_agent import Agent, SharedAgentKey, find_agent, no_agent
from auditor.transport.ssh_private_key import load_certificate, load_key, load_public

_MOST_TRIES = 6
"""sshd's MaxAuthTries is 6 by default; each key offered counts."""

Kind = Literal["publickey", "password"]


@dataclass(frozen=True, slots=True)
class Credential:
    """One way to log in; `label` names it in messages. `trouble` says why it cannot be tried, if it cannot."""

    kind: Kind
    label: str
    key: paramiko.PKey | None = field(default=None, repr=False)
    secret: str = field(default="", repr=False)
    trouble: str = ""


class KeyRing:
    """The credentials of a run. Safe to use from several threads."""

    def __init__(self) -> None:
        self._once = Once()
        self._agents: list[Agent] = []

    def credentials(self, host: Host) -> tuple[Credential, ...]:
        """Return the ways to log in to `host`, in the order to try, and those that had to be left out.

        As ssh: the keys of the identity files first, each after its certificates and by way of the agent when that has
        it; then what else the agent holds, unless IdentitiesOnly. Raises TransportError (auth) when there is none.
        """
        listed = self._agent_keys(host) if host.agent else ()
        found: list[Credential] = []
        errors: list[TransportError] = []
        for path in host.identity:
            try:
                found += self._identity(path, host, listed)
            except TransportError as error:
                errors.append(error)
                found.append(Credential("publickey", f"the key {path}", trouble=error.message))
        if not host.ssh.identities_only:
            found += _of_agent(listed, found)
        if host.password is not None:
            secret = self._secret(host.password)
            found.append(Credential("password", f"the password from {host.password}", secret=secret))
        if any(not credential.trouble for credential in found):
            return _cap(found)
        raise errors[0] if errors else _none_for(host)

    def sudo_password(self, host: Host) -> bytes:
        """Return what to send when the host's sudo asks, b"" for nothing. Raises TransportError (auth)."""
        return b"" if host.sudo_password is None else self._secret(host.sudo_password).encode("utf-8")

    def close(self) -> None:
        """Let go of the agents."""
        for agent in self._agents:
            agent.close()

    def _secret(self, ref: SecretRef) -> str:
        return self._once.get(("secret", ref.source, ref.name), lambda: resolve_secret(ref))

    def _agent_keys(self, host: Host) -> tuple[SharedAgentKey, ...]:
        """Return the keys of the host's agent. That it has none is an error only where nothing else logs in."""
        path = find_agent(host.ssh.identity_agent)
        try:
            return self._once.get(("agent", path), partial(self._ask_agent, path))
        except TransportError:
            if host.identity or host.password is not None:
                return ()
            raise

    def _ask_agent(self, path: str) -> tuple[SharedAgentKey, ...]:
        if not path:
            raise no_agent("there is no ssh agent")
        agent = Agent(path)
        self._agents.append(agent)
        keys = agent.list_keys()
        if not keys:
            raise no_agent("the ssh agent holds no key")
        return keys

    def _identity(self, path: str, host: Host, listed: Sequence[SharedAgentKey]) -> list[Credential]:
        """Return what an identity file gives: its certificates, then itself."""
        public = self._once.get(("public", path), partial(load_public, path)) if listed else None
        inner: paramiko.PKey | None = next((key for key in listed if key.blob == public), None)
        if inner is None:
            secret = host.passphrase
            inner = self._once.get(("key", path, str(secret)), partial(self._load_key, path, secret))
        label = f"the key {path}" if not isinstance(inner, SharedAgentKey) else f"the key {path}, by the agent"
        files = (*host.ssh.certificate_files, f"{path}-cert.pub")
        return [*self._certified(path, inner, files), self._share(("plain", path, label), label, inner)]

    @staticmethod
    def _load_key(path: str, passphrase: SecretRef | None) -> paramiko.PKey:
        # Not by self._secret: this runs within `Once.get`.
        return load_key(path, None if passphrase is None else resolve_secret(passphrase))

    def _certified(self, path: str, key: paramiko.PKey, files: Sequence[str]) -> list[Credential]:
        found = []
        for file in dict.fromkeys(files):
            blob = self._once.get(("certificate", file), partial(load_certificate, file))
            certificate = read_certificate(blob) if blob is not None else None
            if blob is None or certificate is None or certificate.plain != key.asbytes():
                continue
            label = f"the key {path} and its certificate {file}"
            found.append(self._share(("certified", path, file, type(key)), label, _certify(key, blob)))
        return found

    def _share(self, name: object, label: str, key: paramiko.PKey) -> Credential:
        return self._once.get(name, lambda: Credential("publickey", label, key=key))


def _certify(key: paramiko.PKey, certificate: bytes) -> paramiko.PKey:
    """Return the key as it logs in with a certificate; the key itself stays as it is."""
    if isinstance(key, SharedAgentKey):
        return key.certify(certificate)
    certified = copy.copy(key)
    certified.public_blob = PublicBlob(type_of(certificate), certificate)
    return certified


def _of_agent(listed: Sequence[SharedAgentKey], found: Sequence[Credential]) -> list[Credential]:
    """Return what the agent holds beyond the credentials found already."""
    known = {_offered(credential.key) for credential in found if credential.key is not None}
    return [Credential("publickey", key.label, key=key) for key in listed if _offered(key) not in known]


def _offered(key: paramiko.PKey) -> bytes:
    return key.asbytes() if key.public_blob is None else key.public_blob.key_blob


def _cap(found: Sequence[Credential]) -> tuple[Credential, ...]:
    """Leave out what sshd would hang up on: so many tries, and the password is one of them."""
    room = _MOST_TRIES - any(credential.kind == "password" for credential in found)
    capped = []
    for credential in found:
        usable = credential.kind == "publickey" and not credential.trouble
        if usable and room == 0:
            capped.append(replace(credential, trouble=f"sshd ends a connection after {_MOST_TRIES} tries"))
            continue
        room -= usable
        capped.append(credential)
    return tuple(capped)


def _none_for(host: Host) -> TransportError:
    return TransportError(
        "auth",
        "no-credentials",
        f"nothing to log in to {host.name} with",
        "set `identity: PATH`, `agent: true` or `password: env:NAME` for the host",
    )
