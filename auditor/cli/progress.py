"""Progress on standard error: a few lines redrawn in place on a terminal, a plain line now and then elsewhere.

With `-v` every host has a line when it is done, with what its phases took; with `-vv` every phase has one, too.
"""

import os
import shutil
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from time import monotonic
from typing import Literal

from auditor.cli import log
from auditor.cli.board import Board, Glance
from auditor.cli.screen import (
    count_rows,
    describe_pace,
    describe_phase,
    describe_statuses,
    draw_glance,
    show_seconds,
)
from auditor.display import escape
from auditor.model.host import Host
from auditor.model.report import HostReport
from auditor.model.transcript import Evidence, Failure
from auditor.reporters.text_layout import count
from auditor.transport.timeline import Step

Style = Literal["live", "plain", "none"]
_REDRAW_S = 0.25
_LISTEN_S = 1.0
_EVERY_SECONDS = 30.0
_AT_MOST_EVERY = 3.0
_NAMED = 3
# Control sequences of ECMA-48: CUU §8.3.22, EL §8.3.41, ED §8.3.39.
_CLEARED_ROW = "\x1b[2K\n"
_CLEAR_REST = "\x1b[K\n"
_CLEAR_BELOW = "\x1b[J"
_STOPPING = "stopping: what is in flight may finish, for a moment (once more: end at once)"


class Progress:
    """Shows how a run goes while it is entered as a context; is told of phases as a Watcher, and of finished hosts.

    `style` is `live` (a terminal), `plain` (a log) or `none`; `verbosity` how often -v was given.
    """

    def __init__(
        self,
        total: int,
        style: Style,
        verbosity: int = 0,
        *,
        color: bool = False,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._board = Board(total, clock)
        self._style = style
        self._verbosity = verbosity
        self._color = color
        self._clock = clock
        self._spoke = clock()
        self._tenths = 0
        self._told = False
        self._drawn: Sequence[str] = ()
        self._over = threading.Event()
        self._stack = ExitStack()

    def __enter__(self) -> "Progress":
        if self._style == "live":
            self._stack.enter_context(log.show_live(self))
        if self._style != "none":
            ticker = threading.Thread(target=self._tick, name="netaudit-progress", daemon=True)
            ticker.start()
            self._stack.callback(ticker.join)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._over.set()
        self._stack.close()

    @property
    def shows_phases(self) -> bool:
        """Whether anybody sees what it is told of phases."""
        return self._style != "none" or self._verbosity > 0

    def begin(self, host: Host, step: Step) -> None:
        """See Watcher."""
        self._board.begin(host, step)

    def end(self, host: Host, step: Step) -> None:
        """See Watcher."""
        self._board.end(host, step)
        if self._verbosity > 1 and not self._over.is_set():  # a host that was left behind is not heard of any more
            _say_step(host, step)

    def rest(self, host: Host) -> None:
        """Take note that a host's turn is over, whether or not that was its last."""
        self._board.rest(host)

    def count(self, name: str, status: str, detail: str = "") -> None:
        """Take note of one finished host."""
        seconds, steps = self._board.land(name, status)
        if self._verbosity:
            _say_host(name, status, detail, seconds, steps)

    def speak(self) -> None:
        """Say what is due: that the run is being stopped, and how things stand.

        The latter with every tenth of the hosts and every half minute, but not too often.
        """
        if log.is_stopping() and not self._told:
            self._told = True
            log.say("stopping", _STOPPING, "warning")
        glance = self._board.look()
        tenths = 10 * glance.done // glance.total if glance.total else 0
        now = self._clock()
        silent = now - self._spoke
        if silent >= _EVERY_SECONDS or (silent >= _AT_MOST_EVERY and tenths > self._tenths):
            self._tenths, self._spoke = tenths, now
            _say_glance(glance)

    def draw(self) -> str:
        """See Live."""
        return "".join(f"{line}\n" for line in self._compose())

    def erase(self) -> str:
        """See Live."""
        rows = self._count_rows()
        self._drawn = ()
        return f"{_go_up(rows)}{_CLEARED_ROW * rows}{_go_up(rows)}"

    def redraw(self) -> str:
        """See Live. Rows are written over one by one: a screen that is cleared as a whole flickers, or scrolls away."""
        rows = self._count_rows()
        return f"{_go_up(rows)}{''.join(f'{line}{_CLEAR_REST}' for line in self._compose())}{_CLEAR_BELOW}"

    def _compose(self) -> Sequence[str]:
        width, height = _measure_terminal()
        self._drawn = draw_glance(self._board.look(), width, height, color=self._color)
        if log.is_stopping():
            self._drawn = [*self._drawn, _STOPPING[: width - 1]]
        return self._drawn

    def _count_rows(self) -> int:
        return count_rows([_strip_color(line) for line in self._drawn], _measure_terminal()[0])

    def _tick(self) -> None:
        while not self._over.wait(_REDRAW_S if self._style == "live" else _LISTEN_S):
            if self._style == "live":
                log.redraw()
            else:
                self.speak()


def _go_up(rows: int) -> str:
    return f"\r\x1b[{rows}A" if rows else ""


def _measure_terminal() -> tuple[int, int]:
    """Return the columns and rows of the terminal on standard error: standard output may be elsewhere."""
    with suppress(OSError, ValueError, AttributeError):
        size = os.get_terminal_size(log.stderr().fileno())  # type: ignore[union-attr]  # None has no fileno, see above
        if size.columns and size.lines:
            return size
    return shutil.get_terminal_size()


def _strip_color(line: str) -> str:
    head, *rest = line.split("\x1b[")
    return head + "".join(part.partition("m")[2] for part in rest)


def _say_step(host: Host, step: Step) -> None:
    name = escape(host.name, 253) + (f" via {escape(step.via, 253)}" if step.via else "")
    found = str(step.error) if step.error else ", ".join(escape(note, 500) for note in step.notes)
    log.say(
        "phase",
        f"{name}: {step.phase} {step.seconds:.3f} s{f': {found}' if found else ''}",
        "debug",
        host=host.name,
        phase=step.phase,
        via=step.via or None,
        seconds=round(step.seconds, 6),
        found=step.notes,
        failed=step.error is not None,
    )


def _say_host(name: str, status: str, detail: str, seconds: float, steps: Sequence[Step]) -> None:
    took: dict[str, float] = {}
    for step in steps:
        label = f"{step.phase} of {step.via}" if step.via else step.phase
        took[label] = took.get(label, 0.0) + step.seconds
    phases = ", ".join(f"{escape(label)} {spent:.2f}" for label, spent in took.items())
    text = f"{escape(name, 253)}: {status}{f' ({escape(detail, 500)})' if detail else ''}"
    if took:
        text += f" in {seconds:.2f} s: {phases}"
    phases_json = {label: round(spent, 6) for label, spent in took.items()}
    log.say("host", text, host=name, status=status, detail=detail, seconds=round(seconds, 6), phases=phases_json)


def _say_glance(glance: Glance) -> None:
    slowest = glance.in_flight[:_NAMED]
    named = (f"{escape(one.name, 60)} {show_seconds(one.age)} {describe_phase(one)}".rstrip() for one in slowest)
    text = f"{describe_pace(glance)}  ({describe_statuses(glance.statuses) or 'none done'})"
    if slowest:
        text += f"; longest at work: {', '.join(named)}"
    log.say(
        "progress",
        text,
        done=glance.done,
        total=glance.total,
        statuses=glance.statuses,
        per_second=glance.rate and round(glance.rate, 3),
        seconds_left=glance.left and round(glance.left, 1),
        in_flight=len(glance.in_flight),
        longest=[{"host": one.name, "phase": one.phase, "seconds": round(one.age, 3)} for one in slowest],
    )


def choose_style(quiet: bool, verbose: bool) -> Style:
    """Return how to show progress here: nothing when quiet, no live lines in a log, in CI or between verbose lines."""
    if quiet:
        return "none"
    stream = log.stderr()
    on_terminal = stream is not None and stream.isatty() and os.environ.get("TERM") != "dumb"
    return "live" if on_terminal and not os.environ.get("CI") and not verbose and not log.is_json() else "plain"


def describe_outcome(evidence: Evidence, report: HostReport | None) -> tuple[str, str]:
    """Return (status, detail) for a finished host; without a report it was only collected."""
    outcome = evidence.outcome
    if isinstance(outcome, Failure):
        return "unreachable", f"{outcome.phase}/{outcome.code}: {outcome.message}"
    if report is None:
        return "collected", f"{len(outcome.stdout)} bytes"
    if report.gaps:
        return report.status, f"{report.gaps[0].source}: {report.gaps[0].reason}"
    return report.status, f"{count(len(report.listeners), 'listener')}, {count(len(report.findings), 'finding')}"
