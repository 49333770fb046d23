"""Seconds in, an end that always comes: deadlines on the monotonic clock, and the thread that enforces them.

Everything that is waited for has a timeout of its own; the watchdog is for what has none (a library that waits for an
answer for ever, a peer that never reads). It calls back from its own thread, so a callback must not block.
"""

import itertools
import math
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager

Callback = Callable[[], None]
_Entry = tuple[float, Callback]
_LINGER_S = 0.5


class Deadline:
    """A moment `seconds` from now on the monotonic clock, which no clock change moves."""

    def __init__(self, seconds: float, at: float | None = None) -> None:
        self.seconds = seconds
        self.at = time.monotonic() + seconds if at is None else at

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self.at

    def left(self, limit: float = math.inf) -> float:
        """Return the seconds that remain, at most `limit`, at least 0."""
        return max(0.0, min(limit, self.at - time.monotonic()))

    def within(self, limit: float) -> "Deadline":
        """Return the deadline of a step: `limit` seconds from now, or this one when that comes first."""
        left = self.left()
        return Deadline(limit) if limit < left else Deadline(left, self.at)


class Watchdog:
    """One thread for any number of deadlines; it ends when there has been none to wait for for a while.

    Guarding takes no lock, and a deadline that comes to nothing, as nearly all do, no switch of threads.
    """

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._numbers = itertools.count()
        self._news = threading.Event()
        self._wakes_at = math.inf
        self._starting = threading.Lock()
        self._running = False

    def guard(self, deadline: Deadline, callback: Callback) -> AbstractContextManager[None]:
        """Call `callback` once if `deadline` passes before the block ends."""
        return _Guard(self, deadline.at, callback)

    def add(self, at: float, callback: Callback) -> int:
        """Have `callback` called at a moment of the monotonic clock, unless what is returned is dropped before."""
        number = next(self._numbers)
        self._entries[number] = (at, callback)
        if at < self._wakes_at:
            self._news.set()
        if not self._running:
            self._start()
        return number

    def drop(self, number: int) -> None:
        self._entries.pop(number, None)

    def _start(self) -> None:
        with self._starting:
            if not self._running:
                threading.Thread(target=self._watch, name="netaudit-watchdog", daemon=True).start()
                self._running = True

    def _watch(self) -> None:
        idle_since = time.monotonic()
        while True:
            self._wakes_at = math.inf  # what is added while we look wakes us
            self._news.clear()
            first = self._call_due(time.monotonic())
            if first is not None:
                idle_since = time.monotonic()
                self._wakes_at = first
            elif self._ends(idle_since):
                return
            self._news.wait(_LINGER_S if first is None else min(_LINGER_S, max(0.0, first - time.monotonic())))

    def _call_due(self, now: float) -> float | None:
        """Call back whose time is up; return when the next is due."""
        entries = self._entries.copy()
        due = sorted((at, number) for number, (at, _) in entries.items() if at <= now)
        for _, number in due:
            if entry := self._entries.pop(number, None):
                entry[1]()
        return min((at for at, _ in entries.values() if at > now), default=None)

    def _ends(self, idle_since: float) -> bool:
        """Return whether there has been nothing to do for long enough, and then let a new thread be started."""
        if time.monotonic() - idle_since < _LINGER_S:
            return False
        with self._starting:
            self._running = False
            if self._entries:  # it came a moment ago, and may have seen the thread running
                self._running = True
        return not self._running


class _Guard:
    """The block of `Watchdog.guard`."""

    __slots__ = ("_at", "_callback", "_number", "_watchdog")

    def __init__(self, watchdog: Watchdog, at: float, callback: Callback) -> None:
        self._watchdog = watchdog
        self._at = at
        self._callback = callback

    def __enter__(self) -> None:
        self._number = self._watchdog.add(self._at, self._callback)

    def __exit__(self, *exc_info: object) -> None:
        self._watchdog.drop(self._number)
