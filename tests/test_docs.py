"""The documents keep up with the code: paths exist, commands exist, the README stays short."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.reporters.json import load_report
from auditor.reporters.text import render_text

ROOT = Path(__file__).parents[1]
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_path_a_document_names_exists(document: Path) -> None:
    named = re.findall(r"`((?:auditor|tests|policies|reports/example|docs)/[\w./-]*)`", document.read_text())
    linked = re.findall(r"\]\((?!https?:|#)([^)#]+)", document.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []
    assert [path for path in linked if not (document.parent / path).exists()] == []


@pytest.mark.parametrize("document", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_a_document_names_exists(document: Path) -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "auditor", "--help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    commands = set(re.findall(r"^  ([\w-]+)", help_text.partition("Commands:")[2], re.MULTILINE))
    named = set(re.findall(r"(?:`|^\$ )netaudit ([a-z][a-z-]+)", document.read_text(), re.MULTILINE))
    assert named - commands == set()


def test_the_readme_stays_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def test_the_map_names_every_folder() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    places = [path for path in (ROOT / "auditor").iterdir() if (path / "__init__.py").exists()]
    assert [place.name for place in places if f"`auditor/{place.name}/`" not in text] == []


def test_the_readme_shows_real_output() -> None:
    report = load_report((ROOT / "reports/example/report.json").read_bytes(), "report.json")
    printed = render_text(report).decode().splitlines()
    block = (ROOT / "README.md").read_text().partition("$ netaudit run netaudit-demo/inventory.yaml\n")[2]
    shown = block.partition("\n…\n")[0].splitlines()
    assert len(shown) > 5
    assert printed[: len(shown)] == shown
