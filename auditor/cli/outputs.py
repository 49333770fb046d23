"""Where results go: `-o FORMAT[=PATH]`, the folder of a run, and files that are whole or not there at all."""

import os
import tempfile
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from itertools import chain
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from auditor.cli.stdout import write_stdout
from auditor.errors import OutputError, UsageError
from auditor.model.report import AuditReport
from auditor.reporters import FOLDERS, FORMATS, check_format, render_folder, render_parts
from auditor.reporters.text import render_text
from auditor.transport.evidence import TEMPORARY

if TYPE_CHECKING:
    from auditor.reporters.brand import Brand
    from auditor.reporters.past_runs import PastRun

DEFAULTS = ("html", "json", "evidence")
EVIDENCE_NAME = "evidence.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Output:
    """One result to write; `path` None is standard output."""

    format: str
    path: Path | None


def plan_outputs(
    specs: Sequence[str], folder: Path, formats: Sequence[str] = (*FORMATS, *FOLDERS, "evidence")
) -> list[Output]:
    """Return what `-o` asks for; a format without a path goes to its usual name in `folder`, text to stdout.

    Raises UsageError for an unknown format, two results on standard output, or binary evidence there.
    """
    outputs = [_plan(spec, folder, formats) for spec in specs]
    on_stdout = [output.format for output in outputs if output.path is None]
    paths = [output.path for output in outputs if output.path is not None]
    if twice := sorted({str(path) for path in paths if paths.count(path) > 1}):
        raise UsageError(f"two results would be written to {twice[0]}", "give each a =PATH of its own")
    if len(on_stdout) > 1:
        raise UsageError(f"only one result can go to standard output, not {' and '.join(on_stdout)}", "give a =PATH")
    return outputs


def _plan(spec: str, folder: Path, formats: Sequence[str]) -> Output:
    format_name, _, target = spec.partition("=")
    if format_name not in formats:
        raise UsageError(f"unknown format '{format_name}'", f"formats: {', '.join(formats)}")
    if format_name in FORMATS:
        check_format(format_name)
    if target == "-" or (not target and format_name == "text"):
        if format_name == "evidence":
            raise UsageError("evidence is compressed and does not go to standard output", "use -o evidence=PATH")
        if format_name in FOLDERS:
            raise UsageError(f"{format_name} is a folder, not for standard output", f"use -o {format_name}=PATH")
        return Output(format_name, None)
    if target:
        return Output(format_name, Path(target))
    name = EVIDENCE_NAME if format_name == "evidence" else (FORMATS | FOLDERS)[format_name].file_name
    return Output(format_name, folder / name)


def choose_evidence(spec: str | None) -> Path | None:
    """Return where `collect -o [evidence=]PATH` puts the evidence, None for the usual place.

    Raises UsageError for another format: it would name a file like `html=report.html`.
    """
    name, equals, target = (spec or "").partition("=")
    if not equals or "/" in name:
        return Path(spec) if spec else None
    if name != "evidence":
        raise UsageError(
            f"collect writes evidence, not '{name}'",
            f"for a file with = in its name: -o ./{spec} or -o evidence={spec}",
        )
    return _plan(f"{name}={target}", Path(), ("evidence",)).path if target else None


def fetch_reporters(outputs: Sequence[Output]) -> None:
    """Begin to import what will render `outputs`: hosts let one wait longer than that takes."""
    known = FORMATS | FOLDERS
    modules = [known[output.format].module for output in outputs if output.format in known]
    with suppress(RuntimeError):  # there is no thread to be had: it is imported when it is needed, then
        Thread(target=_import, args=(modules,), daemon=True, name="netaudit-reporters").start()


def _import(modules: Sequence[str]) -> None:
    with suppress(ImportError):  # is raised again, and told, where the module is needed
        for module in modules:
            import_module(module)


def attempt(*steps: Callable[[], object]) -> list[OutputError]:
    """Do every step, whatever becomes of the others, and return what could not be written."""
    errors: list[OutputError] = []
    for step in steps:
        try:
            step()
        except OutputError as error:
            errors.append(error)
    return errors


def write_report(
    report: AuditReport,
    output: Output,
    color: bool = False,
    earlier: "Sequence[PastRun]" = (),
    csv_bom: bool = False,
    brand: "Brand | None" = None,
) -> None:
    """Render and write one output; evidence has been written already. Raises OutputError.

    `earlier` runs and the `brand` are for the formats that show them; `csv_bom` puts before CSV what tells Excel that
    it is UTF-8.
    """
    if output.format == "evidence":
        return
    if output.format in FOLDERS and output.path is not None:
        write_folder(output.path, render_folder(report, output.format, brand))
    elif output.format == "text" and output.path is None:
        write_stdout(render_text(report, color=color))
    else:
        mark = (BOM_UTF8,) if csv_bom and output.format == "csv" else ()
        parts = chain(mark, render_parts(report, output.format, earlier, brand))
        write_stdout(b"".join(parts)) if output.path is None else write_file(output.path, parts)


def write_folder(folder: Path, files: Iterable[tuple[str, bytes]]) -> None:
    """Write files into `folder`, each in one step; other files there are left alone. Raises OutputError."""
    for name, data in files:
        write_file(folder / name, data)


def write_file(path: Path, data: bytes | Iterable[bytes]) -> None:
    """Put `data`, or its pieces one after another, at `path` in one step, for its owner alone.

    Raises OutputError; an old file is then untouched.
    A device or a pipe (`/dev/null`, `/dev/stderr`) is written to, never replaced.
    """
    parts = (data,) if isinstance(data, bytes) else data
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(b"".join(parts))
            return
        make_folder(path.parent)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=TEMPORARY)
        try:
            with os.fdopen(handle, "wb") as file:
                file.writelines(parts)
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
