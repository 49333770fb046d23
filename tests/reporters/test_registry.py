"""The formats: found by name, imported when asked for, the same bytes every time."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import auditor.reporters
from auditor.errors import UsageError
from auditor.reporters import FORMATS, render
from tests.reporters.fleet import hostile_fleet, mixed_fleet

FOLDER = Path(auditor.reporters.__file__).parent


def test_every_module_that_renders_is_a_format() -> None:
    rendering = {path.stem for path in FOLDER.glob("*.py") if "def render(report: AuditReport" in path.read_text()}
    assert rendering == {each.module.rpartition(".")[2] for each in FORMATS.values()}
    assert all(find_spec(each.module) is not None for each in FORMATS.values())


def test_every_format_has_its_own_file_and_a_line_about_it() -> None:
    assert len({each.file_name for each in FORMATS.values()}) == len(FORMATS)
    assert all(each.description and len(each.description) < 80 for each in FORMATS.values())


@pytest.mark.parametrize("name", FORMATS)
def test_equal_reports_give_equal_bytes(name: str) -> None:
    assert render(mixed_fleet(), name) == render(mixed_fleet(), name)


@pytest.mark.parametrize("name", FORMATS)
def test_no_hash_seed_shows(name: str) -> None:
    script = (
        "import sys; from auditor.reporters import render; from tests.reporters.fleet import mixed_fleet;"
        f"sys.stdout.buffer.write(render(mixed_fleet(), {name!r}))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=FOLDER.parents[1],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(FOLDER.parents[1])},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1


@pytest.mark.parametrize("name", FORMATS)
def test_any_report_can_be_rendered(name: str) -> None:
    assert render(hostile_fleet("\x00\x1b[2J\x9b\u202e\ud800{{7*7}}</script>'\"\n"), name)


def test_an_unknown_format_names_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        render(mixed_fleet(), "pdf")
    assert caught.value.message == "unknown format 'pdf'"
    assert caught.value.hint == f"formats: {', '.join(FORMATS)}"


def test_the_registry_imports_no_format() -> None:
    script = "import sys, auditor.reporters; print([m for m in sys.modules if m.startswith('auditor.reporters.')])"
    shown = subprocess.run(
        [sys.executable, "-c", script], cwd=FOLDER.parents[1], capture_output=True, check=True
    ).stdout
    assert shown.strip() == b"[]"
