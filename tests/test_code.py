"""The rules of the house: format, lint, types and the direction of imports are tests like any other."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        pytest.param([BIN / "ruff", "format", "--check", "auditor", "tests"], id="format"),
        pytest.param([BIN / "ruff", "check", "auditor", "tests"], id="lint"),
        pytest.param([sys.executable, "-m", "mypy"], id="types"),
        pytest.param([BIN / "lint-imports"], id="imports"),
    ],
)
def test_the_code_keeps_the_rules(command: list[str]) -> None:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_suppression_has_its_reason_beside_it() -> None:
    bare = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (ROOT / "auditor").rglob("*.py")
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for mark in ("# noqa", "# type: ignore", "# pragma")
        if mark in line and not re.search(rf"{mark}(: [\w, -]+?)?(\[[\w, -]+])?(  #| -) \S", line)
    ]
    assert bare == []
