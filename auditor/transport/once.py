"""Slow work that many hosts need: done for the first who asks, and remembered, failures included."""

import threading
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from auditor.errors import TransportError
from auditor.transport.loop import Threads, blocking

T = TypeVar("T")
_MISSING = object()


class Once:
    """Results by key. In a loop one thread does the work, so that it holds up only those who need it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._threads = Threads("netaudit-files", 1)
        self._results: dict[object, object] = {}

    def get(self, key: object, compute: Callable[[], T]) -> T:
        """Return what `compute` returned when it was first called for `key`; or raise what it raised, TransportError.

        Anything else it raises is not remembered.
        """
        result = self._results.get(key, _MISSING)
        if result is _MISSING:
            result = blocking(partial(self._find, key, compute), self._threads)
        if isinstance(result, TransportError):
            raise TransportError(result.phase, result.code, result.message, result.hint)
        return result  # type: ignore[return-value]  # stored under the same key by the same function

    def values(self) -> list[object]:
        """Return all results so far."""
        with self._lock:
            return list(self._results.values())

    def _find(self, key: object, compute: Callable[[], object]) -> object:
        with self._lock:
            if key not in self._results:
                try:
                    self._results[key] = compute()
                except TransportError as error:
                    self._results[key] = error
            return self._results[key]
