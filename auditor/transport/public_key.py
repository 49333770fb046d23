"""Public keys as bytes (RFC 4253 §6.6)."""

import base64
import hashlib


def fingerprint(blob: bytes) -> str:
    """Return `SHA256:…` of a public key as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def type_of(blob: bytes) -> str:
    """Return the type that a key's, a certificate's or a signature's bytes begin with; '' when they do not."""
    size = int.from_bytes(blob[:4], "big")
    return blob[4 : 4 + size].decode("ascii", "replace") if 0 < size <= min(64, len(blob) - 4) else ""


def write_public(blob: bytes) -> str:
    """Return `type base64`, as keys stand in known_hosts and .pub files."""
    return f"{type_of(blob)} {base64.b64encode(blob).decode('ascii')}"
