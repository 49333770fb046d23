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
_LINGER_S = 0.5
_MOST_DEAD = 1000


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

    A deadline that comes to nothing, as nearly all do, costs no switch of threads: it is left for the thread to find.
    """

    def __init__(self) -> None:
        self._entries: list[tuple[float, int]] = []
        self._callbacks: dict[int, Callback] = {}
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._running = False

    @contextmanager
    def guard(self, deadline: Deadline, callback: Callback) -> Iterator[None]:
        """Call `callback` once if `deadline` passes before the block ends."""
        number = next(self._numbers)
        with self._changed:
            self._callbacks[number] = callback
            self._push(deadline.at, number)
        try:
            yield
        finally:
            with self._changed:
                self._callbacks.pop(number, None)

    def _push(self, at: float, number: int) -> None:
        if len(self._entries) > 2 * len(self._callbacks) + _MOST_DEAD:
            self._entries = [entry for entry in self._entries if entry[1] in self._callbacks]
            heapq.heapify(self._entries)
        heapq.heappush(self._entries, (at, number))
        if not self._running:
            self._running = True
            threading.Thread(target=self._watch, name="netaudit-watchdog", daemon=True).start()
        elif self._entries[0][1] == number:
            self._changed.notify()

    def _watch(self) -> None:
        while (due := self._next_due()) is not None:
            due()

    def _next_due(self) -> Callback | None:
        """Wait for the next deadline that is still wanted and return its callback; None when none came for a while."""
        idle_since = time.monotonic()
        with self._changed:
            while self._callbacks or time.monotonic() - idle_since < _LINGER_S:
                wait = self._wait_for_first()
                if wait <= 0:
                    return self._callbacks.pop(heapq.heappop(self._entries)[1])
                if self._callbacks:
                    idle_since = time.monotonic()
                self._changed.wait(min(wait, _LINGER_S))
            self._entries.clear()
            self._running = False
            return None

    def _wait_for_first(self) -> float:
        """Return the seconds to the first deadline that is still wanted."""
        while self._entries and self._entries[0][1] not in self._callbacks:
            heapq.heappop(self._entries)
        return self._entries[0][0] - time.monotonic() if self._entries else _LINGER_S
