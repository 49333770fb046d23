"""Starting up stays light: what a command does not need, it does not import."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli import app

ROOT = Path(__file__).parents[2]


def imported_by(*arguments: str, codes: tuple[int, ...] = (0,)) -> set[str]:
    """Return the modules that `netaudit ARGUMENTS` imports, and the packages they are in."""
    result = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "auditor", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONWARNINGS": "error"},
        check=False,
    )
    assert result.returncode in codes, result.stderr[-2000:]
    lines = (line.rpartition("|")[2].strip() for line in result.stderr.splitlines() if line.startswith("import time:"))
    return {name for line in lines for name in (line, line.partition(".")[0])}


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


def test_the_help_reads_no_metadata_of_packages() -> None:
    assert imported_by("--help") & {"importlib.metadata", "importlib.resources", "email", "json", "tomllib"} == set()


def test_a_run_over_this_machine_imports_no_more_than_it_needs(tmp_path: Path) -> None:
    (tmp_path / "inventory.yaml").write_text("version: 1\nhosts:\n  here: {connection: local}\n")
    options = ("-p", str(ROOT / "policies"), "-o", f"json={tmp_path / 'r.json'}", "-q", "--no-owners")
    imported = imported_by("run", str(tmp_path / "inventory.yaml"), *options, codes=(0, 1, 3))
    assert "auditor.transport.local" in imported
    of_others = {"paramiko", "cryptography", "jinja2", "rich", "xlsxwriter"}
    of_ours = {"auditor.evaluate.explain", "auditor.diff", "auditor.reporters.html", "auditor.transport.ssh"}
    assert imported & (of_others | of_ours) == set()


def test_no_plugin_of_another_package_is_looked_for(tmp_path: Path) -> None:
    """pydantic loads every entry point of the group `pydantic` that it finds installed."""
    (tmp_path / "eager-1.dist-info").mkdir()
    (tmp_path / "eager-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: eager\nVersion: 1\n")
    (tmp_path / "eager-1.dist-info" / "entry_points.txt").write_text("[pydantic]\neager = eager:plugin\n")
    (tmp_path / "eager.py").write_text("raise SystemExit('a plugin was loaded')\n")
    (tmp_path / "inventory.yaml").write_text("version: 1\nhosts:\n  here: {connection: local}\n")
    result = subprocess.run(
        [sys.executable, "-m", "auditor", "hosts", str(tmp_path / "inventory.yaml")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}:{ROOT}"},
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "this machine" in result.stdout


def run_netaudit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "auditor", *arguments], capture_output=True, text=True, check=False)


def test_a_command_is_found_though_the_others_are_not_made() -> None:
    """`policy` is a group of its own, and a word that is no command is held against all of them."""
    listed = run_netaudit("--help").stdout
    for command in app.registered_commands:
        assert f"\n  {command.name} " in listed
        assert run_netaudit(str(command.name), "--help").returncode == 0, command.name
    assert run_netaudit("policy", "lint", "--help").returncode == 0
    wrong = run_netaudit("rnu", "inventory.yaml")
    assert wrong.returncode == 2
    assert "Did you mean 'run'?" in wrong.stderr


def test_the_end_is_the_end_of_the_process() -> None:
    """Nothing of Python runs after the last word: a thread of late hosts, ended by it, crashed one run in fifty."""
    lines = ("import atexit, sys", "atexit.register(print, 'late')", "sys.argv = ['netaudit', 'version']")
    code = "\n".join((*lines, "from auditor.cli import main", "main()"))
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith("netaudit ")
    assert "late" not in result.stdout


@pytest.mark.parametrize("words", [("--help",), ("run", "--help"), ("version",)])
def test_what_cannot_be_shown_is_said(words: tuple[str, ...]) -> None:
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    with Path("/dev/full").open("wb") as full:
        command = [sys.executable, "-m", "auditor", *words]
        result = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert result.returncode == 5
    assert result.stderr.splitlines()[-1] == "exit 5: cannot write to standard output: No space left on device"


def test_a_folder_that_is_gone_is_said(tmp_path: Path) -> None:
    here = 'mkdir gone && cd gone && rmdir ../gone && exec "$@"'
    command = ["sh", "-c", here, "sh", sys.executable, "-m", "auditor", "run", "inventory.yaml"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
    result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, env=environment, check=False)
    assert result.returncode == 2
    assert result.stderr.splitlines() == [
        "error: the folder you are in is not there any more",
        "  hint: go to another one",
        "exit 2: the folder you are in is not there any more; no host was contacted",
    ]
