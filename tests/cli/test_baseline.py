"""`netaudit baseline`: from evidence or a report of this machine to a policy that this machine passes."""

from pathlib import Path

import pytest

from tests.cli.program import closing, netaudit, write_files

INVENTORY = "version: 1\nhosts: {here: {connection: local, groups: [web]}}\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("baseline")
    write_files(folder, inventory__yaml=INVENTORY, policies_p__yaml="version: 1\npolicy: p\ndefault: ignore\n")
    run = netaudit("run", "inventory.yaml", "--output-dir", "run", cwd=folder)
    assert run.returncode == 0, run.stderr
    return folder


@pytest.mark.parametrize("source", ["run/evidence.jsonl.gz", "run/report.json"])
def test_the_machine_passes_its_own_baseline(source: str, site: Path, tmp_path: Path) -> None:
    drawn = netaudit("baseline", source, "-o", tmp_path / "drawn", cwd=site)
    assert drawn.returncode == 0, drawn.stderr
    assert drawn.stderr.splitlines()[0] == f"wrote {tmp_path}/drawn/web.yaml"
    check = netaudit("check", "run/evidence.jsonl.gz", "-p", tmp_path / "drawn", cwd=site)
    assert check.returncode == 0, check.stdout


def test_standard_output_is_the_policy_and_nothing_else(site: Path, tmp_path: Path) -> None:
    result = netaudit("baseline", "run/evidence.jsonl.gz", "--group", "web", cwd=site)
    (tmp_path / "web.yaml").write_text(result.stdout)
    assert netaudit("policy", "lint", "web.yaml", cwd=tmp_path).returncode in (0, 1)
    assert closing(result).startswith("exit 0: ")


def test_nothing_is_overwritten(site: Path, tmp_path: Path) -> None:
    write_files(tmp_path, web__yaml="mine")
    result = netaudit("baseline", "run/evidence.jsonl.gz", "-o", tmp_path, cwd=site)
    assert (result.returncode, (tmp_path / "web.yaml").read_text()) == (2, "mine")
    assert "is already there" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["run/evidence.jsonl.gz", "--group", "db"], "no host of the group 'db' was read completely"),
        (["inventory.yaml"], "inventory.yaml"),
        (["nowhere.json"], "nowhere.json"),
    ],
)
def test_what_cannot_be_learned_from_is_an_error(arguments: list[str], told: str, site: Path) -> None:
    result = netaudit("baseline", *arguments, cwd=site)
    assert (result.returncode, result.stdout) == (2, "")
    assert told in result.stderr
