"""A folder with an inventory and a policy, and the command run in it as its user would."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
LOCAL = "version: 1\nhosts:\n  here: {connection: local}\n"
LENIENT = "version: 1\npolicy: lenient\ndefault: ignore\n"


def make_site(folder: Path) -> Path:
    """Put an inventory of this machine, and a policy that objects to nothing, into `folder`."""
    (folder / "inventory.yaml").write_text(LOCAL)
    (folder / "policies").mkdir()
    (folder / "policies" / "lenient.yaml").write_text(LENIENT)
    return folder


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def netaudit(*arguments: object, cwd: Path, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=cwd,
        env=environment(**more),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def start(*arguments: object, cwd: Path, **more: str) -> Iterator[subprocess.Popen[str]]:
    """Yield the command while it runs; ended, at the latest, when the block is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", *map(str, arguments)],
        cwd=cwd,
        env=environment(**more),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()
