"""Hosts in; the one to call on next, out; how it went, in again.

Hosts are shuffled, the same way in every process for the same run, and taken from one *lane* after the other: a lane is
a subnet (/24, /64), the domain of names, or a jump host. A lane that does not answer is slowed down: while hosts of
others wait, it gets few at a time, so that a dead subnet does not hold up the living; when nobody else waits, it gets
whatever is free. No more than `MOST_BEHIND_JUMP` go through one jump host at a time. What may have been lost on the way
is tried once more, last of all, in what is left of the host's own time.

No clock, no threads and no chance in here; nothing of it shows in a report.
"""

import hashlib
from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, ip_address, ip_network

from auditor.model.host import Host
from auditor.model.transcript import Failure, Transcript

MOST_BEHIND_JUMP = 64
_FIRST_WIDTH = 4
_MOST_REPEATS_OF_THE_DEAD = 8
"""How many hosts of a lane in which nobody has answered are tried again: the rest would only take as long once more."""
_LEAST_SECONDS = 1.0
_SILENT = frozenset({"dns-timeout", "tcp-timeout", "tcp-unreachable", "banner-timeout", "kex-timeout"})
"""Codes of hosts that cost their whole wait and said nothing."""
_REPEATED = frozenset({"tcp-timeout", "tcp-reset", "closed-before-banner", "throttled", "jump-failed"})
"""Codes of what may go better later. Never a refusal: a login tried again can lock an account, or earn a penalty."""


@dataclass(slots=True, eq=False)
class _Lane:
    most: float
    waiting: deque["Turn"] = field(default_factory=deque)
    width: int = _FIRST_WIDTH
    in_flight: int = 0
    answered: int = 0
    repeated: int = 0

    def has_room(self) -> bool:
        return self.in_flight < min(self.width, self.most)

    def may_have_more(self) -> bool:
        return self.in_flight < self.most


@dataclass(slots=True, eq=False)
class Turn:
    """A host whose turn it is, and the seconds it has; `again`: for the second time."""

    host: Host
    seconds: float
    lane: _Lane
    again: bool = False


class Schedule:
    """The hosts of a run that are still to be called on. Belongs to one thread."""

    def __init__(self, hosts: Iterable[Host], seed: str) -> None:
        lanes: dict[Hashable, _Lane] = {}
        for host in sorted(hosts, key=lambda host: hashlib.sha256(f"{seed}|{host.name}".encode()).digest()):
            key = _lane_of(host)
            lane = lanes.setdefault(key, _Lane(MOST_BEHIND_JUMP if key[0] == "jump" else float("inf")))
            lane.waiting.append(Turn(host, host.timeout, lane))
        self._lanes = deque(lanes.values())
        self._again: deque[Turn] = deque()

    def take(self) -> Turn | None:
        """Return the next turn; None when there is none, or none until one of those taken is settled."""
        lane = self._find(_Lane.has_room) or self._find(_Lane.may_have_more)
        turn = None
        if lane is not None:
            turn = lane.waiting.popleft()
            if not lane.waiting:
                self._lanes.pop()
        elif not self._lanes:
            turn = self._take_again()
        if turn is not None:
            turn.lane.in_flight += 1
        return turn

    def settle(self, turn: Turn, outcome: Transcript | Failure, seconds: float) -> bool:
        """Learn how a turn went and how long it took; return whether that is final, or the host gets another turn."""
        lane = turn.lane
        lane.in_flight -= 1
        code = outcome.code if isinstance(outcome, Failure) else ""
        if code in _SILENT:
            lane.width = max(1, lane.width // 2)
        else:
            lane.width += 1
            lane.answered += code not in _REPEATED
        left = turn.seconds - seconds
        hopeless = not lane.answered and lane.repeated >= _MOST_REPEATS_OF_THE_DEAD
        if turn.again or code not in _REPEATED or left < _LEAST_SECONDS or hopeless:
            return True
        lane.repeated += 1
        self._again.append(Turn(turn.host, left, lane, again=True))
        return False

    def _find(self, condition: Callable[[_Lane], bool]) -> _Lane | None:
        """Return the next lane that meets the condition, and move it to the end of the row."""
        for _ in range(len(self._lanes)):
            lane = self._lanes[0]
            self._lanes.rotate(-1)
            if condition(lane):
                return lane
        return None

    def _take_again(self) -> Turn | None:
        for _ in range(len(self._again)):
            turn = self._again.popleft()
            if turn.lane.may_have_more():
                return turn
            self._again.append(turn)
        return None


def _lane_of(host: Host) -> tuple[str, Hashable]:
    """Return what says which hosts share a way: only the first jump host is ours to spare."""
    if host.connection != "ssh":
        return "here", None
    if host.jump:
        return "jump", host.jump[0]
    if host.ssh.proxy_command is not None:
        return "proxy", None
    try:
        address = ip_address(host.address.partition("%")[0])
    except ValueError:
        return "domain", host.address.partition(".")[2].lower()
    bits = 24 if isinstance(address, IPv4Address) else 64
    return "subnet", ip_network((address, bits), strict=False)
