"""Standard error as JSON: every line is one object, whoever wrote it."""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from auditor.cli import log
from auditor.cli.progress import Progress
from auditor.transport.timeline import Step
from tests.builders import a_host
from tests.cli.site import make_site, netaudit

CANARY = "canary-5f0e6c2b"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path)


def events(stderr: str) -> list[dict[str, Any]]:
    """Return the objects, one for every line; each says when, how bad, what, and in words."""
    found: list[dict[str, Any]] = [json.loads(line) for line in stderr.splitlines()]
    for event in found:
        assert list(event)[:4] == ["time", "level", "event", "message"]
        assert event["level"] in {"debug", "info", "warning", "error"}
        assert event["time"] is None or re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])
    return found


def test_a_whole_run_in_json(site: Path) -> None:
    gone = f"  gone: {{address: 127.0.0.1, port: 1, user: {CANARY[:6]}, password: env:LOG_TEST}}\n"
    (site / "inventory.yaml").write_text((site / "inventory.yaml").read_text() + gone)
    (site / "netaudit.toml").write_text("jobs = 4\n")
    arguments = ["run", "inventory.yaml", "--log-format", "json", "-vv", "--explain-exit"]
    result = netaudit(*arguments, cwd=site, LOG_TEST=CANARY)
    told = events(result.stderr)
    assert {"settings", "phase", "host", "wrote", "explain-exit", "exit"} <= {event["event"] for event in told}
    hosts = {event["host"]: event for event in told if event["event"] == "host"}
    assert (hosts["gone"]["status"], hosts["here"]["status"]) == ("unreachable", "compliant")
    assert list(hosts["here"]["phases"]) == ["exec", "read"]
    phases = [
        (event["phase"], event["failed"]) for event in told if event["event"] == "phase" and event["host"] == "gone"
    ]
    assert phases == [("dns", False), ("tcp", True)]
    assert (told[-1]["event"], told[-1]["code"], result.returncode) == ("exit", 3, 3)
    assert result.stdout.startswith("INCOMPLETE")
    assert CANARY not in result.stderr + result.stdout


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        (["run", "inventory.yaml", "--nonsense"], "error"),
        (["run", "--log-format=json"], "error"),
        (["nonsense"], "error"),
        (["run", "absent.yaml"], "error"),
        (["hosts", "inventory.yaml", "-l", "nobody"], "error"),
        (["schema", "report"], "info"),
    ],
)
def test_mistakes_are_json_too_whichever_command_finds_them(arguments: list[str], level: str, site: Path) -> None:
    told = events(netaudit(*arguments, cwd=site, NETAUDIT_LOG_FORMAT="json").stderr)
    assert [event["level"] for event in told][-1:] == ([level] if level == "error" else [])


def test_every_problem_of_a_file_is_an_event_with_its_place(site: Path) -> None:
    (site / "inventory.yaml").write_text("version: 1\nhosts:\n  a: {port: 0}\n  b: {prot: 22}\n")
    told = events(netaudit("run", "inventory.yaml", "--log-format", "json", cwd=site).stderr)
    problems = [event for event in told if event["event"] == "problem"]
    assert [(event["file"], event["line"]) for event in problems] == [("inventory.yaml", 3), ("inventory.yaml", 4)]
    assert all(event["column"] and event["level"] == "error" for event in problems)
    assert told[-1]["code"] == 2


def test_a_wrong_format_is_wrong_usage(site: Path) -> None:
    result = netaudit("run", "inventory.yaml", "--log-format", "xml", cwd=site)
    assert result.returncode == 2
    assert result.stderr.splitlines()[-1] == "exit 2: wrong usage; no host was contacted"


@contextmanager
def json_lines() -> Iterator[None]:
    log.choose_format("json")
    try:
        yield
    finally:
        log.choose_format("text")


def test_what_libraries_print_becomes_json(capsys: pytest.CaptureFixture[str]) -> None:
    with json_lines():
        sys.stderr.write("half a ")
        sys.stderr.write("line\n\x1b[2J\n\n")
    sys.stderr.write("plain again\n")
    *lines, last = capsys.readouterr().err.splitlines()
    assert [event["message"] for event in events("\n".join(lines))] == ["half a line", "\\x1b[2J"]
    assert last == "plain again"


def test_progress_is_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    now = 100.0
    with json_lines():
        progress = Progress(4, "plain", clock=lambda: now)
        progress.begin(a_host("slow"), Step("banner", ""))
        progress.begin(a_host("quick"), Step("tcp", ""))
        now += 40.0
        progress.count("quick", "compliant")
        progress.speak()
    [event] = events(capsys.readouterr().err)
    assert (event["event"], event["done"], event["total"], event["in_flight"]) == ("progress", 1, 4, 1)
    assert event["statuses"] == {"compliant": 1}
    assert event["longest"] == [{"host": "slow", "phase": "banner", "seconds": 40.0}]


def test_a_standard_error_that_is_closed_costs_no_result(site: Path) -> None:
    import subprocess

    from tests.cli.site import environment

    for redirect in ("2>&-", "2>/dev/full"):
        command = f"{sys.executable} -m auditor run inventory.yaml -v -o json=- {redirect}"
        result = subprocess.run(
            ["bash", "-c", command], cwd=site, env=environment(), capture_output=True, text=True, check=False
        )
        assert result.returncode == 0
        assert json.loads(result.stdout)["kind"] == "netaudit.report"
