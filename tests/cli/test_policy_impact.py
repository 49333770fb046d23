"""`netaudit policy impact`: evidence of this machine, judged by two sets of policies."""

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.program import closing, netaudit, write_files

LENIENT = "version: 1\npolicy: p\ndefault: ignore\n"
STRICT = "version: 1\npolicy: p\napplies_to: {groups: [nobody]}\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("impact")
    inventory = "version: 1\nhosts: {here: {connection: local}}\n"
    write_files(folder, inventory__yaml=inventory, old_p__yaml=LENIENT, new_p__yaml=STRICT)
    assert netaudit("collect", "inventory.yaml", "-o", "e.jsonl.gz", cwd=folder).returncode == 0
    return folder


def test_a_host_that_newly_fails(site: Path) -> None:
    result = netaudit("policy", "impact", "old", "new", "--evidence", "e.jsonl.gz", cwd=site)
    assert result.stdout.startswith("## Policy impact: 1 of 1 host newly fail, 0 newly pass")
    assert "| `here` | – | compliant | incomplete |" in result.stdout
    assert (result.returncode, closing(result)) == (1, "exit 1: 1 of 1 host newly fail; findings newly fail: 0")


def test_a_run_is_named_by_its_folder_too(site: Path) -> None:
    (site / "run").mkdir()
    (site / "run" / "evidence.jsonl.gz").write_bytes((site / "e.jsonl.gz").read_bytes())
    result = netaudit("policy", "impact", "old", "new", "-e", "run", cwd=site)
    assert (result.returncode, closing(result)) == (1, "exit 1: 1 of 1 host newly fail; findings newly fail: 0")


def test_the_other_way_round_nothing_fails(site: Path) -> None:
    result = netaudit("policy", "impact", "new", "old", "-e", "e.jsonl.gz", "--json", cwd=site)
    found = json.loads(result.stdout)
    assert [(turn["host"], turn["after"]) for turn in found["turns"]] == [("here", "compliant")]
    assert (result.returncode, found["kind"]) == (0, "netaudit.policy-impact")


@pytest.mark.parametrize(
    "arguments", [("old", "nowhere", "-e", "e.jsonl.gz"), ("old", "new", "-e", "none.gz"), ("old", "new")]
)
def test_what_cannot_be_read_is_no_answer(arguments: tuple[str, ...], site: Path) -> None:
    result = netaudit("policy", "impact", *arguments, cwd=site)
    assert (result.returncode, result.stdout) == (2, "")


def test_evidence_that_was_cut_off_says_that_hosts_may_be_missing(site: Path, tmp_path: Path) -> None:
    whole = gzip.decompress((site / "e.jsonl.gz").read_bytes())
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"".join(whole.splitlines(keepends=True)[:-1])))
    result = netaudit("policy", "impact", "new", "old", "-e", tmp_path / "cut.gz", cwd=site)
    assert "**Hosts may be missing**" in result.stdout
    assert "the run was interrupted or its evidence is cut off, and hosts may be missing" in closing(result)
    found = netaudit("policy", "impact", "new", "old", "-e", tmp_path / "cut.gz", "--json", cwd=site)
    assert json.loads(found.stdout)["partial"] is True
