"""`-l` as its user meets it: several are one limit, and a variable or a file gives one."""

import json
from pathlib import Path

import pytest

from tests.cli.program import netaudit

FLEET = """\
version: 1
hosts:
  web-1: {connection: local, groups: [web], labels: {site: Ulm east}}
  web-2: {connection: local, groups: [web]}
  db-1: {connection: local, groups: [db]}
"""


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    (tmp_path / "inventory.yaml").write_text(FLEET)
    return tmp_path


def chosen(fleet: Path, *flags: str, **environment: str) -> list[str]:
    listed = netaudit("hosts", "inventory.yaml", *flags, "--json", cwd=fleet, **environment)
    assert listed.returncode == 0, listed.stderr
    return [host["name"] for host in json.loads(listed.stdout)]


@pytest.mark.parametrize(
    ("flags", "hosts"),
    [
        (("-l", "web-1", "-l", "db-1"), ["web-1", "db-1"]),
        (("-l", "db-1", "--limit", "web-1", "-l", "web-2"), ["web-1", "web-2", "db-1"]),
        (("-l", "web:!web-2", "-l", "db"), ["web-1", "db-1"]),
        (("-l", "web", "-l", "!web-2"), ["web-1"]),
    ],
)
def test_several_limits_are_one(fleet: Path, flags: tuple[str, ...], hosts: list[str]) -> None:
    assert chosen(fleet, *flags) == hosts


def test_one_that_is_empty_is_a_mistake(fleet: Path) -> None:
    result = netaudit("hosts", "inventory.yaml", "-l", "web", "-l", "", cwd=fleet)
    assert (result.returncode, "the limit is empty" in result.stderr) == (2, True)


def test_a_variable_and_a_file_give_one_limit(fleet: Path) -> None:
    assert chosen(fleet, NETAUDIT_LIMIT="site=Ulm east") == ["web-1"]
    assert chosen(fleet, NETAUDIT_LIMIT="web-2,db") == ["web-2", "db-1"]
    (fleet / "netaudit.toml").write_text('limit = "web:!web-1"\n')
    assert chosen(fleet) == ["web-2"]
    assert chosen(fleet, "-l", "db") == ["db-1"]
    assert chosen(fleet, NETAUDIT_LIMIT="db") == ["db-1"]


def test_every_command_with_a_limit_takes_several(fleet: Path) -> None:
    both = ("-l", "web-1", "-l", "db-1")
    collected = netaudit("collect", "inventory.yaml", *both, "-o", "e.gz", cwd=fleet)
    assert "exit 0: evidence of 2 of 2 hosts collected" in collected.stderr
    (fleet / "p.yaml").write_text("version: 1\npolicy: base\ndefault: deny\n")
    ran = netaudit("run", "inventory.yaml", *both, "-p", "p.yaml", "-o", "json=r.json", cwd=fleet)
    assert ran.returncode in {1, 3}, ran.stderr  # nothing is allowed here
    assert [host["name"] for host in json.loads((fleet / "r.json").read_text())["hosts"]] == ["db-1", "web-1"]
    asked = netaudit("services", "ssh", "-i", "inventory.yaml", *both, "--json", cwd=fleet)
    assert json.loads(asked.stdout)["hosts_read"] == 2
    for target in ("inventory.yaml", "e.gz"):
        shown = netaudit("netstat", target, "--limit", "web-1", "-L", "db-1", "-tln", "--json", cwd=fleet)
        assert (shown.returncode, '"web-1"' in shown.stdout, '"db-1"' in shown.stdout) == (0, True, True), shown.stderr
