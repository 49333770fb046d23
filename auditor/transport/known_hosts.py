"""OpenSSH known_hosts text in, an answer to "is this key this host's?" out.

Format and meaning: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT; lookups and verdicts are those of check_host_key() in
OpenSSH's sshconnect.c: the name looked up is `[name]:port` on a port other than 22, with the plain name as second
choice when nothing is on file for the first. A certificate counts when an @cert-authority line names the host and its
authority; failing that, the key in it is looked up like any other.
"""

import os
import re
import stat
from binascii import a2b_base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

from auditor.errors import Problem, TransportError
from auditor.transport.certificate import Certificate, read_certificate
from auditor.transport.hashed_names import HashedNames, read_hashed
from auditor.transport.public_key import fingerprint, type_of

Marker = Literal["", "revoked", "cert-authority"]
Trust = Literal["trusted", "unknown", "mismatch", "revoked", "certificate"]

DEFAULT_FILES = (
    "~/.ssh/known_hosts",
    "~/.ssh/known_hosts2",
    "/etc/ssh/ssh_known_hosts",
    "/etc/ssh/ssh_known_hosts2",
)
"""Where ssh(1) looks: UserKnownHostsFile and GlobalKnownHostsFile in ssh_config(5)."""

_MAX_BYTES = 256 * 1024 * 1024
_MARKERS: dict[str, Marker] = {"@revoked": "revoked", "@cert-authority": "cert-authority"}


class KnownKey(NamedTuple):
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
class Shown:
    """The key a server showed, as it stands in known_hosts, and the certificate it came in."""

    blob: bytes
    certificate: Certificate | None = None

    @property
    def key_type(self) -> str:
        return type_of(self.blob)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the files say about a key, and the lines that say so.

    mismatch: the keys they hold instead. certificate: the authorities they hold, and in `fault` why the certificate
    does not count. A trusted key's first line is an authority's when its certificate was accepted.
    """

    trust: Trust
    lines: tuple[KnownKey, ...] = ()
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """What a host is looked up by: `names` in the order to try, and the one its certificates are made out to."""

    names: tuple[str, ...]
    principal: str


def place_of(host: str, port: int, alias: str | None = None) -> Place:
    """Return what to look up; an alias (HostKeyAlias, ssh_config(5)) takes the place of name and port."""
    if alias is not None:
        return Place((alias.lower(),), alias.lower())
    host = host.lower()
    return Place((host,) if port == 22 else (f"[{host}]:{port}", host), host)


def read_shown(blob: bytes) -> Shown:
    """Return a server's key from its bytes, which may be a certificate."""
    certificate = read_certificate(blob)
    return Shown(blob) if certificate is None else Shown(certificate.plain, certificate)


def parse_known_hosts(text: str, file: str) -> tuple[list[KnownKey], list[Problem]]:
    """Read the lines of one file. A line that cannot be read is one problem and is otherwise ignored, as ssh does."""
    keys: list[KnownKey] = []
    problems: list[Problem] = []
    for number, line in enumerate(text.split("\n"), 1):
        stripped = line.strip()
        if not stripped or stripped[0] == "#":
            continue
        try:
            keys.append(_parse_line(stripped, file, number))
        except ValueError as error:
            hint = "fix or delete the line: `ssh-keygen -l -f FILE` shows which lines ssh can read"
            problems.append(Problem(file, number, 1, str(error), hint, line))
    return keys, problems


def _parse_line(line: str, file: str, number: int) -> KnownKey:
    """Return the key of a line. Raises ValueError, which says what is wrong with it."""
    marker: Marker = ""
    fields = line.split(None, 4)
    if line[0] == "@":
        if fields[0] not in _MARKERS:
            raise ValueError(f"unknown marker {fields[0]}")
        marker = _MARKERS[fields.pop(0)]
    if len(fields) < 3:
        raise ValueError("not a known_hosts line: expected names, key type and key")
    names, key_type, encoded = fields[:3]
    if names[0] == "|" and read_hashed(names) is None:
        raise ValueError("the hashed name is damaged")
    try:
        blob = a2b_base64(encoded, strict_mode=True)
    except ValueError:
        raise ValueError("the key is not base64") from None
    if not blob.startswith(_head(key_type)):
        raise ValueError(f"the key is not of the type its line says ({key_type})")
    return KnownKey(names, marker, key_type, blob, file, number)


@cache
def _head(key_type: str) -> bytes:
    """Return what the bytes of a key of this type begin with (RFC 4253 §6.6)."""
    word = key_type.encode("utf-8", "surrogateescape")
    return len(word).to_bytes(4, "big") + word


class KnownHosts:
    """An index: a lookup is a dict access; hashed names are tried only when that settles nothing.

    Safe to use from several threads.
    """

    def __init__(self, keys: Iterable[KnownKey], warnings: Sequence[Problem] = ()) -> None:
        self.warnings = tuple(warnings)
        self._plain: dict[str, list[KnownKey]] = {}
        self._patterns: list[tuple[tuple[tuple[bool, re.Pattern[str]], ...], KnownKey]] = []
        self._hashed: HashedNames[KnownKey] = HashedNames()
        self._marked: HashedNames[KnownKey] = HashedNames()
        for key in keys:
            names = key.names
            if names[0] == "|":
                (self._marked if key.marker else self._hashed).add(names, key.blob, key)
            elif "*" in names or "?" in names or "!" in names:
                self._patterns.append((_compile_patterns(names), key))
            else:
                for name in names.lower().split(","):
                    self._plain.setdefault(name, []).append(key)

    def key_types(self, place: Place) -> tuple[str, ...]:
        """Return the types of the keys stored under a place's first name: what to ask the server for.

        Of hashed lines it may be a guess where trying them all would take too long; `judge` makes it exact.
        """
        name = place.names[0]
        plain = tuple(dict.fromkeys(key.key_type for key in self._find_plain(name) if key.marker == ""))
        return plain or self._hashed.guess_types(name)

    def has_authority(self, place: Place) -> bool:
        """Return whether any @cert-authority line names the host."""
        return any(key.marker == "cert-authority" for name in place.names for key in self._find_marked(name))

    def judge(self, place: Place, shown: Shown, now: float) -> Ruling:
        """Return what the files say about the key a server showed for `place`; `now` in seconds since 1970.

        A revocation of the key or of the authority that signed it wins over other lines for the same name. Any other
        key on file for the name makes it a mismatch, whatever its type.
        """
        first, *others = place.names
        ruling = self._rule(first, place.principal, shown, now)
        if ruling.trust == "unknown" and others:
            second = self.judge(replace(place, names=tuple(others)), shown, now)
            if second.trust == "trusted":
                return second
            ruling = ruling if second.trust == "mismatch" else second
        elif ruling.trust in {"trusted", "revoked"}:
            return ruling
        if shown.certificate is None:
            return ruling
        plain = self.judge(place, Shown(shown.blob), now)
        return ruling if plain.trust == "unknown" else plain

    def _rule(self, name: str, principal: str, shown: Shown, now: float) -> Ruling:
        marked = self._find_marked(name)
        signer = shown.certificate.authority if shown.certificate else None
        revoked = tuple(key for key in marked if key.marker == "revoked" and key.blob in {shown.blob, signer})
        if revoked:
            return Ruling("revoked", revoked)
        if shown.certificate is not None:
            authorities = tuple(key for key in marked if key.marker == "cert-authority")
            return _rule_certificate(authorities, shown.certificate, principal, now)
        return self._rule_key(name, shown.blob)

    def _rule_key(self, name: str, blob: bytes) -> Ruling:
        stored = [key for key in self._find_plain(name) if key.marker == ""]
        same = [key for key in stored if key.blob == blob] or self._hashed.find(name, blob)
        if same:
            return Ruling("trusted", tuple(same))
        stored += self._hashed.find_all(name)
        return Ruling("mismatch", tuple(stored)) if stored else Ruling("unknown")

    def _find_plain(self, name: str) -> list[KnownKey]:
        return self._plain.get(name, []) + [key for patterns, key in self._patterns if _matches(patterns, name)]

    def _find_marked(self, name: str) -> list[KnownKey]:
        return [key for key in self._find_plain(name) if key.marker] + self._marked.find_all(name)


def _rule_certificate(
    authorities: tuple[KnownKey, ...], certificate: Certificate, principal: str, now: float
) -> Ruling:
    signers = tuple(key for key in authorities if key.blob == certificate.authority)
    if signers:
        fault = certificate.find_fault(principal, now)
        return Ruling("certificate", signers, fault) if fault else Ruling("trusted", signers)
    if authorities:
        signer = f"{type_of(certificate.authority)} {fingerprint(certificate.authority)}"
        return Ruling("certificate", authorities, f"it is signed by another authority, {signer}")
    return Ruling("unknown")


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
    for path in (path for path in paths if path != os.devnull):
        try:
            text = read_text(Path(path).expanduser())
        except FileNotFoundError as error:
            if optional:
                continue
            raise unreadable(path, error) from error
        except (OSError, RuntimeError) as error:
            raise unreadable(path, error) from error
        found, wrong = parse_known_hosts(text, path)
        keys += found
        problems += wrong
    return KnownHosts(keys, problems)


def read_text(path: Path) -> str:
    """Return the text of a file of keys. Raises OSError, also for what might never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError("not a regular file: reading it might never end")
    with path.open("rb") as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise OSError(f"larger than {_MAX_BYTES // 2**20} MiB")
    return data.decode("utf-8", "surrogateescape")


def unreadable(path: str, error: Exception) -> TransportError:
    """Return the failure of every host that a file of keys decides for."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return TransportError(
        "hostkey",
        "known-hosts-unreadable",
        f"cannot read known hosts {path}: {reason}",
        "without it no host key can be checked: correct the path or its permissions",
    )
