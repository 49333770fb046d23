"""What ssh_config allows and what is known of a host's keys, in; the algorithms to offer it, out.

Everything sound that paramiko speaks, fastest first. Left out: CBC and 3DES (CVE-2023-48795 needs CBC with EtM), MD5
and SHA-1, and diffie-hellman-group-exchange, where the server picks the prime: 8192 bits cost this process seconds
during which no other host is served. ssh_config can take from these lists, and never adds to them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.errors import TransportError
from auditor.model.host import SshOptions
from auditor.transport.certificate import SUFFIX

CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
KEX = (
    "mlkem768x25519-sha256",
    "curve25519-sha256@libssh.org",
    "curve25519-sha256",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
)
HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)
HOST_CERTIFICATES = tuple(name + SUFFIX for name in HOST_KEYS)


@dataclass(frozen=True, slots=True)
class Algorithms:
    """What to offer, the preferred first: four lists of SSH_MSG_KEXINIT (RFC 4253 §7.1)."""

    kex: tuple[str, ...] = KEX
    host_keys: tuple[str, ...] = HOST_KEYS
    ciphers: tuple[str, ...] = CIPHERS
    macs: tuple[str, ...] = MACS


def choose_algorithms(options: SshOptions, stored: Sequence[str] = (), *, authority: bool = False) -> Algorithms:
    """Return what to offer a host that has keys of the types `stored`, and an `authority` for certificates, on file.

    Raises TransportError (kex, no-common-algorithms) when ssh_config leaves nothing of a list.
    """
    return Algorithms(
        kex=_allow("KexAlgorithms", KEX, options.kex_algorithms),
        host_keys=_allow("HostKeyAlgorithms", order_host_keys(stored, authority), options.host_key_algorithms),
        ciphers=_allow("Ciphers", CIPHERS, options.ciphers),
        macs=_allow("MACs", MACS, options.macs),
    )


def _allow(keyword: str, ours: tuple[str, ...], allowed: Sequence[str]) -> tuple[str, ...]:
    if not allowed:
        return ours
    common = tuple(name for name in ours if name in allowed)
    if common:
        return common
    raise TransportError(
        "kex",
        "no-common-algorithms",
        f"ssh_config allows only {', '.join(allowed)} as {keyword}; we use {', '.join(ours)}",
        f"allow one of ours in {keyword} for this host; weaker ones are not spoken on purpose",
    )


def order_host_keys(stored: Sequence[str], authority: bool = False) -> tuple[str, ...]:
    """Return the host key algorithms to offer: those that can be checked first, so that no other key is shown.

    As order_hostkeyalgs() in OpenSSH's sshconnect.c, but certificates are asked for only when an authority is known.
    """
    known = tuple(name for name in HOST_KEYS if _type_of(name) in stored)
    others = tuple(name for name in HOST_KEYS if name not in known)
    return (*(HOST_CERTIFICATES if authority else ()), *known, *others)


def _type_of(algorithm: str) -> str:
    """Return the type of the key that an algorithm signs with (RFC 8332: one RSA key, several signatures)."""
    return "ssh-rsa" if algorithm.startswith("rsa-sha2-") else algorithm
