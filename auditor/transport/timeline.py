"""What is being done for a host, told while it is done: its phases as they begin, and as they end.

    with watch(host, watcher):                whoever wants to know, around `Transport.run`
        with step("tcp", host) as note:       a transport, around each phase
            note("10.0.0.21:22")              and what it found

The watcher belongs to the host at work (a context variable, PEP 567), so that no phase has to hand it on; without one,
a step costs next to nothing. A watcher is told in the thread that does the work and must be quick.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from time import monotonic
from typing import Protocol

from auditor.errors import AuditorError, Phase
from auditor.model.host import Host


@dataclass(slots=True)
class Step:
    """One phase: `via` names the jump host whose phase it is ("": the host itself), `notes` say what was found.

    `seconds` is how long it took; `error` why it failed (None: it did not). `began` is by the monotonic clock, which is
    the same in every process; None: now, as far as anybody knows.
    """

    phase: Phase
    via: str
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    error: AuditorError | None = None
    began: float | None = None


class Watcher(Protocol):
    """Is told of every phase of every host, from many threads at once."""

    def begin(self, host: Host, step: Step, /) -> None: ...
    def end(self, host: Host, step: Step, /) -> None: ...


_watching: ContextVar[tuple[Host, Watcher] | None] = ContextVar("watching", default=None)


@contextmanager
def watch(host: Host, watcher: Watcher) -> Iterator[None]:
    """Tell `watcher` of the steps taken for `host` here until the block ends."""
    token = _watching.set((host, watcher))
    try:
        yield
    finally:
        _watching.reset(token)


def watching() -> tuple[Host, Watcher] | None:
    """Return the host at work here and who is told of it, for another thread to tell."""
    return _watching.get()


class step:  # noqa: N801  # a class for its speed; who uses it reads it as a function
    """Mark a phase, of the host at work or of a jump host on the way there; yield what takes notes of what it found.

    Changes nothing about the block: what it raises comes through, and what the watcher does is its own affair.
    """

    __slots__ = ("_began", "_hop", "_phase", "_step", "_watching")

    def __init__(self, phase: Phase, hop: Host) -> None:
        self._phase = phase
        self._hop = hop

    def __enter__(self) -> Callable[[str], None]:
        self._watching = told = _watching.get()
        if told is None:
            return _forget
        host, watcher = told
        self._began = monotonic()
        self._step = this = Step(self._phase, "" if self._hop.name == host.name else self._hop.name, began=self._began)
        watcher.begin(host, this)
        return this.notes.append

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if self._watching is None:
            return
        host, watcher = self._watching
        if isinstance(error, AuditorError):
            self._step.error = error
        self._step.seconds = monotonic() - self._began
        watcher.end(host, self._step)


def _forget(_note: str) -> None:
    """Take no note: nobody watches."""
