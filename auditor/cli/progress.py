"""Progress on standard error: one line that is redrawn on a terminal, a plain line now and then elsewhere."""

import os
import sys
from collections import Counter
from time import monotonic
from typing import TextIO

from auditor.display import escape
from auditor.model.report import HostReport
from auditor.model.transcript import Evidence, Failure

_EVERY_SECONDS = 30.0
_AT_MOST_EVERY = 3.0
_BAR = 24


class Progress:
    """Counts hosts as they finish. `style` is `bar` (a terminal), `plain` (a log) or `none`."""

    def __init__(self, total: int, style: str, stream: TextIO | None = None, verbose: bool = False) -> None:
        self._total = total
        self._style = style
        self._stream = stream or sys.stderr
        self._verbose = verbose
        self._counts: Counter[str] = Counter()
        self._started = self._spoke = monotonic()
        self._tenths = 0

    def count(self, name: str, status: str, detail: str = "") -> None:
        """Take note of one finished host."""
        self._counts[status] += 1
        if self._verbose:
            self._clear()
            print(f"{escape(name, 253)}: {status}{f' ({escape(detail, 500)})' if detail else ''}", file=self._stream)
        if self._style == "bar":
            self._redraw()
        elif self._style == "plain":
            self._speak()

    def close(self) -> None:
        """Take the bar off the screen."""
        self._clear()

    @property
    def _done(self) -> int:
        return self._counts.total()

    def _describe(self) -> str:
        counts = ", ".join(f"{self._counts[status]} {status}" for status in sorted(self._counts))
        elapsed = monotonic() - self._started
        left = elapsed / self._done * (self._total - self._done) if self._done else 0.0
        return f"{self._done}/{self._total} hosts ({counts}), {_show_seconds(left)} left"

    def _redraw(self) -> None:
        filled = _BAR * self._done // self._total
        self._stream.write(f"\r\x1b[K[{'#' * filled}{'.' * (_BAR - filled)}] {self._describe()}")
        self._stream.flush()

    def _clear(self) -> None:
        if self._style == "bar":
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def _speak(self) -> None:
        tenths = 10 * self._done // self._total
        now = monotonic()
        silent = now - self._spoke
        if silent >= _EVERY_SECONDS or (silent >= _AT_MOST_EVERY and tenths > self._tenths):
            self._tenths, self._spoke = tenths, now
            print(self._describe(), file=self._stream)


def choose_style(quiet: bool, verbose: bool) -> str:
    """Return how to show progress here: nothing when quiet, no bar in a log, in CI or between verbose lines."""
    if quiet:
        return "none"
    on_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb" and "CI" not in os.environ
    return "bar" if on_terminal and not verbose else "plain"


def describe_outcome(evidence: Evidence, report: HostReport | None) -> tuple[str, str]:
    """Return (status, detail) for a finished host; without a report it was only collected."""
    outcome = evidence.outcome
    if isinstance(outcome, Failure):
        return "unreachable", f"{outcome.phase}/{outcome.code}: {outcome.message}"
    if report is None:
        return "collected", f"{len(outcome.stdout)} bytes"
    if report.gaps:
        return report.status, f"{report.gaps[0].source}: {report.gaps[0].reason}"
    return report.status, f"{len(report.listeners)} listeners, {len(report.findings)} findings"


def _show_seconds(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60}m{whole % 60:02d}s" if whole >= 60 else f"{whole}s"
