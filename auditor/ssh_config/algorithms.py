"""The lists of algorithms of ssh_config(5): `+` adds to OpenSSH's defaults, `-` takes from them, `^` puts in front.

As kex_assemble_names() in OpenSSH's kex.c. Names may hold wildcards; what OpenSSH does not know is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from auditor.ssh_config.patterns import matches_any

Names = tuple[str, ...]

_CERT = "-cert-v01@openssh.com"
_KEYS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
_SECURITY_KEYS = ("sk-ssh-ed25519", "sk-ecdsa-sha2-nistp256")
_RSA = ("rsa-sha2-512", "rsa-sha2-256")


@dataclass(frozen=True, slots=True, eq=False)
class Algorithms:
    """What an ssh(1) offers when nothing is configured, and all it knows, by keyword."""

    defaults: Mapping[str, Names]
    known: Mapping[str, Names]


_DEFAULTS: Mapping[str, Names] = {
    "kexalgorithms": (
        "mlkem768x25519-sha256",
        "sntrup761x25519-sha512",
        "sntrup761x25519-sha512@openssh.com",
        "curve25519-sha256",
        "curve25519-sha256@libssh.org",
        "ecdh-sha2-nistp256",
        "ecdh-sha2-nistp384",
        "ecdh-sha2-nistp521",
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group14-sha256",
    ),
    "hostkeyalgorithms": (
        *(f"{name}{_CERT}" for name in (*_KEYS, *_SECURITY_KEYS, *_RSA)),
        *_KEYS,
        *(f"{name}@openssh.com" for name in _SECURITY_KEYS),
        *_RSA,
    ),
    "ciphers": (
        "chacha20-poly1305@openssh.com",
        "aes128-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "aes128-ctr",
        "aes192-ctr",
        "aes256-ctr",
    ),
    "macs": (
        "umac-64-etm@openssh.com",
        "umac-128-etm@openssh.com",
        "hmac-sha2-256-etm@openssh.com",
        "hmac-sha2-512-etm@openssh.com",
        "hmac-sha1-etm@openssh.com",
        "umac-64@openssh.com",
        "umac-128@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-512",
        "hmac-sha1",
    ),
}
_MORE: Mapping[str, Names] = {
    "kexalgorithms": (
        "diffie-hellman-group1-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group-exchange-sha1",
    ),
    "hostkeyalgorithms": ("ssh-rsa", f"ssh-rsa{_CERT}", "ssh-dss", f"ssh-dss{_CERT}"),
    "ciphers": ("3des-cbc", "aes128-cbc", "aes192-cbc", "aes256-cbc"),
    "macs": (
        "hmac-sha1-96",
        "hmac-md5",
        "hmac-md5-96",
        "hmac-sha1-96-etm@openssh.com",
        "hmac-md5-etm@openssh.com",
        "hmac-md5-96-etm@openssh.com",
    ),
}
OPENSSH = Algorithms(_DEFAULTS, {keyword: (*names, *_MORE[keyword]) for keyword, names in _DEFAULTS.items()})
"""Those of OpenSSH 10."""


@lru_cache(maxsize=256)
def assemble(text: str, defaults: Names, known: Names) -> Names:
    """Return the list that `text` stands for; empty when it leaves nothing."""
    sign, names = (text[0], text[1:].split(",")) if text[:1] in {"+", "-", "^"} else ("", text.split(","))
    if sign == "-":
        return tuple(name for name in defaults if not matches_any(name, names))
    wanted = {"+": [*defaults, *names], "^": [*names, *defaults]}.get(sign, names)
    return tuple(dict.fromkeys(name for pattern in wanted for name in known if matches_any(name, (pattern,))))
