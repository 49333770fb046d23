"""OpenSSH known_hosts text in, an answer to "is this key this host's?" out.

Format and meaning: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; lookups follow check_host_key() in OpenSSH's sshconnect.c:
the name looked up is the name dialled (the inventory's `address`), as `[name]:port` on a port other than 22 with the
plain name as second choice; @revoked counts under either, which is stricter than ssh. Host certificates are not
verified: an @cert-authority line never makes a key trusted.
"""

import base64
import hashlib
import hmac
import re
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from auditor.errors import Problem, TransportError

Marker = Literal["", "revoked", "cert-authority"]
Trust = Literal["trusted", "unknown", "mismatch", "revoked"]

DEFAULT_FILES = (
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
)
"""Where ssh(1) looks: UserKnownHostsFile and GlobalKnownHostsFile in ssh_config(5)."""

_MAX_BYTES = 256 * 1024 * 1024
_HASHED = re.compile(r"\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)", re.ASCII)


@dataclass(frozen=True, slots=True)
class KnownKey:
    """One line: who (`names`, as written), which key, and where it stands."""

    names: str
    marker: Marker
    key_type: str
    blob: bytes
    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.key_type} {fingerprint(self.blob)} at {self.file}:{self.line}"


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the files say about a key, and the lines that say so (mismatch: the keys they hold instead)."""

    trust: Trust
    lines: tuple[KnownKey, ...] = ()
    authorities: tuple[KnownKey, ...] = ()


def fingerprint(blob: bytes) -> str:
    """Return `SHA256:…` of a public key as `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")


def parse_known_hosts(text: str, file: str) -> tuple[list[KnownKey], list[Problem]]:
    """Read the lines of one file. A line that cannot be read is one problem and is otherwise ignored, as ssh does."""
    keys: list[KnownKey] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        parsed = _parse_line(stripped, file, number)
        if isinstance(parsed, KnownKey):
            keys.append(parsed)
        else:
            hint = "fix or delete the line: `ssh-keygen -l -f FILE` shows which lines ssh can read"
            problems.append(Problem(file, number, 1, parsed, hint, line))
    return keys, problems


def _parse_line(line: str, file: str, number: int) -> KnownKey | str:
    marker: Marker = ""
    fields = line.split(None, 4)
    if fields[0].startswith("@"):
        if fields[0] not in {"@revoked", "@cert-authority"}:
            return f"unknown marker {fields[0]}"
        marker = "revoked" if fields[0] == "@revoked" else "cert-authority"
        del fields[0]
    if len(fields) < 3:
        return "not a known_hosts line: expected names, key type and key"
    names, key_type, encoded = fields[:3]
    if names.startswith("|") and not _is_hashed_name(names):
        return "the hashed name is damaged"
    try:
        blob = base64.b64decode(encoded, validate=True)
    except ValueError:
        return "the key is not base64"
    size = int.from_bytes(blob[:4], "big")
    if len(blob) < 4 or blob[4 : 4 + size] != key_type.encode("ascii", "replace"):
        return f"the key is not of the type its line says ({key_type})"
    return KnownKey(names, marker, key_type, blob, file, number)


def _is_hashed_name(names: str) -> bool:
    hashed = _HASHED.fullmatch(names)
    try:
        return hashed is not None and all(base64.b64decode(part, validate=True) for part in hashed.groups())
    except ValueError:
        return False


class KnownHosts:
    """An index: a lookup is a dict access; hashed names are tried only when that settles nothing."""

    def __init__(self, keys: Iterable[KnownKey], warnings: Sequence[Problem] = ()) -> None:
        self.warnings = tuple(warnings)
        self._plain: dict[str, list[KnownKey]] = {}
        self._hashed: list[tuple[bytes, bytes, KnownKey]] = []
        self._patterns: list[tuple[tuple[tuple[bool, re.Pattern[str]], ...], KnownKey]] = []
        self._found_hashed: dict[str, list[KnownKey]] = {}
        for key in keys:
            self._index(key)
        self._hashed_revocations = any(key.marker == "revoked" for _, _, key in self._hashed)

    def _index(self, key: KnownKey) -> None:
        if hashed := _HASHED.fullmatch(key.names):
            self._hashed.append((base64.b64decode(hashed[1]), base64.b64decode(hashed[2]), key))
        elif any(sign in key.names for sign in "*?!"):
            self._patterns.append((_compile_patterns(key.names), key))
        else:
            for name in key.names.lower().split(","):
                self._plain.setdefault(name, []).append(key)

    def key_types(self, host: str, port: int) -> tuple[str, ...]:
        """Return the types of the keys stored for a host, in the order of their lines: what to ask the server for."""
        for name in _lookup_names(host, port):
            for find in (self._find_unhashed, self._find_hashed):
                if types := dict.fromkeys(key.key_type for key in find(name) if key.marker == ""):
                    return tuple(types)
        return ()

    def judge(self, host: str, port: int, blob: bytes) -> Ruling:
        """Return what the files say about the key a server at `host:port` showed.

        A revocation wins over everything. Any other key on file for the name makes it a mismatch, whatever its type.
        Only when nothing is known for `[name]:port` may a line for the plain name vouch for the key.
        """
        names = _lookup_names(host, port)
        revoked = tuple(key for name in names for key in self._find_revoked(name) if key.blob == blob)
        if revoked:
            return Ruling("revoked", revoked)
        first = self._rule(names[0], blob)
        if first.trust == "unknown" and len(names) > 1:
            second = self._rule(names[1], blob)
            if second.trust == "trusted":
                return second
            return Ruling("unknown", authorities=first.authorities + second.authorities)
        return first

    def _rule(self, name: str, blob: bytes) -> Ruling:
        stored = self._find_unhashed(name)
        if not any(key.blob == blob and key.marker == "" for key in stored):
            stored += self._find_hashed(name)
        ordinary = tuple(key for key in stored if key.marker == "")
        same = tuple(key for key in ordinary if key.blob == blob)
        if same:
            return Ruling("trusted", same)
        if ordinary:
            return Ruling("mismatch", ordinary)
        return Ruling("unknown", authorities=tuple(key for key in stored if key.marker == "cert-authority"))

    def _find_revoked(self, name: str) -> list[KnownKey]:
        stored = self._find_unhashed(name)
        if self._hashed_revocations:
            stored += self._find_hashed(name)
        return [key for key in stored if key.marker == "revoked"]

    def _find_unhashed(self, name: str) -> list[KnownKey]:
        return self._plain.get(name, []) + [key for patterns, key in self._patterns if _matches(patterns, name)]

    def _find_hashed(self, name: str) -> list[KnownKey]:
        """Return the hashed lines for `name` (HMAC-SHA1 of the name, hostfile.c), remembered for the run."""
        found = self._found_hashed.get(name)
        if found is None:
            wanted = name.encode("utf-8", "surrogateescape")
            found = [key for salt, digest, key in self._hashed if hmac.digest(salt, wanted, "sha1") == digest]
            self._found_hashed[name] = found
        return found


def _lookup_names(host: str, port: int) -> tuple[str, ...]:
    host = host.lower()
    return (host,) if port == 22 else (f"[{host}]:{port}", host)


def _compile_patterns(names: str) -> tuple[tuple[bool, re.Pattern[str]], ...]:
    """Return (negated, pattern) for each name of a list, `*` and `?` as in match_pattern() of OpenSSH's match.c."""
    compiled = []
    for name in names.lower().split(","):
        negated = name.startswith("!")
        body = re.sub(r"\*+", "*", name[1:] if negated else name)
        parts = (".*" if char == "*" else "." if char == "?" else re.escape(char) for char in body)
        compiled.append((negated, re.compile("".join(parts), re.DOTALL)))
    return tuple(compiled)


def _matches(patterns: tuple[tuple[bool, re.Pattern[str]], ...], name: str) -> bool:
    """Return whether a list names `name`: one entry must match, and no negated one."""
    hits = {negated for negated, pattern in patterns if pattern.fullmatch(name)}
    return hits == {False}


def load_known_hosts(paths: Sequence[str], *, optional: bool = False) -> KnownHosts:
    """Read and index files; `optional` ones may be absent.

    Raises TransportError (hostkey) for a file that cannot be read: it could hold the revocation that matters.
    """
    keys: list[KnownKey] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            text = _read(Path(path).expanduser())
        except FileNotFoundError as error:
            if optional:
                continue
            raise _unreadable(path, error) from error
        except (OSError, RuntimeError) as error:
            raise _unreadable(path, error) from error
        found, wrong = parse_known_hosts(text, path)
        keys += found
        problems += wrong
    return KnownHosts(keys, problems)


def _read(path: Path) -> str:
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a regular file: reading it might never end")
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise OSError(f"larger than {_MAX_BYTES // 2**20} MiB")
    return data.decode("utf-8", "surrogateescape")


def _unreadable(path: str, error: Exception) -> TransportError:
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return TransportError(
        "hostkey",
        "known-hosts-unreadable",
        f"cannot read known hosts {path}: {reason}",
        "without it no host key can be checked: correct the path or its permissions",
    )
