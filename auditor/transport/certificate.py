"""An OpenSSH certificate's bytes in, what it says and whether its authority really said so out.

Format: PROTOCOL.certkeys in the OpenSSH sources; checks as in sshkey_cert_check_host() of sshkey.c (OpenSSH 9.2).
"""

from dataclasses import dataclass
from typing import Literal, NoReturn

import paramiko
from paramiko.pkey import UnknownKeyType

from auditor.transport.public_key import type_of

SUFFIX = "-cert-v01@openssh.com"
AUTHORITY_SIGNATURES = {
    "ssh-ed25519": ("ssh-ed25519",),
    "ecdsa-sha2-nistp256": ("ecdsa-sha2-nistp256",),
    "ecdsa-sha2-nistp384": ("ecdsa-sha2-nistp384",),
    "ecdsa-sha2-nistp521": ("ecdsa-sha2-nistp521",),
    "ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256"),
}
"""By the type of an authority's key, how it may sign: the default of CASignatureAlgorithms, ssh_config(5)."""

_KEY_FIELDS = {"ssh-ed25519": 1, "ssh-rsa": 2} | {f"ecdsa-sha2-nistp{size}": 2 for size in (256, 384, 521)}
"""How many fields of a certificate are the public key itself."""
_MOST_PRINCIPALS = 256
"""SSHKEY_CERT_MAX_PRINCIPALS."""

Kind = Literal["user", "host"]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a certificate says. `plain` is the certified public key as it stands in known_hosts, of type `key_type`.

    `valid_after` and `valid_before` are seconds since 1970, the latter excluded. `authority` is the public key that
    signed, `options` the names of the critical ones. Nothing here is true before `check_signature` says so.
    """

    key_type: str
    plain: bytes
    kind: Kind
    key_id: bytes
    principals: tuple[bytes, ...]
    valid_after: int
    valid_before: int
    options: tuple[bytes, ...]
    authority: bytes
    signed: bytes
    signature: bytes

    def check_signature(self) -> bool:
        """Return whether the authority signed this, in a way that may be relied on today."""
        key_type, signed_by = type_of(self.authority), type_of(self.signature)
        if signed_by not in AUTHORITY_SIGNATURES.get(key_type, ()):
            return False
        try:
            key = paramiko.PKey.from_type_string(key_type, self.authority)
            return bool(key.verify_ssh_sig(self.signed, paramiko.Message(self.signature)))
        except (paramiko.SSHException, UnknownKeyType, ValueError, TypeError, IndexError):
            return False

    def find_fault(self, name: str, now: float) -> str:
        """Return why this does not vouch for the host `name` (in lower case) at `now` (seconds since 1970), or ''.

        Principals are compared literally: a `*` in one means a star. Without any it is good for every name.
        """
        if not self.check_signature():
            return "its signature is not the authority's, or of a kind that is no longer relied on"
        if self.kind != "host":
            return "it is a user's certificate, not a host's"
        if now < self.valid_after:
            return "it is not valid yet"
        if now >= self.valid_before:
            return "it has expired"
        if self.principals and name.encode("utf-8", "surrogateescape") not in self.principals:
            return f"it is for {_list(self.principals)}, not for {name}"
        return f"it demands {_list(self.options)}, which is not understood" if self.options else ""


def _list(words: tuple[bytes, ...]) -> str:
    shown = ", ".join(word[:80].decode("utf-8", "backslashreplace") for word in words[:4])
    return f"{shown} and {len(words) - 4} more" if len(words) > 4 else shown


def read_certificate(blob: bytes) -> Certificate | None:
    """Return what a certificate says; None: these bytes are no certificate of a type that is known here."""
    try:
        return _read(blob)
    except (ValueError, IndexError):
        return None


def _read(blob: bytes) -> Certificate:
    fields = _Fields(blob)
    cert_type = fields.text().decode("ascii")
    key_type = cert_type.removesuffix(SUFFIX)
    if key_type == cert_type:
        raise ValueError("not a certificate")
    fields.text()  # the nonce
    numbers = [fields.text() for _ in range(_KEY_FIELDS.get(key_type) or _unknown())]
    fields.number(8)  # the serial
    kind: Kind = "user" if (word := fields.number(4)) == 1 else "host" if word == 2 else _unknown()
    key_id, principals = fields.text(), tuple(_Fields(fields.text()).texts())
    valid_after, valid_before = fields.number(8), fields.number(8)
    options = tuple(_Fields(fields.text()).texts())[::2]
    fields.text()  # the extensions, which mean nothing for a host
    fields.text()  # reserved
    authority = fields.text()
    signed = blob[: fields.at]
    signature = fields.text()
    if len(principals) > _MOST_PRINCIPALS or fields.at != len(blob) or len(_Fields(signature).texts()) != 2:
        raise ValueError("too long")
    plain = b"".join(_pack(part) for part in (key_type.encode("ascii"), *numbers))
    return Certificate(
        key_type, plain, kind, key_id, principals, valid_after, valid_before, options, authority, signed, signature
    )


def _unknown() -> NoReturn:
    raise ValueError("not a certificate that is known here")


def _pack(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


class _Fields:
    """The fields of an SSH structure in order (RFC 4251 §5). Raises ValueError where it is cut off."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.at = 0

    def number(self, size: int) -> int:
        return int.from_bytes(self._take(size), "big")

    def text(self) -> bytes:
        return self._take(self.number(4))

    def texts(self) -> list[bytes]:
        found = []
        while self.at < len(self._data):
            found.append(self.text())
        return found

    def _take(self, size: int) -> bytes:
        piece = self._data[self.at : self.at + size]
        if len(piece) < size:
            raise ValueError("cut off")
        self.at += size
        return piece
