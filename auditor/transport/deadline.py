"""Seconds in, an end that always comes: deadlines on the monotonic clock, and the thread that enforces them.

Everything a worker waits for has a timeout of its own; the watchdog is for what has none (a library that waits for an
answer for ever, a peer that never reads). It calls back from its own thread, so a callback must not block.
"""

import heapq
import itertools
import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Callback = Callable[[], None]


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
    """One thread for any number of deadlines; it exists only while there is one to wait for."""

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Callback]] = []
        self._live: set[int] = set()
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._running = False

    @contextmanager
    def guard(self, deadline: Deadline, callback: Callback) -> Iterator[None]:
        """Call `callback` once if `deadline` passes before the block ends."""
        with self._changed:
            number = next(self._numbers)
            heapq.heappush(self._entries, (deadline.at, number, callback))
            self._live.add(number)
            if not self._running:
                self._running = True
                threading.Thread(target=self._watch, name="netaudit-watchdog", daemon=True).start()
            self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._live.discard(number)
                self._changed.notify()

    def _watch(self) -> None:
        while (due := self._next_due()) is not None:
            due()

    def _next_due(self) -> Callback | None:
        """Wait for the next deadline that is still wanted and return its callback; None when none is left."""
        with self._changed:
            while self._live:
                at, number, callback = self._entries[0]
                wait = at - time.monotonic()
                if number in self._live and wait > 0:
                    self._changed.wait(wait)
                    continue
                heapq.heappop(self._entries)
                if number in self._live:
                    self._live.discard(number)
                    return callback
            self._entries.clear()
            self._running = False
            return None
