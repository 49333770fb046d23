"""What the inventory says about logging in, in; credentials ready to use, out.

Every file is read and every secret resolved here, before anything is dialled: a mistake of ours must not cost a failed
login on the host. Keys are parsed once per run and shared (an encrypted key costs a key derivation each time).
No secret is ever part of a message or a repr.
"""

import errno
import os
import stat
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Literal, TypeVar

import paramiko
from paramiko.pkey import UnknownKeyType

from auditor.errors import TransportError
from auditor.model.host import Host, SecretRef
from auditor.transport.secret import resolve_secret

_MOST_AGENT_KEYS = 5
"""sshd's MaxAuthTries is 6 by default; each key offered counts."""
_AGENT_S = 3.0

Kind = Literal["publickey", "password"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Credential:
    """One way to log in; `label` names it in messages."""

    kind: Kind
    label: str
    key: paramiko.PKey | None = field(default=None, repr=False)
    secret: str = field(default="", repr=False)


class SharedAgentKey(paramiko.PKey):
    """A key in the ssh agent. One agent connection serves all threads, so signing takes turns."""

    def __init__(self, inner: paramiko.PKey, lock: threading.Lock) -> None:
        self._inner = inner
        self._lock = lock
        self.public_blob = None

    def asbytes(self) -> bytes:
        return self._inner.asbytes()

    def get_name(self) -> str:
        return self._inner.get_name()

    def can_sign(self) -> bool:
        return True

    def sign_ssh_data(self, data: bytes, algorithm: str | None = None) -> paramiko.Message:
        with self._lock:
            return self._inner.sign_ssh_data(data, algorithm)


class _Once:
    """Results of slow work by key, errors included: each is computed once per run, whoever asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._results: dict[object, object] = {}

    def get(self, key: object, compute: Callable[[], T]) -> T:
        with self._lock:
            if key not in self._results:
                try:
                    self._results[key] = compute()
                except TransportError as error:
                    self._results[key] = error
            result = self._results[key]
        if isinstance(result, TransportError):
            raise TransportError(result.phase, result.code, result.message, result.hint)
        return result  # type: ignore[return-value]  # stored under the same key by the same function


class KeyRing:
    """The credentials of a run."""

    def __init__(self) -> None:
        self._once = _Once()
        self._agent: paramiko.Agent | None = None
        self._agent_lock = threading.Lock()

    def credentials(self, host: Host) -> tuple[Credential, ...]:
        """Return the ways to log in to `host`, in the order to try. Raises TransportError (auth)."""
        found = [self._key_file(path, host.passphrase) for path in host.identity]
        if host.agent:
            found += self._once.get("agent", self._agent_keys)
        if host.password is not None:
            found.append(
                Credential("password", f"the password from {host.password}", secret=self._secret(host.password))
            )
        if not found:
            raise TransportError(
                "auth",
                "no-credentials",
                f"nothing to log in to {host.name} with",
                "set `identity: PATH`, `agent: true` or `password: env:NAME` for the host",
            )
        return tuple(found)

    def sudo_password(self, host: Host) -> bytes:
        """Return what to send when the host's sudo asks, b"" for nothing. Raises TransportError (auth)."""
        return b"" if host.sudo_password is None else self._secret(host.sudo_password).encode("utf-8")

    def _secret(self, ref: SecretRef) -> str:
        return self._once.get(("secret", ref.source, ref.name), lambda: resolve_secret(ref))

    def _key_file(self, path: str, passphrase: SecretRef | None) -> Credential:
        def load() -> Credential:
            secret = None if passphrase is None else resolve_secret(passphrase)
            return Credential("publickey", f"the key {path}", key=load_key(path, secret))

        return self._once.get(("key", path, str(passphrase)), load)

    def _agent_keys(self) -> list[Credential]:
        """Connect to the agent named by SSH_AUTH_SOCK, once, and return its first keys."""
        self._agent = _connect_to_agent()
        keys = self._agent.get_keys()[:_MOST_AGENT_KEYS]
        if not keys:
            raise _no_agent("the ssh agent is not running or holds no key")
        lock = self._agent_lock
        return [
            Credential("publickey", f"the agent's key {key.fingerprint}", key=SharedAgentKey(key, lock)) for key in keys
        ]

    def close(self) -> None:
        if self._agent is not None:
            self._agent.close()
            self._agent = None


def _connect_to_agent() -> paramiko.Agent:
    """Return the agent with its keys listed. An agent that hangs holds a thread, but nobody who waits here."""
    answers: SimpleQueue[paramiko.Agent | Exception] = SimpleQueue()
    given_up = threading.Event()

    def ask() -> None:
        try:
            agent = paramiko.Agent()
        except (paramiko.SSHException, OSError, EOFError) as error:
            answers.put(error)
            return
        answers.put(agent)
        if given_up.is_set():
            agent.close()

    threading.Thread(target=ask, name="netaudit-agent", daemon=True).start()
    try:
        answer = answers.get(timeout=_AGENT_S)
    except Empty:
        given_up.set()
        raise _no_agent(f"the ssh agent did not answer within {_AGENT_S:.3g} s") from None
    if isinstance(answer, Exception):
        raise _no_agent(f"the ssh agent does not answer: {answer}") from answer
    return answer


def _no_agent(message: str) -> TransportError:
    return TransportError("auth", "agent-unavailable", message, "check SSH_AUTH_SOCK and `ssh-add -l`")


def load_key(path: str, passphrase: str | None) -> paramiko.PKey:
    """Return the private key in `path`, with the certificate in `path`-cert.pub when there is one.

    Raises TransportError (auth): key-unreadable, key-exposed (others may read it), key-encrypted (no passphrase, or the
    wrong one).
    """
    try:
        _check_file(path)
        return _decode_key(path, passphrase)
    except OSError as error:
        message = f"cannot read the key {path}: {error.strerror}"
        raise TransportError("auth", "key-unreadable", message, "check its path and owner") from error
    except paramiko.PasswordRequiredException as error:
        hint = "set `passphrase: env:NAME` or `passphrase: file:PATH`, or use the ssh agent"
        raise TransportError("auth", "key-encrypted", f"the key {path} is encrypted", hint) from error
    except (paramiko.SSHException, UnknownKeyType, ValueError, TypeError, IndexError) as error:
        if passphrase is not None and _is_encrypted(path):
            hint = "check what `passphrase` refers to: `ssh-keygen -y -f KEY` asks for it"
            raise TransportError(
                "auth", "key-encrypted", f"the passphrase does not open the key {path}", hint
            ) from error
        message = f"the key {path} is not a private key this program can use (OpenSSH or PEM: Ed25519, ECDSA, RSA)"
        hint = "`ssh-keygen -p -f KEY` rewrites a PKCS#8 file; DSA, security-key and PuTTY files do not work"
        raise TransportError("auth", "key-unreadable", message, hint) from error


def _check_file(path: str) -> None:
    """Refuse what ssh refuses (sshkey_perm_ok in OpenSSH's authfile.c), and files whose reading might never end."""
    status = Path(path).stat()
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "not a regular file")
    if status.st_uid == os.geteuid() and status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        message = f"others may read or change the key {path} (mode {mode:04o})"
        raise TransportError("auth", "key-exposed", message, f"chmod 600 {path}")


def _decode_key(path: str, passphrase: str | None) -> paramiko.PKey:
    """Load a key, giving the passphrase only to a key that needs one."""
    try:
        return paramiko.PKey.from_path(path)
    except TypeError as error:
        if passphrase is None:
            raise paramiko.PasswordRequiredException("encrypted") from error
    return paramiko.PKey.from_path(path, passphrase.encode("utf-8"))  # type: ignore[arg-type]  # the stubs say str; cryptography, which it is handed to, takes bytes


def _is_encrypted(path: str) -> bool:
    try:
        paramiko.PKey.from_path(path)
    except TypeError:
        return True
    except (paramiko.SSHException, ValueError, IndexError, OSError):
        return False
    return False
