"""One run over hosts that misbehave in every way, and one that does not: only the guilty are affected."""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers import hostile
from tests.servers.hostile import Behaviour, Manners, ssh_server

TIMEOUT_S = 3
BEFORE_LOGIN: dict[str, Behaviour] = {
    "silent": hostile.silent,
    "drips": hostile.repeat(b"x", 1.0),
    "floods-banner": hostile.repeat(b"A" * 65536),
    "flood-of-lines": hostile.repeat(b"endless\r\n", 0.01),
    "not-ssh": hostile.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "resets": hostile.reset,
    "no-kex": hostile.say_and_stay(hostile.VERSION),
    "huge-packet": hostile.repeat(b"\0" * 65536, first=hostile.VERSION + b"\x7f\xff\xff\xff\x04"),
}
AFTER_LOGIN = {
    "output-without-end": hostile.print_for_ever,
    "output-in-drips": hostile.drip,
    "stderr-without-end": hostile.complain_for_ever,
    "dies-in-mid-stream": hostile.die_midway,
    "never-says-its-status": hostile.end_without_status,
    "never-ends": hostile.say_without_end,
    "killed": hostile.end_by_signal,
    "silent-shell": hostile.print_nothing,
}
UNDERSTOOD = {"only-says-hello": hostile.behave_well}


@dataclass(frozen=True)
class Outcome:
    """What one run left: its exit code, text, report, wall time in seconds and peak memory in MiB."""

    code: int
    printed: str
    report: dict[str, Any]
    seconds: float
    peak: float

    def host(self, name: str) -> dict[str, Any]:
        return next(host for host in self.report["hosts"] if host["name"] == name)


def read_peak(pid: int) -> int:
    """Return the most memory a process has held so far, in KiB (proc(5), VmHWM); 0 when it has just ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def run_measured(folder: Path, limit: str) -> Outcome:
    arguments = ["run", "inventory.yaml", "-p", "lenient.yaml", "-l", limit, "-j", "32", "--output-dir", "out"]
    environment = {**os.environ, "PW": hostile.PASSWORD, "PYTHONPATH": str(Path(__file__).parents[2])}
    started = time.monotonic()
    with (folder / "printed.txt").open("w") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "auditor", *arguments], cwd=folder, env=environment, stdout=printed, stderr=printed
        )
        peak = 0
        while process.poll() is None:
            peak = max(peak, read_peak(process.pid))
            time.sleep(0.02)
    return Outcome(
        code=process.returncode,
        printed=(folder / "printed.txt").read_text(),
        report=json.loads((folder / "out" / "report.json").read_text()),
        seconds=time.monotonic() - started,
        peak=peak / 1024,
    )


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> tuple[Outcome, Outcome]:
    """Return a run over the honest host and a polite one, and one over all."""
    folder = tmp_path_factory.mktemp("hostile")
    servers = {
        **BEFORE_LOGIN,
        **{name: ssh_server(Manners(on_exec=behave)) for name, behave in {**AFTER_LOGIN, **UNDERSTOOD}.items()},
    }
    with ExitStack() as stack:
        ports = {name: stack.enter_context(hostile.serve(each)).port for name, each in servers.items()}
        hosts = "".join(f"  {name}: {{address: 127.0.0.1, port: {port}}}\n" for name, port in ports.items())
        (folder / "inventory.yaml").write_text(
            "version: 1\n"
            f"defaults: {{user: {hostile.USER}, password: env:PW, timeout: {TIMEOUT_S}, known_hosts: known_hosts}}\n"
            f"hosts:\n  honest: {{connection: local, timeout: 60}}\n{hosts}"
        )
        (folder / "known_hosts").write_text("".join(hostile.known_hosts_line(port) for port in ports.values()))
        (folder / "lenient.yaml").write_text("version: 1\npolicy: lenient\ndefault: ignore\n")
        return run_measured(folder, "honest,only-says-hello"), run_measured(folder, "all")


def test_the_honest_host_is_as_it_was_alone(outcomes: tuple[Outcome, Outcome]) -> None:
    alone, among = (each.host("honest") for each in outcomes)
    assert among["status"] == alone["status"] == "compliant"
    assert [row["source"] for row in among["coverage"]] == [row["source"] for row in alone["coverage"]]


@pytest.mark.parametrize("name", BEFORE_LOGIN)
def test_a_host_that_never_lets_us_in_is_unreachable(name: str, outcomes: tuple[Outcome, Outcome]) -> None:
    host = outcomes[1].host(name)
    assert host["status"] == "unreachable"
    assert host["error"]["phase"] in {"tcp", "banner", "kex"}
    assert host["error"]["message"]


@pytest.mark.parametrize("name", AFTER_LOGIN)
def test_a_host_that_misbehaves_in_its_answer_is_not_audited(name: str, outcomes: tuple[Outcome, Outcome]) -> None:
    assert outcomes[1].host(name)["status"] in {"incomplete", "unreachable"}


def test_the_run_says_so(outcomes: tuple[Outcome, Outcome]) -> None:
    run = outcomes[1]
    assert run.code == 3
    assert run.report["verdict"] == "incomplete"
    assert run.report["summary"]["hosts"]["compliant"] == 1
    assert run.printed.splitlines()[-1].startswith("exit 3: ")
    assert "\x1b" not in run.printed


def test_the_run_ends_with_its_hosts_deadlines(outcomes: tuple[Outcome, Outcome]) -> None:
    """The generous allowance is for rendering and a busy machine; a host that held on would cost minutes."""
    alone, among = outcomes
    assert among.seconds - alone.seconds < TIMEOUT_S + 6


def test_memory_is_bounded(outcomes: tuple[Outcome, Outcome]) -> None:
    """Against a run that has loaded all the same code and talks to two hosts that are polite."""
    alone, among = outcomes
    assert among.peak - alone.peak < 50
