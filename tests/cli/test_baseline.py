"""`netaudit baseline`: from evidence or a report of this machine to a policy that this machine passes."""

import gzip
import json
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


@pytest.mark.parametrize("source", ["run/evidence.jsonl.gz", "run/report.json", "run"])
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


def test_evidence_that_was_cut_off_says_that_hosts_may_be_missing(site: Path, tmp_path: Path) -> None:
    whole = gzip.decompress((site / "run/evidence.jsonl.gz").read_bytes())
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"".join(whole.splitlines(keepends=True)[:-1])))
    result = netaudit("baseline", "cut.gz", cwd=tmp_path)
    assert result.returncode == 0
    assert "cut.gz: the run was interrupted or its evidence is cut off, and hosts may be missing" in closing(result)
    report = json.loads((site / "run/report.json").read_text())
    (tmp_path / "cut.json").write_text(json.dumps(report | {"run": report["run"] | {"partial": True}}))
    assert "cut.json: the run was interrupted" in closing(netaudit("baseline", "cut.json", cwd=tmp_path))
    assert "missing" not in closing(netaudit("baseline", "run", cwd=site))
