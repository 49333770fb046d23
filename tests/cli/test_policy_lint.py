"""`netaudit policy lint`: warnings on standard output with a caret, and the exit codes."""

from pathlib import Path

import pytest

from tests.cli.program import ROOT, closing, netaudit, write_files

INVENTORY = "version: 1\nhosts: {a: {groups: [web]}}\n"


def test_the_shipped_policies_have_nothing_to_answer_for() -> None:
    result = netaudit("policy", "lint", cwd=ROOT)
    assert (result.returncode, result.stdout) == (0, "")


def test_warnings_and_policies_are_counted(tmp_path: Path) -> None:
    opened = "version: 1\npolicy: {}\nallow:\n  - {{service: postgresql}}\n"
    write_files(tmp_path, d_p__yaml=opened.format("p"), d_q__yaml=opened.format("q"), r__yaml="version: 1\npolicy: r\n")
    assert closing(netaudit("policy", "lint", "d", cwd=tmp_path)) == "exit 1: 2 warnings in 2 policies"
    assert closing(netaudit("policy", "lint", "r.yaml", cwd=tmp_path)) == "exit 0: nothing to say about 1 policy"


def test_a_warning_shows_its_line(tmp_path: Path) -> None:
    write_files(tmp_path, p__yaml="version: 1\npolicy: p\nallow:\n  - {service: postgresql}\n")
    result = netaudit("policy", "lint", "p.yaml", cwd=tmp_path)
    assert result.stdout.splitlines() == [
        "p.yaml:4:15: warning: allow-postgresql opens 5432 (PostgreSQL) at every address of the host [bind-missing]",
        "    - {service: postgresql}",
        "                ^",
        "  hint: say where: `bind: private`; or `bind: any` when that is meant",
    ]
    assert (result.returncode, closing(result)) == (1, "exit 1: 1 warning in 1 policy")


@pytest.mark.parametrize(("group", "code"), [("web", 0), ("wbe", 1)])
def test_an_inventory_says_which_names_there_are(group: str, code: int, tmp_path: Path) -> None:
    policy = f"version: 1\npolicy: p\napplies_to: {{groups: [{group}]}}\n"
    write_files(tmp_path, policies_p__yaml=policy, i__yaml=INVENTORY)
    assert netaudit("policy", "lint", "-i", "i.yaml", cwd=tmp_path).returncode == code


def test_what_a_run_would_refuse_is_an_error(tmp_path: Path) -> None:
    write_files(tmp_path, p__yaml="version: 1\npolicy: p\nallow:\n  - {port: 22:22}\n")
    result = netaudit("policy", "lint", "p.yaml", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("p.yaml:4:12: error: 22:22 is neither a port nor a range")
