"""`netaudit check`: what a signal does to it between two hosts."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.offline import write_evidence, write_policy
from tests.cli.site import environment

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
