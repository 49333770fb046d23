"""Evidence files: what a run gathered, kept so that it can be judged again without the hosts.

`evidence.jsonl.gz` holds one JSON value a line: an EvidenceHeader, an Evidence for each host in the order in which they
finished, an EvidenceFooter. The bytes depend on nothing but the values (the gzip header carries no time and no name).

While a run is at work the file is called `….part`, and every host is on the disk as soon as it was added: a run that is
killed loses those it was busy with. What is cut off is read up to its last whole host.
"""

import errno
import gzip
import json
import os
import tempfile
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BufferedReader, RawIOBase
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from auditor.errors import EvidenceError, OutputError
from auditor.model.host import Host, SshOptions
from auditor.model.transcript import Evidence, EvidenceFooter, EvidenceHeader, Transcript
from auditor.model.value import Value
from auditor.transport import MEBIBYTE

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TEMPORARY = ".netaudit-"
"""What the names of files begin with that are not in their place yet; a killed run may leave them."""
MOST_LINE = 64 * MEBIBYTE
"""One host. A byte takes at most 6 in JSON (`\\u0000`), so the largest output of ordinary text fits."""
MOST_TOTAL = 16 * 1024 * MEBIBYTE
_LEVEL = 3  # half the time of the usual 6, for files that are a seventh larger
_AHEAD = 64 * 1024  # bytes unpacked at a time: for 128 KiB, malloc(3) asks the kernel for new pages each time
_NEWER = "it was written by a newer netaudit: use that version to read it"
V = TypeVar("V", bound=Value)

_RERUN = "gather the evidence again with `netaudit collect`"


def strip_login(host: Host) -> Host:
    """Return the host without the ways to log in: evidence is passed around, and they are nobody's business."""
    return host.model_copy(
        update={
            "identity": (),
            "agent": False,
            "password": None,
            "passphrase": None,
            "known_hosts": (),
            "sudo_password": None,
            "ssh": SshOptions(),
        }
    )


PART = ".part"
"""What the name of an evidence file ends in while its run is at work, and for ever when that was killed."""


class EvidenceWriter:
    """Writes an evidence file beside its final name and moves it into place when it is whole.

    Until `settle` it does not take the place of what a killed run left there under the same name, because it may be
    what this one goes on from. Safe to use from several threads. Raises OutputError.
    """

    def __init__(self, path: Path, header: EvidenceHeader) -> None:
        self._path = path
        self.hosts = 0
        self._settled = False
        self._lock = threading.Lock()
        try:
            if path.exists() and not path.is_file():
                raise OSError(errno.EINVAL, "not a regular file")
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
        except OSError as error:
            raise self._failed(error) from error
        self._part = Path(name)  # made by mkstemp: mode 0600
        self._raw = os.fdopen(descriptor, "wb")
        self._file = gzip.GzipFile(filename="", mode="wb", compresslevel=_LEVEL, fileobj=self._raw, mtime=0)
        self._write(header)

    def append(self, evidence: Evidence) -> None:
        """Add one host, its login details removed."""
        kept = evidence.model_copy(update={"host": strip_login(evidence.host)})
        with self._lock:
            self.hosts += 1
            self._write(kept)

    @property
    def part(self) -> Path:
        """Where the evidence is until it is whole."""
        return self._path.with_name(self._path.name + PART)

    def settle(self) -> None:
        """Give the file its name of a run at work. Nothing of an earlier run is lost by that any more."""
        try:
            self._part.replace(self.part)
        except OSError as error:
            raise self._failed(error) from error
        self._part, self._settled = self.part, True

    def finish(self, *, partial: bool = False) -> None:
        """Write the footer and put the file into place, mode 0600, surviving a power cut."""
        with self._lock:
            self._write(EvidenceFooter(hosts=self.hosts, partial=partial))
            try:
                self._file.close()
                self._raw.flush()
                os.fsync(self._raw.fileno())
                self._raw.close()
                self._part.replace(self._path)
                _sync_directory(self._path.parent)
            except OSError as error:
                raise self._failed(error) from error

    def abandon(self) -> None:
        """Close the file, if `finish` has not; what holds no host, or has not been settled, is removed."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            self._raw.close()
        if not (self._settled and self.hosts):
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> "EvidenceWriter":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.abandon()

    def _write(self, value: Value) -> None:
        try:
            self._file.write(_encode(value) + b"\n")
            self._file.flush()  # zlib's Z_SYNC_FLUSH: whoever reads the file now gets this line whole
        except OSError as error:
            raise self._failed(error) from error

    def _failed(self, error: OSError) -> OutputError:
        return OutputError(f"cannot write {self._path}: {error.strerror}", "check the folder and the space left on it")


def _encode(value: Value) -> bytes:
    """Return one line. A host whose output outgrows a line in JSON is cut, and says so, as at the output cap."""
    line = value.model_dump_json().encode("utf-8")
    if len(line) < MOST_LINE or not isinstance(value, Evidence) or not isinstance(value.outcome, Transcript):
        return line
    cut = value.outcome.model_copy(update={"stdout": value.outcome.stdout[: MOST_LINE // 8], "cut": "output-cap"})
    return value.model_copy(update={"outcome": cut}).model_dump_json().encode("utf-8")


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class _Unpacked(RawIOBase):
    """A gzip file in larger pieces than `gzip` reads by itself; nothing is lost of what stands before a fault."""

    def __init__(self, file: gzip.GzipFile) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        data = self._file.read1(len(view))
        view[: len(data)] = data
        return len(data)


class EvidenceFile:
    """An open evidence file: `header`, then the hosts by iterating once.

    `partial` is final after the iteration: the run was interrupted, or the file is cut off after the last host.
    Raises EvidenceError, with file and line, for anything that is not evidence.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._line = 0
        self._size = 0
        self.partial = True
        try:
            self._file = gzip.GzipFile(path, "rb")  # closed by `close`, after the iteration
        except OSError as error:
            raise self._wrong(f"cannot read it: {error.strerror}", "check the path") from error
        self._unpacked = BufferedReader(_Unpacked(self._file), _AHEAD)
        try:
            self.header = self._read_header()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> "EvidenceFile":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self._file.close()

    def __iter__(self) -> Iterator[Evidence]:
        seen: set[str] = set()
        with self._file:
            while (line := self._read_line()) is not None:
                if _kind_of(line) == "netaudit.evidence-footer":
                    self._finish(self._decode(line, EvidenceFooter), len(seen))
                    return
                evidence = self._decode(line, Evidence)
                if evidence.host.name in seen:
                    raise self._wrong(f"the host {evidence.host.name} is in it twice", _RERUN)
                seen.add(evidence.host.name)
                yield evidence

    def _read_header(self) -> EvidenceHeader:
        line = self._read_line()
        if line is None:
            raise self._wrong("it is empty or cut off", _RERUN)
        if _kind_of(line) != "netaudit.evidence-header":
            raise self._wrong(
                "it is not netaudit evidence", "give a file written by `netaudit collect` or `netaudit run`"
            )
        return self._decode(line, EvidenceHeader)

    def _finish(self, footer: EvidenceFooter, hosts: int) -> None:
        if footer.hosts != hosts:
            raise self._wrong(f"its last line says {footer.hosts} hosts, but it holds {hosts}", _RERUN)
        size = self._size
        if self._read_line() is not None or self._size > size:
            raise self._wrong("it goes on after its last line", "give one run's evidence at a time, as it was written")
        self.partial = footer.partial

    def _read_line(self) -> bytes | None:
        """Return the next whole line; None at the end, and where the file was cut off."""
        self._line += 1
        try:
            line = self._unpacked.readline(MOST_LINE + 1)
        except EOFError:
            return None
        except gzip.BadGzipFile as error:
            raise self._wrong("it is not gzip, or damaged", _RERUN) from error
        except (OSError, zlib.error) as error:
            raise self._wrong(f"it is damaged: {error}", _RERUN) from error
        self._size += len(line)
        if len(line) > MOST_LINE:
            raise self._wrong(f"the line is longer than {MOST_LINE // MEBIBYTE} MiB", _RERUN)
        if self._size > MOST_TOTAL:
            raise self._wrong(f"it unpacks to more than {MOST_TOTAL // MEBIBYTE} MiB", _RERUN)
        return line if line.endswith(b"\n") else None

    def _decode(self, line: bytes, model: type[V]) -> V:
        try:
            return model.model_validate_json(line)
        except ValidationError as error:
            if _version_of(line) > 1:
                raise self._wrong("it has a format this version does not know", _NEWER) from error
            first = error.errors(include_url=False, include_input=False)[0]
            place = ".".join(str(part) for part in first["loc"][:4])
            raise self._wrong(f"{place}: {first['msg']}" if place else first["msg"], _RERUN) from error

    def _wrong(self, message: str, hint: str) -> EvidenceError:
        where = f"{self._path}:{self._line}" if self._line else str(self._path)
        return EvidenceError(f"{where}: {message}", hint)


def _kind_of(line: bytes) -> str:
    """Return the `kind` at the start of a line, where every value of ours has it; '' for anything else."""
    head = line[:200].decode("utf-8", "replace")
    prefix, _, rest = head.partition('{"kind":"')
    return rest.partition('"')[0] if rest and not prefix.strip() else ""


def _version_of(line: bytes) -> int:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return 0
    version = value.get("schema_version") if isinstance(value, dict) else None
    return version if isinstance(version, int) else 0


def read_evidence(path: Path) -> EvidenceFile:
    """Open an evidence file and check its header. Raises EvidenceError."""
    return EvidenceFile(path)
