"""Phases and results of hosts in, as they happen; who is done and who is at work, and for how long, out."""

import threading
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic

from auditor.model.host import Host
from auditor.transport.timeline import Step

_WINDOW_S = 30.0
"""The rate is that of the last half minute: a fleet's beginning says little about its end."""


@dataclass(slots=True)
class Flight:
    """A host at work: since when (on the board's clock), in which phase since when, and the phases behind it."""

    name: str
    began: float
    phase: str = ""
    phase_began: float = 0.0
    resting: bool = False
    steps: list[Step] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A host at work as it is now: `age` and `phase_age` in seconds; no phase: between two, or being judged."""

    name: str
    phase: str
    age: float
    phase_age: float


@dataclass(frozen=True, slots=True)
class Glance:
    """The board at one moment. `rate` is hosts per second, `left` the seconds to go; None: nothing to tell it by."""

    done: int
    total: int
    statuses: Mapping[str, int]
    rate: float | None
    left: float | None
    in_flight: tuple[Sighting, ...]
    """The longest at work first."""


class Board:
    """Keeps track of the hosts of a run. Safe to use from several threads."""

    def __init__(self, total: int, clock: Callable[[], float] = monotonic) -> None:
        self._total = total
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}
        self._statuses: Counter[str] = Counter()
        self._landings: deque[float] = deque()

    def begin(self, host: Host, step: Step) -> None:
        """Take note that a phase began; of a host not heard of before, that it is at work."""
        now = self._clock() if step.began is None else step.began
        with self._lock:
            flight = self._flights.setdefault(host.name, Flight(host.name, now))
            if flight.resting:
                flight.began, flight.resting = now, False
            flight.phase = f"{step.phase} of {step.via}" if step.via else step.phase
            flight.phase_began = now

    def end(self, host: Host, step: Step) -> None:
        """Take note that a phase is over."""
        with self._lock:
            if flight := self._flights.get(host.name):
                flight.phase, flight.phase_began = "", self._clock()
                flight.steps.append(step)

    def rest(self, host: Host) -> None:
        """Take note that nothing is done for a host just now: it is being judged, or waits for another turn."""
        with self._lock:
            if flight := self._flights.get(host.name):
                flight.resting = True

    def land(self, name: str, status: str) -> tuple[float, list[Step]]:
        """Take note that a host is done; return how many seconds it was at work, and its phases."""
        now = self._clock()
        with self._lock:
            self._statuses[status] += 1
            flight = self._flights.pop(name, None)
            if flight is None:  # kept from an earlier run: it says nothing about the pace of this one
                return 0.0, []
            self._landings.append(now)
            return now - flight.began, flight.steps

    def look(self) -> Glance:
        """Return how things stand."""
        now = self._clock()
        with self._lock:
            while self._landings and self._landings[0] < now - _WINDOW_S:
                self._landings.popleft()
            rate = len(self._landings) / max(0.001, min(_WINDOW_S, now - self._began)) if self._landings else None
            done = self._statuses.total()
            flying = (flight for flight in self._flights.values() if not flight.resting)
            flights = sorted(flying, key=lambda flight: (flight.began, flight.name))
            return Glance(
                done=done,
                total=self._total,
                statuses=dict(sorted(self._statuses.items())),
                rate=rate,
                left=(self._total - done) / rate if rate else None,
                in_flight=tuple(_sight(flight, now) for flight in flights),
            )


def _sight(flight: Flight, now: float) -> Sighting:
    return Sighting(flight.name, flight.phase, now - flight.began, now - flight.phase_began)
