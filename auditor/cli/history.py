"""`reports/index.html`: the history of a folder of runs, written anew by every run."""

from pathlib import Path

from auditor.cli.outputs import write_file
from auditor.errors import OutputError
from auditor.model.report import AuditReport
from auditor.reporters import FORMATS
from auditor.reporters.history import render_history
from auditor.reporters.past_runs import Head, PastRun, read_head

TREND = 40
"""Runs looked at for a trend, the latest ones."""
_MOST = 4_000_000
"""Characters read of a report: its head is a dozen lines, and the hosts follow."""


def write_index(folder: Path) -> None:
    """Write the index of the runs in `folder`. Raises OutputError."""
    try:
        runs = [_read_run(path) for path in sorted(folder.iterdir()) if path.is_dir() and not path.is_symlink()]
    except OSError as error:
        raise OutputError(f"cannot list the runs in {folder}: {error.strerror or error}") from error
    write_file(folder / "index.html", render_history([run for run in runs if run is not None]))


def list_earlier(folder: Path, report: AuditReport) -> list[PastRun]:
    """Return the runs of the same inventory in `folder` that began before `report`'s; none if it cannot be read."""
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    except OSError:
        return []
    runs = [run for run in map(_read_run, paths[::-1]) if run is not None and _precedes(run, report)]
    return runs[:TREND]


def _precedes(run: PastRun, report: AuditReport) -> bool:
    own = report.run
    if run.head is None or run.head.run.inventory.path != own.inventory.path:
        return False
    return (run.head.run.started_at, run.head.run.id) < (own.started_at, own.id)


def _read_run(path: Path) -> PastRun | None:
    """Return a run; None for a folder that holds none."""
    page, data = (path / FORMATS[name].file_name for name in ("html", "json"))
    if not page.exists() and not data.exists():
        return None
    return PastRun(path.name, page.name if page.exists() else data.name, _read_head(data))


def _read_head(path: Path) -> Head | None:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return read_head(file.read(_MOST).splitlines())
    except OSError:
        return None
