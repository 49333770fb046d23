"""Bounds on connections, on sockets of this kernel: what the policy says is too many is found, in every format."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.cli.crowd import FORMATS
from tests.cli.program import ROOT
from tests.requirements import require


def test_sockets_that_pile_up_are_findings(tmp_path: Path) -> None:
    require("root", "namespaces", "ip")
    done = subprocess.run(
        ["unshare", "--net", sys.executable, "-m", "tests.cli.crowd"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1, done.stderr
    (host,) = json.loads(done.stdout)["hosts"]
    assert host["facts"]["states"]["tcp"]["CLOSE_WAIT"] == 7
    findings = {finding["rule"]: finding for finding in host["findings"]}
    assert [finding["rule"] for finding in host["findings"]].count("connection-states") == 1
    states, queue = findings["connection-states"], findings["accept-queue"]
    assert (states["severity"], queue["severity"]) == ("low", "medium")
    assert states["message"] == "7 sockets are in CLOSE_WAIT, and crowd allows 6: seven are one too many"
    assert queue["message"] == "3 connections wait to be accepted on 7001/tcp, and crowd allows 2"
    for name in FORMATS:
        text = (tmp_path / f"out.{name}").read_text()
        assert "CLOSE_WAIT" in text, name
