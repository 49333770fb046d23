"""One run at a time in a folder: the second refuses, and a killed run's lock holds nobody up."""

import json
import multiprocessing
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from auditor.cli.run_folder import LOCK, lock
from auditor.errors import UsageError
from tests.cli.site import environment, make_site, netaudit, start


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path)


@contextmanager
def a_run_at_work(site: Path, *arguments: str) -> Iterator[int]:
    """Yield the pid of a run that waits for a host that says nothing; `here` is done by then."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        slow = f"  slow: {{address: 127.0.0.1, port: {port}, user: nobody, password: env:LOCK_TEST, timeout: 50}}\n"
        quick = (site / "inventory.yaml").read_text()
        (site / "inventory.yaml").write_text(quick + slow)
        with start("run", "inventory.yaml", *arguments, "-o", "jsonl=-", "-o", "evidence", "-o", "json", cwd=site,
                   LOCK_TEST="x") as process:  # fmt: skip
            assert process.stdout is not None
            [process.stdout.readline() for _ in range(2)]
            (site / "inventory.yaml").write_text(quick)
            yield process.pid


def test_the_second_run_refuses_and_says_who_is_there(site: Path) -> None:
    with a_run_at_work(site, "--output-dir", "out") as pid:
        os.kill(pid, signal.SIGSTOP)  # so that it is still there, however slow the others are
        second = netaudit("run", "inventory.yaml", "--output-dir", "out", cwd=site)
        elsewhere = netaudit("run", "inventory.yaml", "--output-dir", "other", cwd=site)
        collected = netaudit("collect", "inventory.yaml", "-o", "out.gz", cwd=site)
        resumed = netaudit("run", "inventory.yaml", "--output-dir", "third", "--resume", "out", cwd=site)
    last = second.stderr.splitlines()[-1]
    assert re.match(
        rf"exit 2: out is in use: the run of process {pid} on {re.escape(socket.gethostname())}, begun at 20", last
    )
    assert "is at work there; no host was contacted" in last
    assert (second.returncode, elsewhere.returncode, collected.returncode) == (2, 0, 0)
    assert (resumed.returncode, "out is in use" in resumed.stderr) == (2, True)
    assert not (site / "third").exists()


def test_a_killed_runs_lock_is_taken_over_with_a_note(site: Path) -> None:
    with a_run_at_work(site, "--output-dir", "out") as pid:
        os.kill(pid, signal.SIGKILL)
        wait_until_gone(pid)
        assert json.loads((site / "out" / LOCK).read_text())["pid"] == pid
        (site / "out" / ".netaudit-torn").write_text("half")
        (site / "out" / "mine.txt").write_text("mine")
        after = netaudit("run", "inventory.yaml", "--output-dir", "out", cwd=site)
    assert after.returncode == 0, after.stderr
    assert f"note: the run of process {pid} on {socket.gethostname()}, begun at 20" in after.stderr
    assert "did not finish in out" in after.stderr
    assert sorted(path.name for path in (site / "out").iterdir()) == [
        "evidence.jsonl.gz", "mine.txt", "report.html", "report.json",
    ]  # fmt: skip


def wait_until_gone(pid: int) -> None:
    """Wait until a process has ended, though nobody has asked for its status yet."""
    end = time.monotonic() + 60
    with suppress(FileNotFoundError, ProcessLookupError):
        while Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
            assert time.monotonic() < end
            time.sleep(0.01)


def test_evidence_elsewhere_is_locked_by_itself(site: Path) -> None:
    with a_run_at_work(site, "-o", "evidence=kept/e.gz", "--output-dir", "out") as pid:
        os.kill(pid, signal.SIGSTOP)
        same = netaudit("collect", "inventory.yaml", "-o", "kept/e.gz", cwd=site)
        beside = netaudit("collect", "inventory.yaml", "-o", "kept/f.gz", cwd=site)
    assert (same.returncode, beside.returncode) == (2, 0)
    assert "kept/e.gz is in use" in same.stderr


@pytest.mark.parametrize(
    ("signals", "expected"),
    [
        ((signal.SIGINT,), {"evidence.jsonl.gz", "report.json"}),
        ((signal.SIGTERM, signal.SIGTERM), {LOCK, "evidence.jsonl.gz.part"}),
        ((signal.SIGINT, signal.SIGINT), {"evidence.jsonl.gz.part"}),
    ],
    ids=["gently", "terminated", "at once"],
)
def test_an_interrupted_run_can_be_gone_on_from(signals: tuple[int, ...], expected: set[str], site: Path) -> None:
    with a_run_at_work(site, "--output-dir", "out") as pid:
        for number in signals:
            os.kill(pid, number)
            time.sleep(0.5)
        wait_until_gone(pid)
        left = {path.name for path in (site / "out").iterdir()}
        resumed = netaudit("run", "inventory.yaml", "--output-dir", "out", "--resume", "out", cwd=site)
    assert left == expected
    assert "1 of 1 host is kept" in resumed.stderr
    assert resumed.returncode == 0
    assert not (site / "out" / "evidence.jsonl.gz.part").exists()


def test_a_folder_that_came_to_nothing_is_not_left(site: Path) -> None:
    (site / "inventory.yaml").write_text("version: 1\nhosts: {}\n")
    result = netaudit("run", "inventory.yaml", "--allow-empty", "-o", "json=-", "--output-dir", "out", cwd=site)
    assert result.returncode == 0
    assert not (site / "out").exists()


@pytest.mark.parametrize(("kibibytes", "why"), [(0, "cannot write to out"), (4, "cannot write out/")])
def test_a_full_disk_is_an_error_of_its_own_and_costs_no_old_file(site: Path, kibibytes: int, why: str) -> None:
    """A limit on the size of files stands for it: writing fails half-way, in the lock or in the evidence."""
    (site / "out").mkdir()
    (site / "out" / "evidence.jsonl.gz").write_text("older")
    command = f"ulimit -f {kibibytes}; {sys.executable} -m auditor run inventory.yaml --output-dir out -o evidence"
    full = subprocess.run(
        ["bash", "-c", command], cwd=site, env=environment(), capture_output=True, text=True, timeout=120, check=False
    )
    assert full.returncode == 5, full.stderr
    assert why in full.stderr.splitlines()[-1]
    assert "internal error" not in full.stderr
    assert (site / "out" / "evidence.jsonl.gz").read_text() == "older"
    assert {path.name for path in (site / "out").iterdir()} <= {"evidence.jsonl.gz", "evidence.jsonl.gz.part"}


def test_a_lock_file_that_is_no_json_is_no_drama(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / LOCK).write_bytes(b"\x1b[2J\xff nonsense")
    with lock(tmp_path / LOCK, tmp_path, "r-1"), pytest.raises(UsageError, match="is at work there"):
        hold_again(tmp_path)
    assert "note: another run did not finish" in capsys.readouterr().err
    assert not (tmp_path / LOCK).exists()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "victim").write_text("precious")
    (tmp_path / LOCK).symlink_to("victim")
    from auditor.errors import OutputError

    with pytest.raises(OutputError, match="cannot write to"), lock(tmp_path / LOCK, tmp_path, "r-1"):
        pass
    assert (tmp_path / "victim").read_text() == "precious"


def hold_again(folder: Path) -> None:
    with lock(folder / LOCK, folder, "r-2"):
        raise AssertionError("two runs hold one lock")


def contend(folder: Path, rounds: int) -> None:
    """Take the lock over and over; whoever has it must be alone."""
    got = 0
    while got < rounds:
        try:
            with lock(folder / LOCK, folder, "r"):
                (folder / "inside").mkdir()  # fails when somebody else is inside
                (folder / "inside").rmdir()
                got += 1
        except UsageError:
            time.sleep(0.0005)


def test_many_processes_never_hold_it_together(tmp_path: Path) -> None:
    """The file goes with every holder, which is when another may have it open already."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=contend, args=(tmp_path, 60)) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0, 0]
