"""Starting up stays light: what a command does not need, it does not import."""

import os
import subprocess
import sys

import pytest


def imported_by(*arguments: str) -> set[str]:
    """Return the top-level modules that `netaudit ARGUMENTS` imports."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "auditor", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        check=True,
    )
    lines = (line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:"))
    return {name.partition(".")[0] for name in lines}


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("version",), ("schema", "report")])
def test_help_and_schema_import_nothing_heavy(arguments: tuple[str, ...]) -> None:
    heavy = {
        "paramiko",
        "cryptography",
        "jinja2",
        "yaml",
        "rich",
    }  # typer itself imports pydantic where it is installed
    assert imported_by(*arguments) & heavy == set()
