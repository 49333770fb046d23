"""`netaudit demo` as a user runs it: every status is there, and reports/example is what it writes, to the byte.

It runs in a network namespace of its own, where no other demo can have taken the addresses the example names.
"""

import json
import os
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.requirements import require

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "reports" / "example"
STATUSES = {
    "bastion-01": "compliant",
    "build-01": "incomplete",
    "cache-01": "unreachable",
    "db-01": "compliant",
    "db-02": "violating",
    "kiosk-01": "violating",
    "legacy-01": "violating",
    "mainframe-01": "compliant",
    "v6-01": "compliant",
    "web-01": "compliant",
    "web-02": "compliant",
    "web-03": "violating",
    "web-04": "unreachable",
}


def run_demo(folder: Path, epoch: str | None = None) -> subprocess.CompletedProcess[str]:
    """Run the demo in `folder`; the reports land in its `netaudit-demo`."""
    require("namespaces", "ip")
    mapped = [] if os.geteuid() == 0 else ["--map-root-user"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder)}
    if epoch is not None:
        environment["SOURCE_DATE_EPOCH"] = epoch
    demo = 'ip link set lo up && exec "$0" -m auditor demo'
    command = ["unshare", *mapped, "--net", "sh", "-c", demo, sys.executable]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("demo")
    done = run_demo(folder)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads((folder / "netaudit-demo" / "report.json").read_text())
    return found


def test_every_host_ends_as_its_description_says(report: dict[str, Any]) -> None:
    assert {host["name"]: host["status"] for host in report["hosts"]} == STATUSES


def test_reasons_of_the_hosts_that_fail(report: dict[str, Any]) -> None:
    hosts = {host["name"]: host for host in report["hosts"]}
    assert {name: host["error"]["code"] for name, host in hosts.items() if host["error"]} == {
        "cache-01": "tcp-refused",
        "web-04": "hostkey-mismatch",
    }
    assert {gap["source"] for gap in hosts["build-01"]["gaps"]} >= {"tcp"}
    rules = {name: {finding["rule"] for finding in host["findings"]} for name, host in hosts.items()}
    assert rules["legacy-01"] >= {"service-name-conflict", "missing-listener", "forbidden-listener"}
    assert rules["web-03"] == {"exposed-listener", "unexpected-listener"}
    assert rules["db-02"] == {"exposed-listener", "forbidden-listener"}
    assert hosts["mainframe-01"]["facts"]["byte_order"] == "big"


def test_the_hostile_hosts_names_reach_the_report_whole(report: dict[str, Any]) -> None:
    """They are data: kept as they are in JSON, made harmless by each format."""
    host = next(host for host in report["hosts"] if host["name"] == "kiosk-01")
    assert host["facts"]["hostname"].startswith("kiosk<img src=x onerror=alert(1)>\x1b[31m")


def test_the_demos_summary_holds_nothing_a_terminal_obeys(tmp_path: Path) -> None:
    shown = run_demo(tmp_path).stdout
    assert "kiosk-01" in shown
    assert not {char for char in shown if ord(char) < 32 and char != "\n"}
    assert not set(shown) & set("\x7f\u202e\u202c\u200b")


@pytest.mark.parametrize("name", ["report.html", "report.json"])
def test_the_example_is_what_the_demo_writes(tmp_path: Path, name: str) -> None:
    started = json.loads((EXAMPLE / "report.json").read_text())["run"]["started_at"]
    done = run_demo(tmp_path, epoch=str(int(datetime.fromisoformat(started).timestamp())))
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "netaudit-demo" / name).read_bytes() == (EXAMPLE / name).read_bytes()
