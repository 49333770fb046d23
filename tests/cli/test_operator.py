"""A report says who made it and how: in the words of id(1) and uname(1), and of whoever typed the command."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from auditor.cli.operator import name_operator, show_command
from tests.cli.program import ROOT, netaudit
from tests.cli.replays import make_fleet


def _ask(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def _audit(site: Path, *arguments: str) -> None:
    """Run netaudit with the clock going: with a stopped one nobody is named, so that output is the same anywhere."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    env.pop("SOURCE_DATE_EPOCH", None)
    env.pop("SUDO_USER", None)
    done = subprocess.run(
        [sys.executable, "-m", "auditor", *arguments], cwd=site, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr


def test_report_says_who_ran_it_and_how(tmp_path: Path) -> None:
    site = make_fleet(tmp_path, ["web-01", "web-02"])
    _audit(site, "run", "inventory.yaml", "-q", "-l", "web-*", "--output-dir", "out")
    run = json.loads((site / "out" / "report.json").read_text())["run"]
    assert run["operator"] == f"{_ask('id', '-un')}@{_ask('uname', '-n')}"
    assert run["command"] == "netaudit run inventory.yaml -q -l 'web-*' --output-dir out"
    page = (site / "out" / "report.html").read_text()
    assert f"<dd>{run['operator']}</dd>" in page
    assert "netaudit run inventory.yaml -q -l &#39;web-*&#39; --output-dir out" in page


def test_check_repeats_who_gathered_the_evidence(tmp_path: Path) -> None:
    """Who judges it again is another matter: the same evidence and policies give the same bytes."""
    site = make_fleet(tmp_path, ["web-01"])
    _audit(site, "run", "inventory.yaml", "-q", "--output-dir", "out")
    _audit(site, "check", "out/evidence.jsonl.gz", "-p", "policies", "-q", "-o", "json=again.json")
    assert (site / "again.json").read_bytes() == (site / "out" / "report.json").read_bytes()


def test_nobody_is_named_where_the_clock_stands_still_or_hosts_are_hidden(tmp_path: Path) -> None:
    site = make_fleet(tmp_path, ["web-01"])
    netaudit("run", "inventory.yaml", "-q", "--output-dir", "still", cwd=site)
    _audit(site, "run", "inventory.yaml", "-q", "--output-dir", "out")
    netaudit("report", "out/report.json", "--redact", "hosts", "-o", "json=hidden.json", cwd=site)
    for path in ("still/report.json", "hidden.json"):
        run = json.loads((site / path).read_text())["run"]
        assert (run["operator"], run["command"]) == ("", ""), path


def test_sudo_does_not_hide_who_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "alice")
    assert name_operator() == f"{_ask('id', '-un')}@{_ask('uname', '-n')} (by sudo from alice)"


def test_password_in_a_url_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["/opt/netaudit", "run", "https://bob:s3cret@example.org/inv", "two words"])
    assert show_command() == "netaudit run https://bob:…@example.org/inv 'two words'"
