"""The command line as its user meets it, in a folder of a test."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def netaudit(*arguments: object, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; its time stands still."""
    fixed = {"PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1767323045", **environment}
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **fixed},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def closing(result: subprocess.CompletedProcess[str]) -> str:
    """Return the last line on standard error, which says why."""
    return result.stderr.splitlines()[-1]


def write_files(folder: Path, **texts: str) -> None:
    """Write files named `web__yaml`, `tests_web__yaml`: an underscore for a slash, two for a dot."""
    for name, text in texts.items():
        path = folder / name.replace("__", ".").replace("_", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
