"""Keys for the demo: host keys always the same, so that its reports are too, to the byte; a new client key each time.

Whoever holds the client key can have a demo server run a script as the user of the demo: it is never published.
"""

import hashlib
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat


def derive_host_key(name: str) -> Ed25519PrivateKey:
    """Return the demo's host key of this name. Its private part is public knowledge: sha256 of a fixed text."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"netaudit demo host key {name}".encode()).digest())


def make_client_key() -> Ed25519PrivateKey:
    """Return a new key nobody else knows."""
    return Ed25519PrivateKey.from_private_bytes(secrets.token_bytes(32))


def write_private(key: Ed25519PrivateKey) -> bytes:
    """Return the key as an OpenSSH private key file holds it, without a passphrase."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())


def write_public(key: Ed25519PrivateKey) -> str:
    """Return `ssh-ed25519 AAAA…`, as known_hosts has it."""
    return key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode("ascii")


def save_private(key: Ed25519PrivateKey, path: Path) -> None:
    """Write the key at `path`, readable by its owner alone from the first byte on."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600, exist_ok=False)
    path.write_bytes(write_private(key))
