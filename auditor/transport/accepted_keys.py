"""Host keys taken on trust at first use (`accept-new`), kept in a known_hosts file of netaudit's own.

Never one of the user's files: a strict run does not read this one, so nothing that was merely seen once is ever taken
for what somebody vouched for. Several threads and several runs may add to it at the same time.
"""

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from auditor.errors import TransportError
from auditor.transport.known_hosts import KnownHosts, Place, Ruling, Shown, parse_known_hosts, read_text
from auditor.transport.public_key import write_public


def default_path() -> Path:
    """Return where the file is: in the user's state folder (XDG Base Directory Specification)."""
    state = os.environ.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else Path("~/.local/state").expanduser()
    return base / "netaudit" / "known_hosts"


class AcceptedKeys:
    """The file at `path`, which need not be there yet. Raises TransportError (hostkey) when it cannot be used."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._text = ""
        self._index = KnownHosts(())

    def key_types(self, place: Place) -> tuple[str, ...]:
        """Return the types of the keys accepted for a host so far."""
        with self._lock:
            return self._fresh().key_types(place)

    def accept(self, place: Place, shown: Shown, now: float) -> Ruling:
        """Return what the file says of a key; one for a host it does not know is added, and then trusted."""
        with self._lock, self._locked():
            ruling = self._fresh().judge(place, shown, now)
            if ruling.trust != "unknown":
                return ruling
            self._add(f"{place.names[0]} {write_public(shown.blob)}\n")
            return self._fresh().judge(place, shown, now)

    def close(self) -> None:
        """Have what was added survive a power cut."""
        with self._lock, suppress(OSError):
            if self._seen:
                descriptor = os.open(self.path, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)

    def _fresh(self) -> KnownHosts:
        """Return the index of the file as it is now; it is read again only when it has changed."""
        try:
            status = self.path.stat()
            seen: tuple[int, ...] = (status.st_ino, status.st_size, status.st_mtime_ns)
            if seen != self._seen:
                self._load(read_text(self.path), seen)
        except FileNotFoundError:
            self._load("", ())
        except OSError as error:
            raise self._failed("read", error) from error
        return self._index

    def _load(self, text: str, seen: tuple[int, ...]) -> None:
        keys, problems = parse_known_hosts(text, str(self.path))
        self._text, self._seen, self._index = text, seen, KnownHosts(keys, problems)

    def _add(self, line: str) -> None:
        """Put the file with one more line into the place of the old one, in one step."""
        text = self._text if self._text.endswith("\n") or not self._text else f"{self._text}\n"
        try:
            descriptor, part = tempfile.mkstemp(prefix=".known_hosts.", dir=self.path.parent)  # mode 0600
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="surrogateescape") as file:
                file.write(text + line)
            Path(part).replace(self.path)
        except OSError as error:
            raise self._failed("write", error) from error

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Keep other runs away from the file, by a lock beside it."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(self.path.with_name("known_hosts.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise self._failed("lock", error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _failed(self, what: str, error: OSError) -> TransportError:
        return TransportError(
            "hostkey",
            "accepted-keys-unusable",
            f"cannot {what} {self.path}, where new host keys are kept: {error.strerror or error}",
            "correct its permissions, or run without --accept-new-host-keys",
        )
