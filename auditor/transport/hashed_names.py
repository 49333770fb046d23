"""Names hashed as HashKnownHosts does it (hostfile.c in OpenSSH), found again without trying every line every time.

Each line has a salt of its own, so that a name can only be looked up by one HMAC-SHA1 per line. Two things keep a run
over thousands of hosts from spending minutes on that: whether a shown key is on file is asked only of the lines that
hold this key, and the types stored for a name are guessed when trying all lines has cost too much already.
"""

import hashlib
import hmac
import re
from binascii import a2b_base64
from typing import Any, Generic, NamedTuple, TypeVar

from auditor.transport.public_key import type_of

_HASHED = re.compile(r"\|1\|([A-Za-z0-9+/=]+)\|([A-Za-z0-9+/=]+)", re.ASCII)
_MOST_GUESSES = 500_000
"""HMACs spent per run to learn which types are stored for a name: less than a second."""
_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))  # RFC 2104
Line = TypeVar("Line")


class _Entry(NamedTuple, Generic[Line]):
    salt: bytes
    digest: bytes
    blob: bytes
    line: Line


def read_hashed(names: str) -> tuple[bytes, bytes] | None:
    """Return salt and digest of `|1|salt|digest`, None when that is not what it is."""
    hashed = _HASHED.fullmatch(names)
    try:
        return hashed and (a2b_base64(hashed[1], strict_mode=True), a2b_base64(hashed[2], strict_mode=True))
    except ValueError:
        return None


class HashedNames(Generic[Line]):
    """The hashed lines of a run's known_hosts files. Safe to use from several threads: at worst work is done twice."""

    def __init__(self) -> None:
        self._entries: list[_Entry[Line]] = []
        self._by_blob: dict[bytes, list[_Entry[Line]]] = {}
        self._found: dict[str, list[_Entry[Line]]] = {}
        self._prepared: list[tuple[Any, Any, _Entry[Line]]] = []
        self._types: set[str] = set()
        self._spent = 0

    def add(self, names: str, blob: bytes, line: Line) -> None:
        """Add a line whose `names` are hashed; `blob` is its key."""
        hashed = read_hashed(names)
        if hashed is not None:
            entry = _Entry(*hashed, blob, line)
            self._entries.append(entry)
            self._types.add(type_of(blob))
            self._by_blob.setdefault(blob, []).append(entry)

    def find(self, name: str, blob: bytes) -> list[Line]:
        """Return a line for `name` that holds this key, if there is one."""
        wanted = name.encode("utf-8", "surrogateescape")
        for entry in self._by_blob.get(blob, ()):
            if hmac.digest(entry.salt, wanted, "sha1") == entry.digest:
                return [entry.line]
        return []

    def find_all(self, name: str) -> list[Line]:
        """Return every line for `name`, whatever it takes; remembered for the run."""
        return [entry.line for entry in self._find_entries(name)]

    def guess_types(self, name: str) -> tuple[str, ...]:
        """Return the types of the keys stored for `name`: exact if that is known or cheap, else what is on file."""
        if name not in self._found:
            if self._spent + len(self._entries) > _MOST_GUESSES:
                return tuple(self._types) if len(self._types) == 1 else ()
            self._spent += len(self._entries)
        return tuple(dict.fromkeys(type_of(entry.blob) for entry in self._find_entries(name)))

    def _find_entries(self, name: str) -> list[_Entry[Line]]:
        found = self._found.get(name)
        if found is None:
            found = self._found[name] = self._try_all(name.encode("utf-8", "surrogateescape"))
        return found

    def _try_all(self, wanted: bytes) -> list[_Entry[Line]]:
        """Try every line. The halves of each HMAC that depend on the salt alone are computed once (RFC 2104, §4)."""
        if len(self._prepared) < len(self._entries):
            self._prepared = [(*_prepare(entry.salt), entry) for entry in self._entries]
        matching = []
        for inner, outer, entry in self._prepared:
            first, second = inner.copy(), outer.copy()
            first.update(wanted)
            second.update(first.digest())
            if second.digest() == entry.digest:
                matching.append(entry)
        return matching


def _prepare(salt: bytes) -> tuple[Any, Any]:
    padded = (hashlib.sha1(salt, usedforsecurity=False).digest() if len(salt) > _BLOCK else salt).ljust(_BLOCK, b"\0")
    return (
        hashlib.sha1(padded.translate(_INNER), usedforsecurity=False),
        hashlib.sha1(padded.translate(_OUTER), usedforsecurity=False),
    )
