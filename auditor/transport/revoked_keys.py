"""RevokedHostKeys of ssh_config(5): a file of public keys, one per line, that no host may show.

As sshkey_in_file() in OpenSSH's authfile.c reads it: a line that cannot be read makes the whole file useless, and then
no host it is meant for is talked to. Key revocation lists (KRL, ssh-keygen(1)) are not read here, which is said.
"""

import stat
from binascii import a2b_base64
from pathlib import Path

from auditor.errors import TransportError
from auditor.transport.public_key import type_of

_KRL = b"SSHKRL\n\0"
_MAX_BYTES = 64 * 1024 * 1024


def load_revoked(path: str) -> frozenset[bytes]:
    """Return the keys in a file, as bytes. Raises TransportError (hostkey) unless all of it was understood."""
    try:
        file = Path(path).expanduser()
        if not stat.S_ISREG(file.stat().st_mode):
            raise OSError("not a regular file")
        with file.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except (OSError, RuntimeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise _useless(path, f"cannot be read: {reason}") from error
    if data.startswith(_KRL):
        raise _useless(path, "is a key revocation list (KRL), which netaudit cannot read")
    if len(data) > _MAX_BYTES:
        raise _useless(path, f"is larger than {_MAX_BYTES // 2**20} MiB")
    return frozenset(
        _read_line(path, number, line) for number, line in enumerate(data.split(b"\n"), 1) if _counts(line)
    )


def _counts(line: bytes) -> bool:
    return bool(line.strip()) and not line.lstrip(b" \t").startswith(b"#")


def _read_line(path: str, number: int, line: bytes) -> bytes:
    fields = line.split(None, 2)
    try:
        blob = a2b_base64(fields[1], strict_mode=True)
    except (ValueError, IndexError):
        blob = b""
    if not blob or type_of(blob).encode() != fields[0]:
        raise _useless(path, f"holds no public key in line {number}")
    return blob


def _useless(path: str, what: str) -> TransportError:
    return TransportError(
        "hostkey",
        "revoked-keys-unreadable",
        f"the file of RevokedHostKeys {path} {what}",
        "without it a revoked key would pass: write it as public keys, one per line, or use `transport: openssh`",
    )
