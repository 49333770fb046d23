"""Where a run's evidence is, by its folder, a report of it, or its own name."""

from pathlib import Path

import pytest

from auditor.cli.evidence_place import find_evidence
from auditor.errors import EvidenceError
from tests.cli.program import closing, netaudit
from tests.cli.replays import make_fleet

NAME = "evidence.jsonl.gz"


@pytest.mark.parametrize("named", ["", "report.json", "other.json"])
def test_a_folder_and_a_report_mean_the_evidence_there(named: str, tmp_path: Path) -> None:
    (tmp_path / NAME).touch()
    assert find_evidence(tmp_path / named) == tmp_path / NAME


def test_evidence_that_is_not_finished_is_taken_where_there_is_no_other(tmp_path: Path) -> None:
    part = tmp_path / f"{NAME}.part"
    part.touch()
    assert find_evidence(tmp_path) == part
    (tmp_path / NAME).touch()
    assert find_evidence(tmp_path) == tmp_path / NAME
    assert find_evidence(tmp_path, unfinished_first=True) == part


def test_evidence_may_be_called_anything(tmp_path: Path) -> None:
    odd = tmp_path / "odd.json"
    odd.write_bytes(b"\x1f\x8b")
    assert find_evidence(odd) == odd
    assert find_evidence(tmp_path / "none.gz") == tmp_path / "none.gz"


def test_a_folder_without_evidence_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvidenceError, match=rf"{tmp_path} holds no {NAME}"):
        find_evidence(tmp_path)


def test_a_run_is_checked_by_its_folder_or_its_report(tmp_path: Path) -> None:
    site = make_fleet(tmp_path, ["web-1"])
    assert netaudit("run", "inventory.yaml", "--output-dir", "r", cwd=site).returncode in {0, 1}
    by_file = netaudit("check", f"r/{NAME}", "-o", "json=a.json", cwd=site)
    for target in ("r", "r/report.json"):
        checked = netaudit("check", target, "-o", "json=b.json", cwd=site)
        assert closing(checked) == closing(by_file)
        assert (site / "b.json").read_bytes() == (site / "a.json").read_bytes()
