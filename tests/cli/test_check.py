"""`netaudit check`: what a signal does to it between two hosts."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.offline import write_evidence, write_policy
from tests.cli.replays import make_fleet
from tests.cli.site import LENIENT, environment, netaudit

INTERRUPTING = """
import os
from auditor.cli import gate, main
from auditor.audit import judge_evidence

judged = []

def judge(*arguments):
    judged.append(judge_evidence(*arguments))
    if len(judged) == 3:
        os.kill(os.getpid(), int(os.environ["SIGNAL"]))
    return judged[-1]

gate.judge_evidence = judge
main()
"""
ARGUMENTS = ["check", "evidence.jsonl.gz", "-p", "policy.yaml", "-q", "-o", "json=report.json"]


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(tmp_path: Path, number: signal.Signals, code: int) -> None:
    """It ends after the host it is at, and what it has is told, as partial."""
    write_evidence(tmp_path / "evidence.jsonl.gz", 10)
    (tmp_path / "policy.yaml").write_text(write_policy(1_000))
    result = subprocess.run(
        [sys.executable, "-c", INTERRUPTING, *ARGUMENTS],
        cwd=tmp_path,
        env=environment(SIGNAL=str(int(number))),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == code, result.stderr
    assert f"exit {code}: interrupted after 3 hosts; " in result.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert [host["name"] for host in report["hosts"]] == [f"host-{at:05d}.example.com" for at in range(3)]
    assert (report["run"]["partial"], report["verdict"], report["exit"]["code"]) == (True, "fail", code)


def test_other_policies_than_the_runs_own_are_told(tmp_path: Path) -> None:
    """And the same ones give the same bytes, wherever their files are; a limit is told by both."""
    fleet = make_fleet(tmp_path, ["a", "b", "c"])
    run = netaudit("run", "inventory.yaml", "-l", "a", "-q", "--output-dir", "out", cwd=fleet)
    assert run.returncode in {0, 1}, run.stderr
    assert "2 of the inventory's 3 hosts were not chosen (--limit)" in run.stderr
    first = (fleet / "out/report.json").read_bytes()
    (fleet / "policies").rename(fleet / "elsewhere")
    netaudit("check", "out", "-p", "elsewhere", "-q", "-o", "json=same.json", cwd=fleet)
    same = json.loads((fleet / "same.json").read_text())
    assert same["run"]["judged_again"] is False
    assert json.loads(first.replace(b"policies/lenient.yaml", b"elsewhere/lenient.yaml")) == same
    (fleet / "elsewhere/lenient.yaml").write_text(LENIENT)
    other = netaudit("check", "out", "-p", "elsewhere", "-q", "-o", "json=other.json", cwd=fleet)
    report = json.loads((fleet / "other.json").read_text())
    assert (report["run"]["chosen"], report["run"]["inventory"]["hosts"]) == (1, 3)
    assert report["run"]["judged_again"] is True
    assert "judged again, by other policies than the run that gathered the evidence" in other.stderr


def test_what_was_only_gathered_is_judged_for_the_first_time(tmp_path: Path) -> None:
    fleet = make_fleet(tmp_path, ["a"])
    netaudit("collect", "inventory.yaml", "-q", "-o", "e.gz", cwd=fleet)
    netaudit("check", "e.gz", "-q", "-o", "json=r.json", cwd=fleet)
    assert json.loads((fleet / "r.json").read_text())["run"]["judged_again"] is False
