"""The local transport runs a real /bin/sh, bounded like every other."""

import os
import time

import pytest

from auditor.model.transcript import Session, Transcript
from auditor.transport import Limits, Script
from auditor.transport.local import LocalTransport
from tests.builders import NOW, a_host

pytestmark = pytest.mark.usefixtures("nothing_left_behind")
NONCE = "0" * 32


def run(text: str, timeout: float = 10.0, limits: Limits | None = None) -> Transcript:
    started = time.monotonic()
    transport = LocalTransport(clock=lambda: NOW, limits=limits)
    transcript = transport.run(a_host(connection="local", timeout=timeout), Script(NONCE, text.encode()))
    assert time.monotonic() - started <= timeout + 1
    return transcript


def test_outputs_and_status() -> None:
    transcript = run("{ echo out; echo err >&2; exit 3; }\n")
    assert transcript == Transcript(
        nonce=NONCE, stdout=b"out\n", stderr=b"err\n", exit_status=3, started_at=NOW, finished_at=NOW, session=Session()
    )


def test_environment_is_clean(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETAUDIT_TEST_SECRET", "hunter2")
    transcript = run("env; pwd\n")
    assert b"hunter2" not in transcript.stdout
    assert b"LC_ALL=C\n" in transcript.stdout
    assert b"/\n" in transcript.stdout


def test_silence_ends_at_the_deadline() -> None:
    transcript = run("echo first; sleep 30\n", timeout=1.0)
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (b"first\n", None, "deadline")


def test_everything_the_script_started_is_killed() -> None:
    transcript = run("sleep 31 & echo $!; trap '' TERM HUP; while :; do sleep 1; done\n", timeout=1.0)
    child = int(transcript.stdout)
    for _ in range(100):
        try:
            with open(f"/proc/{child}/stat", encoding="ascii") as file:  # noqa: PTH123  # /proc is no place for Path
                state = file.read().rsplit(")", 1)[1].split()[0]
        except FileNotFoundError:
            return
        if state == "Z":
            return
        time.sleep(0.02)
    pytest.fail(f"process {child} is still there")


def test_outputs_held_open_by_a_child() -> None:
    """The shell ended; what it left behind is not waited for until the deadline."""
    transcript = run("sleep 32 & echo done; exit 4\n", timeout=20.0)
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (b"done\n", 4, None)


def test_outputs_closed_early() -> None:
    transcript = run("echo x; exec >&- 2>&-; sleep 0.5; exit 5\n")
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (b"x\n", 5, None)


def test_killed() -> None:
    transcript = run("echo x; kill -9 $$\n")
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (b"x\n", None, "killed")


def test_endless_output() -> None:
    transcript = run("cat /dev/zero\n", limits=Limits(stdout=100_000))
    assert (len(transcript.stdout), transcript.cut) == (100_000, "output-cap")


def test_both_outputs_at_length() -> None:
    transcript = run("head -c 3000000 /dev/zero >&2; head -c 3000000 /dev/zero\n")
    assert (len(transcript.stdout), len(transcript.stderr)) == (3_000_000, Limits().stderr)
    assert (transcript.exit_status, transcript.cut) == (0, None)


def test_script_longer_than_a_pipe() -> None:
    """A script that does not fit into the pipe's buffer while the shell is already printing."""
    text = "head -c 200000 /dev/zero; : " + "x" * 300_000 + "\nexit 0\n"
    transcript = run(text)
    assert (len(transcript.stdout), transcript.exit_status) == (200_000, 0)


def test_shell_that_stops_reading() -> None:
    assert run("exit 0\n" + "# filler\n" * 100_000).exit_status == 0


def test_own_process_group() -> None:
    """A terminal's Ctrl-C must not reach the script: it is in a session of its own."""
    sid = int(run("cut -d' ' -f6 /proc/$$/stat\n").stdout)
    assert sid != os.getsid(0)
