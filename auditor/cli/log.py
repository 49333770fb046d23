"""Standard error: lines for a person, or one JSON object a line for a program (`--log-format json`).

Everything a command says beside its results goes through `say`. While a live display is on the screen it is taken off
for each line, and for whatever else is written inside `aside`, so that the two never mix.
"""

import io
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Literal, Protocol, TextIO

from auditor.cli.clock import read_clock
from auditor.display import escape
from auditor.errors import AuditorError, DocumentError, Problem, UsageError

if TYPE_CHECKING:
    from typing_extensions import Buffer  # collections.abc has it from Python 3.12 on

LogFormat = Literal["text", "json"]
Level = Literal["debug", "info", "warning", "error"]
VARIABLE = "NETAUDIT_LOG_FORMAT"


class Live(Protocol):
    """Something on the screen that changes in place: what to write so that it goes, is there, or is up to date."""

    def erase(self) -> str: ...
    def draw(self) -> str: ...
    def redraw(self) -> str: ...


class _Log:
    """Where lines go, in which form, and what else is on the screen. One for the program: there is one stderr."""

    def __init__(self) -> None:
        self.format: LogFormat = "text"
        self.below: TextIO | None = None  # standard error itself, while something else stands in its place
        self.live: Live | None = None
        self.lock = threading.RLock()
        self.stopping = False


_log = _Log()


def choose_format(chosen: LogFormat | None) -> None:
    """Write lines in this form from now on; None changes nothing. JSON holds for what libraries print, too."""
    if chosen is None or chosen == _log.format:
        return
    _log.format = chosen
    if chosen == "json" and sys.stderr is not None:
        _log.below = sys.stderr
        sys.stderr = io.TextIOWrapper(_StrayLines(), "utf-8", "surrogateescape", write_through=True)
    elif chosen == "text" and _log.below is not None:
        sys.stderr, _log.below = _log.below, None


def is_json() -> bool:
    """Return whether lines are JSON."""
    return _log.format == "json"


def say(event: str, text: str, level: Level = "info", **fields: object) -> None:
    """Write `text`, or the event with its fields as JSON. A standard error that takes nothing costs no result."""
    with aside():
        _write((_encode(event, text, level, fields) if is_json() else text) + "\n")


def warn(text: str, **fields: object) -> None:
    """Write `warning: TEXT`."""
    say("warning", text if is_json() else f"warning: {text}", "warning", **fields)


def say_error(error: AuditorError) -> None:
    """Write an error with its next step; of a file, every problem with its place."""
    if not is_json():
        say("error", str(error), "error")
    elif isinstance(error, DocumentError):
        for problem in error.problems:
            say_problem(problem)
    else:
        say("error", escape(error.message), "error", hint=escape(error.hint))


def say_problem(problem: Problem) -> None:
    """Write one problem of a file as JSON."""
    place = {"file": problem.file, "line": problem.line, "column": problem.column}
    say("problem", escape(problem.message), problem.level, **place, hint=escape(problem.hint))


@contextmanager
def aside() -> Iterator[None]:
    """Have the screen to oneself: the live display, if there is one, comes back at the end of the block."""
    with _log.lock:
        live = _log.live
        if live is not None:
            _write(live.erase())
        try:
            yield
        finally:
            if live is not None:
                _write(live.draw())


@contextmanager
def show_live(live: Live) -> Iterator[None]:
    """Keep `live` on the screen until the block ends."""
    _log.live = live
    try:
        yield
    finally:
        with _log.lock:
            _write(live.erase())
            _log.live = None


def note_stop() -> None:
    """Take note that a signal asked for the end. Writes nothing itself: safe in a signal handler."""
    _log.stopping = True


def is_stopping() -> bool:
    """Return whether a signal asked for the end."""
    return _log.stopping


def redraw() -> None:
    """Bring the live display up to date."""
    with _log.lock:
        if _log.live is not None:
            _write(_log.live.redraw())


def stderr() -> TextIO | None:
    """Return standard error itself."""
    return _log.below or sys.stderr


def _write(text: str) -> None:
    with suppress(OSError, ValueError):
        if (stream := stderr()) is not None:
            stream.write(text)
            stream.flush()


def _encode(event: str, text: str, level: Level, fields: Mapping[str, object]) -> str:
    import json

    return json.dumps({"time": _read_time(), "level": level, "event": event, "message": text, **fields}, default=str)


def _read_time() -> str | None:
    with suppress(UsageError):  # a clock set wrongly is an error of its own, told by whoever needs the time
        return read_clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return None


class _StrayLines(io.RawIOBase):
    """Takes the place of standard error when lines are JSON: what others print there becomes JSON, line by line."""

    def __init__(self) -> None:
        super().__init__()
        self._begun = b""

    def writable(self) -> bool:
        return True

    def write(self, data: "Buffer") -> int:
        *lines, self._begun = (self._begun + bytes(data)).split(b"\n")
        for line in lines:
            if line.strip():
                say("message", escape(line.decode("utf-8", "surrogateescape")), "warning")
        return memoryview(data).nbytes
