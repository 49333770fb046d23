"""A reference to a secret in, the secret out; and the moment to send one. No secret is ever part of a message."""

import errno
import os
import stat
from pathlib import Path

from auditor.errors import TransportError
from auditor.model.host import SecretRef

_MOST_BYTES = 64 * 1024


def resolve_secret(ref: SecretRef) -> str:
    """Return what a reference points to, without its final newline.

    Raises TransportError (auth): missing, empty, not UTF-8, or a file that others may read.
    """
    if ref.source == "env":
        value = os.environ.get(ref.name)
        if not value:
            hint = f"export {ref.name} before the run, or use `file:PATH`"
            raise TransportError("auth", "secret-missing", f"the environment variable {ref.name} is not set", hint)
        return value
    return _read_secret_file(ref.name)


def _read_secret_file(name: str) -> str:
    path = Path(name).expanduser()
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            data = file.read(_MOST_BYTES)
    except OSError as error:
        raise TransportError(
            "auth",
            "secret-missing",
            f"cannot read the secret file {name}: {error.strerror}",
            "check its path and owner",
        ) from error
    if stat.S_IMODE(mode) & 0o077:
        raise TransportError(
            "auth", "secret-exposed", f"others may read the secret file {name} (mode {stat.S_IMODE(mode):04o})",
            f"keep it in a file of its own, and chmod 600 {name}",
        )  # fmt: skip
    try:
        text = data.decode("utf-8").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise TransportError("auth", "secret-missing", f"the secret file {name} is not UTF-8 text") from error
    if not text:
        raise TransportError("auth", "secret-missing", f"the secret file {name} is empty", "write the secret into it")
    return text


class PasswordPrompt:
    """Watches a host's standard error for the line with which its sudo asks, and gives the password once.

    Nobody can guess the line, and nothing but sudo reads the input from then on: so the password never reaches a shell.
    What sudo asks after a wrong password stays unanswered: one attempt, not three, counts against the account.
    """

    def __init__(self, line: bytes, password: bytes) -> None:
        self._line = line
        self._password = password

    @property
    def awaited(self) -> bool:
        """Whether the input must stay open, for a password that may be asked for."""
        return bool(self._line and self._password)

    def answer(self, stderr: bytes | bytearray) -> bytes:
        """Return the line to send now, and b"" ever after."""
        if not self.awaited or self._line not in stderr:
            return b""
        line, self._password = self._password + b"\n", b""
        return line
