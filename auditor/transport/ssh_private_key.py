"""A path in, the private key in it out, and the certificates that go with it.

OpenSSH and PEM files (PKCS#1, SEC 1, PKCS#8) with Ed25519, ECDSA or RSA keys. The passphrase is given only to a key
that needs one, and the key derivation is done once.
"""

import errno
import io
import os
import stat
from base64 import b64decode
from pathlib import Path

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from auditor.errors import TransportError
from auditor.transport.certificate import SUFFIX, read_certificate
from auditor.transport.public_key import type_of

_MOST_BYTES = 256 * 1024
_WRONG = (ValueError, TypeError, IndexError, UnsupportedAlgorithm, paramiko.SSHException)
Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def load_key(path: str, passphrase: str | None) -> paramiko.PKey:
    """Return the private key in `path`.

    Raises TransportError (auth): key-unreadable, key-exposed (others may read it), key-encrypted (no passphrase, or the
    wrong one).
    """
    try:
        data = _read_private(path)
    except OSError as error:
        message = f"cannot read the key {path}: {error.strerror}"
        raise TransportError("auth", "key-unreadable", message, "check its path and owner") from error
    if read_public(data) is not None:
        message = f"{path} is a public key, and its private half is not in the ssh agent"
        hint = "name the private key, or set `agent: true` and load it there with `ssh-add`"
        raise TransportError("auth", "key-unreadable", message, hint)
    try:
        return _to_paramiko(_decode(path, data, passphrase))
    except _WRONG as error:
        message = f"the key {path} is not a private key this program can use (OpenSSH or PEM: Ed25519, ECDSA, RSA)"
        hint = "DSA, security-key and PuTTY files do not work; `transport: openssh` uses whatever ssh can"
        raise TransportError("auth", "key-unreadable", message, hint) from error


def load_public(path: str) -> bytes | None:
    """Return the public key that goes with an identity file: the file itself, or the one beside it; None: neither."""
    for file in (Path(path), Path(f"{path}.pub")):
        try:
            found = read_public(_read_file(file))
        except (OSError, RuntimeError):
            continue
        if found is not None:
            return found
    return None


def load_certificate(path: str) -> bytes | None:
    """Return the user certificate in `path`; None: there is none that can be read."""
    try:
        blob = read_public(_read_file(Path(path).expanduser()))
    except (OSError, RuntimeError):
        return None
    return blob if blob is not None and type_of(blob).endswith(SUFFIX) and read_certificate(blob) is not None else None


def read_public(data: bytes) -> bytes | None:
    """Return the key or certificate of a .pub file's text, None when it is no such text."""
    fields = data.split(None, 2)
    try:
        blob = b64decode(fields[1], validate=True)
    except (ValueError, IndexError):
        return None
    return blob if blob and type_of(blob).encode() == fields[0] else None


def _read_private(path: str) -> bytes:
    """Refuse what ssh refuses (sshkey_perm_ok in OpenSSH's authfile.c)."""
    data = _read_file(Path(path))
    status = Path(path).stat()
    if read_public(data) is None and status.st_uid == os.geteuid() and status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        message = f"others may read or change the key {path} (mode {mode:04o})"
        raise TransportError("auth", "key-exposed", message, f"chmod 600 {path}")
    return data


def _read_file(path: Path) -> bytes:
    """Return what is in a file. Raises OSError, also for one whose reading might never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    with path.open("rb") as file:
        return file.read(_MOST_BYTES)


def _decode(path: str, data: bytes, passphrase: str | None) -> Private:
    try:
        return _load(data, None)
    except TypeError:
        pass  # cryptography's word for a passphrase that is missing
    if passphrase is None:
        hint = "set `passphrase: env:NAME` or `passphrase: file:PATH`, or use the ssh agent"
        raise TransportError("auth", "key-encrypted", f"the key {path} is encrypted", hint)
    try:
        return _load(data, passphrase.encode("utf-8"))
    except (ValueError, TypeError) as error:
        hint = "check what `passphrase` refers to: `ssh-keygen -y -f KEY` asks for it"
        message = f"the passphrase does not open the key {path}"
        raise TransportError("auth", "key-encrypted", message, hint) from error


def _load(data: bytes, passphrase: bytes | None) -> Private:
    openssh = b"-----BEGIN OPENSSH PRIVATE KEY-----" in data
    load = serialization.load_ssh_private_key if openssh else serialization.load_pem_private_key
    key = load(data, password=passphrase)
    if not isinstance(key, Private):
        raise ValueError("a key of another kind")
    return key


def _to_paramiko(key: Private) -> paramiko.PKey:
    if isinstance(key, rsa.RSAPrivateKey):
        return paramiko.RSAKey(key=key)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return paramiko.ECDSAKey(vals=(key, key.public_key()))
    form = serialization.PrivateFormat.OpenSSH
    text = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode("ascii")
    return paramiko.Ed25519Key(file_obj=io.StringIO(text))
