"""Where a run's files go, and that no two runs write there at the same time."""

import errno
import fcntl
import hashlib
import json
import os
import platform
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from pathlib import Path

from auditor.cli import log
from auditor.cli.clock import is_stopped, read_clock
from auditor.cli.operator import name_operator, show_command
from auditor.cli.outputs import Output, make_folder
from auditor.display import escape
from auditor.errors import OutputError, UsageError
from auditor.model.host import Inventory
from auditor.model.policy import PolicySet
from auditor.model.transcript import EarlierRun, EvidenceHeader
from auditor.transport.evidence import TEMPORARY

LOCK = ".netaudit.lock"
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS}


def open_run(
    inventory: Inventory, resumed: tuple[EarlierRun, ...] = (), policies: PolicySet | None = None
) -> EvidenceHeader:
    """Return what identifies a run that begins now; `policies` are those it will be judged by, if it will."""
    stopped = is_stopped()  # for output that is the same wherever it is made
    if stopped:
        log.warn("SOURCE_DATE_EPOCH stops the clock: no time in this run is real")
    started = read_clock()
    return EvidenceHeader(
        run_id=name_run(started, inventory.sha256),
        started_at=started,
        inventory_path=inventory.path,
        inventory_sha256=inventory.sha256,
        inventory_hosts=len(inventory.hosts) + len(inventory.others),
        chosen=len(inventory.hosts),
        policies_sha256="" if policies is None else hash_policies(policies),
        host_keys=inventory.weakest_host_keys,
        operator="" if stopped else name_operator(),
        command="" if stopped else show_command(),
        resumed=resumed,
    )


def hash_policies(policies: PolicySet) -> str:
    """Return the SHA-256 of which policies these are: their names and the bytes of all their files."""
    files = [(one.name, one.sha256, [included.sha256 for included in one.included]) for one in policies.policies]
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()


def name_run(started: datetime, inventory_sha256: str) -> str:
    """Return the name of a run: when it began, and six hex digits to tell apart runs of the same second."""
    seed = f"{started.isoformat()}|{inventory_sha256}".encode()
    return f"{started:%Y%m%dT%H%M%SZ}-{hashlib.sha256(seed).hexdigest()[:6]}"


def default_folder(header: EvidenceHeader) -> Path:
    """Return the folder of a run that was given none: beside the inventory."""
    return Path(header.inventory_path).parent / "reports" / header.run_id


@contextmanager
def occupy(folder: Path | None, outputs: Iterable[Output], run_id: str) -> Iterator[None]:
    """Have the places where a run writes step by step to itself until the block ends.

    These are its folder, if it has one and anything goes there, and evidence anywhere else. Raises UsageError when
    another run is at work there, OutputError when a place cannot be made.
    """
    paths = [(output.format, output.path) for output in outputs if output.path is not None]
    elsewhere = [path for name, path in paths if name == "evidence" and folder not in path.parents]
    with ExitStack() as locks:
        if folder is not None and any(folder in path.parents for _, path in paths):
            make_folder(folder)
            locks.callback(_remove_if_empty, folder)
            locks.enter_context(lock(folder / LOCK, folder, run_id))
        for path in elsewhere:
            make_folder(path.parent)
            locks.enter_context(lock(path.with_name(f".{path.name}.lock"), path, run_id))
        yield


@contextmanager
def lock(path: Path, place: Path, run_id: str) -> Iterator[None]:
    """Hold the lock file at `path`, which says who works in `place`, until the block ends or the process does.

    flock(2) goes with the process however that ends, so that a lock file without a holder is known for what it is.
    """
    descriptor = _acquire(path, place)
    if descriptor is None:
        yield
        return
    try:
        if left := os.read(descriptor, 4096):
            log.say("stale-lock", f"note: {_describe(left)} did not finish in {place}", "warning", path=str(place))
            _sweep(path.parent)
        _sign(descriptor, place, run_id)
        yield
    finally:
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _sign(descriptor: int, place: Path, run_id: str) -> None:
    """Write into a lock file whose it is. Raises OutputError."""
    mine = {
        "pid": os.getpid(),
        "host": platform.node(),
        "since": read_clock().isoformat(timespec="seconds"),
        "run": run_id,
    }
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(mine).encode(), 0)
    except OSError as error:
        raise OutputError(f"cannot write to {place}: {error.strerror}", "check the space left on it") from error


def check_unoccupied(folder: Path) -> None:
    """Raise UsageError when a run is at work in `folder`."""
    if (folder / LOCK).exists():
        descriptor = _acquire(folder / LOCK, folder)
        if descriptor is not None:
            os.close(descriptor)


def _acquire(path: Path, place: Path) -> int | None:
    """Return the locked file; None where the file system has no locks."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise OutputError(f"cannot write to {place}: {error.strerror}", "choose another place") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            holder = _describe(os.read(descriptor, 4096))
            os.close(descriptor)
            raise UsageError(
                f"{place} is in use: {holder} is at work there", "wait until it is done, or give another --output-dir"
            ) from None
        except OSError as error:
            os.close(descriptor)
            if error.errno in _NO_LOCKS:
                log.warn(f"the file system of {place} has no locks: make sure that no other run writes there")
                return None
            raise OutputError(f"cannot lock {path}: {error.strerror}", "choose another place") from error
        os.close(descriptor)  # its holder was done, and removed it, in the moment between open and flock


def _is_at(descriptor: int, path: Path) -> bool:
    with suppress(FileNotFoundError):
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    return False


def _describe(content: bytes) -> str:
    """Return `the run of process 17 on host admin-1, begun at …`, of whatever a lock file holds."""
    try:
        said = json.loads(content)
        words = f"the run of process {said['pid']} on {said['host']}, begun at {said['since']}"
    except (ValueError, KeyError, TypeError):
        return "another run"
    return escape(words, 300)


def _sweep(folder: Path) -> None:
    """Remove what a killed run left half written."""
    for path in folder.glob(f"{TEMPORARY}*"):
        with suppress(OSError):
            path.unlink()


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
