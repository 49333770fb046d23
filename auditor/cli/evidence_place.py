"""A path that a user named in, the evidence it means out."""

from pathlib import Path

from auditor.cli.outputs import EVIDENCE_NAME
from auditor.errors import EvidenceError
from auditor.transport.evidence import PART

_GZIP = b"\x1f\x8b"


def is_evidence(target: str | Path) -> bool:
    """Return whether `target` is a file as evidence is saved in."""
    try:
        with Path(target).open("rb") as file:
            return file.read(len(_GZIP)) == _GZIP
    except (OSError, ValueError):
        return False


def seek_evidence(target: str) -> Path | None:
    """Return the evidence that `target` is or, as the folder of a run, holds; None when it means something else."""
    folder = Path(target)
    names = (folder / EVIDENCE_NAME, folder / f"{EVIDENCE_NAME}{PART}") if folder.is_dir() else (folder,)
    return next(filter(is_evidence, names), None)


def find_evidence(path: Path, *, unfinished_first: bool = False) -> Path:
    """Return the evidence of a run's folder, or beside a report, or `path` itself. Raises EvidenceError.

    A run that is at work, or was killed, has evidence that is not finished; it may lie beside that of one before it.
    """
    if not path.is_dir() and (path.suffix != ".json" or is_evidence(path)):
        return path
    folder = path if path.is_dir() else path.parent
    names = (EVIDENCE_NAME, f"{EVIDENCE_NAME}{PART}")
    for name in reversed(names) if unfinished_first else names:
        if (folder / name).is_file():
            return folder / name
    raise EvidenceError(
        f"{folder} holds no {EVIDENCE_NAME}",
        "name the evidence itself, if it is elsewhere; a run gathers it unless -o leaves it out",
    )
