"""Where results go: `-o FORMAT[=PATH]`, the folder of a run, and files that are whole or not there at all."""

import os
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import OutputError, UsageError
from auditor.model.report import AuditReport
from auditor.reporters import FORMATS, render

DEFAULTS = ("html", "json", "evidence")
EVIDENCE_NAME = "evidence.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Output:
    """One result to write; `path` None is standard output."""

    format: str
    path: Path | None


def plan_outputs(specs: Sequence[str], folder: Path, formats: Sequence[str] = (*FORMATS, "evidence")) -> list[Output]:
    """Return what `-o` asks for; a format without a path goes to its usual name in `folder`, text to stdout.

    Raises UsageError for an unknown format, two results on standard output, or binary evidence there.
    """
    outputs = [_plan(spec, folder, formats) for spec in specs]
    on_stdout = [output.format for output in outputs if output.path is None]
    if len(on_stdout) > 1:
        raise UsageError(f"only one result can go to standard output, not {' and '.join(on_stdout)}", "give a =PATH")
    return outputs


def _plan(spec: str, folder: Path, formats: Sequence[str]) -> Output:
    format_name, _, target = spec.partition("=")
    if format_name not in formats:
        raise UsageError(f"unknown format '{format_name}'", f"formats: {', '.join(formats)}")
    if target == "-" or (not target and format_name == "text"):
        if format_name == "evidence":
            raise UsageError("evidence is compressed and does not go to standard output", "use -o evidence=PATH")
        return Output(format_name, None)
    if target:
        return Output(format_name, Path(target))
    name = EVIDENCE_NAME if format_name == "evidence" else FORMATS[format_name].file_name
    return Output(format_name, folder / name)


def write_report(report: AuditReport, outputs: Sequence[Output]) -> None:
    """Render and write every output but the evidence. Raises OutputError."""
    for output in outputs:
        if output.format == "evidence":
            continue
        data = render(report, output.format)
        if output.path is None:
            write_stdout(data)
        else:
            write_file(output.path, data)


def write_stdout(data: bytes) -> None:
    """Write bytes to standard output; a reader that has gone away (`| head`) is no error."""
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # Python would complain again when it flushes at exit (docs: signal, "Note on SIGPIPE").
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def write_file(path: Path, data: bytes) -> None:
    """Put `data` at `path` in one step, for its owner alone. Raises OutputError; an old file is then untouched."""
    try:
        make_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            Path(temporary).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(temporary).unlink()
            raise
    except OSError as error:
        raise OutputError(
            f"cannot write {path}: {error.strerror or error}",
            "choose another place: -o FORMAT=PATH or --output-dir",
        ) from error


def make_folder(path: Path) -> None:
    """Create a folder and its parents, private to their owner. Raises OutputError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot create {path}: {error.strerror or error}", "choose another --output-dir") from error


def point_latest(folder: Path) -> None:
    """Make `latest` beside the run's folder point to it. Raises OutputError."""
    link = folder.parent / "latest"
    temporary = folder.parent / f".latest.{os.getpid()}"
    try:
        with suppress(FileNotFoundError):
            temporary.unlink()
        temporary.symlink_to(folder.name)
        temporary.replace(link)
    except OSError as error:
        with suppress(OSError):
            temporary.unlink()
        raise OutputError(f"cannot point {link} to this run: {error.strerror or error}") from error
