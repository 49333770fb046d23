"""`netaudit check` from within: what a signal does to it between two hosts."""

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest

from auditor.audit import judge_evidence
from auditor.cli.choice import choose_policies
from auditor.cli.gate import Gate, audit_saved
from auditor.cli.gathering import Manner
from auditor.model.report import HostReport
from auditor.transport.evidence import read_evidence
from tests.bench.offline import write_evidence, write_policy


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: signal.Signals, code: int) -> None:
    """It ends after the host it is at, and what it has is told, as partial; handlers are as they were."""
    write_evidence(tmp_path / "evidence.jsonl.gz", 10)
    (tmp_path / "policy.yaml").write_text(write_policy(1_000))
    judged: list[str] = []

    def judge(*arguments: Any) -> HostReport:
        report = judge_evidence(*arguments)
        judged.append(report.name)
        if len(judged) == 3:
            os.kill(os.getpid(), number)
        return report

    monkeypatch.setattr("auditor.cli.gate.judge_evidence", judge)
    before = signal.getsignal(number)
    with read_evidence(tmp_path / "evidence.jsonl.gz") as saved:
        policies = choose_policies([tmp_path / "policy.yaml"], tmp_path / "inventory.yaml")
        gate = Gate(manner=Manner(quiet=True), output=[f"json={tmp_path / 'report.json'}"])
        assert audit_saved(saved, policies, gate) == code
    assert signal.getsignal(number) == before
    report = json.loads((tmp_path / "report.json").read_text())
    assert [host["name"] for host in report["hosts"]] == judged
    assert len(judged) == 3
    assert (report["run"]["partial"], report["verdict"], report["exit"]["code"]) == (True, "fail", code)
    assert report["exit"]["reasons"][0] == "interrupted after 3 hosts"
