"""Progress: live lines for a terminal, few lines for a log, and nothing of a host's own text that could act."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.cli import log
from auditor.cli.board import Board, Glance, Sighting
from auditor.cli.progress import Progress, choose_style
from auditor.cli.screen import count_rows, draw_glance, show_seconds
from auditor.errors import TransportError
from auditor.transport.timeline import Step
from tests.builders import a_host
from tests.cli.replays import make_fleet
from tests.cli.site import environment


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def fly(board: Board, clock: Clock, name: str, *phases: tuple[str, float]) -> None:
    """Let a host go through phases of so many seconds; the last one is not over."""
    for number, (phase, seconds) in enumerate(phases):
        step = Step(phase, "")  # type: ignore[arg-type]  # any word will do here
        board.begin(a_host(name), step)
        clock.now += seconds
        if number < len(phases) - 1:
            board.end(a_host(name), step)


def test_the_board_knows_who_is_at_work_in_which_phase_and_for_how_long() -> None:
    clock = Clock()
    board = Board(10, clock)
    fly(board, clock, "slow", ("dns", 1.0), ("tcp", 4.0))
    fly(board, clock, "slower", ("banner", 2.0))
    board.land("done", "compliant")
    glance = board.look()
    assert (glance.done, glance.total, glance.statuses) == (1, 10, {"compliant": 1})
    assert glance.in_flight == (Sighting("slow", "tcp", 7.0, 6.0), Sighting("slower", "banner", 2.0, 2.0))


def test_the_rate_is_that_of_the_last_half_minute_and_of_this_run() -> None:
    clock = Clock()
    board = Board(1000, clock)
    for number in range(100):
        board.land(f"kept-{number}", "compliant")  # of an earlier run: they took no time
    assert (board.look().rate, board.look().left) == (None, None)
    for number in range(60):
        fly(board, clock, f"h{number}", ("tcp", 1.0))
        board.land(f"h{number}", "compliant")
    assert board.look().rate == pytest.approx(1.0, rel=0.05)
    assert board.look().left == pytest.approx(840, rel=0.05)


def test_a_host_between_two_turns_is_not_at_work() -> None:
    clock = Clock()
    board = Board(1, clock)
    fly(board, clock, "busy", ("banner", 3.0))
    board.rest(a_host("busy"))
    clock.now += 60
    assert board.look().in_flight == ()
    fly(board, clock, "busy", ("banner", 2.0))
    assert board.look().in_flight == (Sighting("busy", "banner", 2.0, 2.0),)


def a_glance(*flights: Sighting, done: int = 12, total: int = 40) -> Glance:
    return Glance(done, total, {"compliant": done - 2, "unreachable": 2}, 3.14159, 75.2, flights)


def test_the_screen_shows_counts_rate_time_left_and_who_takes_longest() -> None:
    slow = Sighting("web-017.example.com", "tcp", 65.0, 64.0)
    through = Sighting("db-02", "auth of bastion", 4.0, 3.0)
    quick = Sighting("web-99", "read", 0.5, 0.1)
    assert draw_glance(a_glance(slow, through, quick), 80, 24, color=False) == [
        "[#######.................] 12/40 hosts  3.1/s  1m15s left",
        "  10 compliant, 2 unreachable",
        "  3 at work, the longest:",
        "   1m05s  web-017.example.com  tcp for 1m04s",
        "      4s  db-02                auth of bastion for 3s",
    ]


names = st.text(min_size=1, max_size=70)


@given(st.lists(names, max_size=20), st.integers(1, 200), st.integers(1, 60), st.booleans())
def test_the_screen_is_never_wider_nor_higher_than_the_terminal(
    called: Sequence[str], width: int, height: int, color: bool
) -> None:
    """Else a line wraps, and going up by one line too few leaves garbage behind."""
    glance = a_glance(*(Sighting(name, "tcp", 9.0, 9.0) for name in called))
    lines = draw_glance(glance, width, height, color=color)
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    assert len(lines) < max(2, height)
    assert count_rows(plain, width) == len(lines)
    assert not any(ord(character) < 0x20 for line in plain for character in line)


def test_seconds_are_readable() -> None:
    assert [show_seconds(each) for each in (0.2, 9, 59.6, 65, 3600, 7384)] == [
        "0s",
        "9s",
        "1m00s",
        "1m05s",
        "1h00m",
        "2h03m",
    ]


def test_a_quick_run_leaves_no_lines_in_a_log(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(50, "plain") as progress:
        for number in range(50):
            progress.count(f"web-{number}", "compliant")
            progress.speak()
    assert capsys.readouterr().err == ""


def test_a_slow_run_speaks_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(20, "plain", clock=clock)  # not entered: nobody else speaks
    for number in range(20):
        progress.begin(a_host(f"web-{number}"), Step("tcp", ""))
        clock.now += 4.0
        progress.count(f"web-{number}", "compliant")
        progress.speak()
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "2/20 hosts  0.2/s  1m12s left  (2 compliant)"
    assert lines[-1] == "20/20 hosts  0.3/s  (20 compliant)"
    assert len(lines) == 10


def test_a_stuck_run_says_who_holds_it_up(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(2, "plain", clock=clock)
    progress.begin(a_host("stuck"), Step("auth", "bastion"))
    clock.now += 31.0
    progress.speak()
    assert capsys.readouterr().err == "0/2 hosts  (none done); longest at work: stuck 31s auth of bastion for 31s\n"


def test_verbose_lines_say_what_the_phases_took_and_are_inert(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    progress = Progress(1, "plain", 1, clock=clock)
    for phase, via, seconds in (("tcp", "jump", 0.25), ("tcp", "", 0.5), ("banner", "", 0.125)):
        step = Step(phase, via, seconds)  # type: ignore[arg-type]
        progress.begin(a_host("web-01"), step)
        clock.now += seconds
        progress.end(a_host("web-01"), step)
    progress.count("web-01", "unreachable", "banner: \x1b[2J\u202eexe")
    expected = "web-01: unreachable (banner: \\x1b[2J\\u202eexe) in 0.88 s: tcp of jump 0.25, tcp 0.50, banner 0.12\n"
    assert capsys.readouterr().err == expected


def test_very_verbose_lines_tell_every_phase(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress(1, "plain", 2) as progress:
        progress.end(a_host("web-01"), Step("dns", "", 0.001, ["10.0.0.1", "10.0.0.2"]))
        refused = TransportError("tcp", "tcp-refused", "\x1b]0;10.0.0.1: Connection refused")
        progress.end(a_host("web-01"), Step("tcp", "jump", 0.25, [], refused))
    progress.end(a_host("web-01"), Step("read", "", 9.0))  # left behind: the run is over
    assert capsys.readouterr().err.splitlines() == [
        "web-01: dns 0.001 s: 10.0.0.1, 10.0.0.2",
        "web-01 via jump: tcp 0.250 s: tcp/tcp-refused: \\x1b]0;10.0.0.1: Connection refused",
    ]


@pytest.mark.parametrize(
    ("quiet", "verbose", "expected"), [(True, True, "none"), (False, True, "plain"), (False, False, "plain")]
)
def test_no_live_lines_without_a_terminal(quiet: bool, verbose: bool, expected: str) -> None:
    assert choose_style(quiet, verbose) == expected


def run_on_terminal(site: Path, *arguments: str, **variables: str) -> str:
    """Run netaudit on a pseudo-terminal that is standard output as well, and return everything written there."""
    controller, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "auditor", *arguments],
        cwd=site,
        env=environment(TERM="xterm", COLUMNS="80", LINES="24", CI="", **variables) | {"PATH": os.environ["PATH"]},
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    written, end = b"", time.monotonic() + 60
    while time.monotonic() < end and select.select([controller], [], [], 60)[0]:
        try:
            written += os.read(controller, 65536)
        except OSError:  # EIO: nobody has the terminal open any more
            break
    os.close(controller)
    assert process.wait(30) == 0
    return written.decode()


class Screen:
    """A terminal that knows what netaudit writes, and nothing else: text, return, newline, up, clear, colours."""

    def __init__(self, written: str) -> None:
        self.lines = [""]
        self._row = self._column = 0
        for text, count, control in re.findall(r"([^\x1b\r\n]+)|(?:\x1b\[([0-9;]*))?([A-Za-z]|\r|\n)", written):
            if text:
                self._put(text)
            else:
                self._do(control, count)

    def _put(self, text: str) -> None:
        line = self.lines[self._row].ljust(self._column)
        self.lines[self._row] = line[: self._column] + text + line[self._column + len(text) :]
        self._column += len(text)

    def _do(self, control: str, count: str) -> None:
        match control:
            case "\r":
                self._column = 0
            case "\n":
                self._row += 1
                self.lines += [""] * (self._row >= len(self.lines))
            case "A":
                self._row -= int(count)
                assert self._row >= 0
            case "K":
                self.lines[self._row] = "" if count == "2" else self.lines[self._row][: self._column]
            case "J":
                self.lines[self._row] = self.lines[self._row][: self._column]
                del self.lines[self._row + 1 :]
            case _:
                assert control == "m"


def test_a_terminal_that_gets_both_is_left_with_the_results_alone(tmp_path: Path) -> None:
    site = make_fleet(tmp_path, [f"web-{number:02d}" for number in range(30)])
    lines = ["run", "inventory.yaml", "-o", "jsonl=-", "-j", "2"]
    written = run_on_terminal(site, *lines)
    assert "/30 hosts" in written  # the display was there
    kept = [line for line in Screen(written).lines if line]
    assert [json.loads(line)["kind"] for line in kept[:-1]] == ["netaudit.run", *["netaudit.host"] * 30, "netaudit.end"]
    assert kept[-1].startswith("exit 0: 30 of 30 hosts audited")


def test_no_color_means_no_color_on_the_display_too(tmp_path: Path) -> None:
    site = make_fleet(tmp_path, [f"web-{number:02d}" for number in range(30)])
    for variables, colored in (({"NO_COLOR": "1"}, False), ({}, True)):
        written = run_on_terminal(site, "run", "inventory.yaml", "-j", "2", "-o", "text", **variables)
        assert bool(re.search(r"\x1b\[[0-9;]+m", written)) == colored


def test_nothing_is_live_when_lines_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "is_json", lambda: True)
    assert choose_style(quiet=False, verbose=False) == "plain"
