"""Heads of runs in, the trend of findings and of hosts not audited out: a chart, and its numbers as rows."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple, Protocol

from auditor.model.policy import SEVERITIES, Severity
from auditor.model.report import Run, Summary, Verdict
from auditor.reporters.html_hosts import spell_time
from auditor.reporters.past_runs import say_limit

MOST = 40
"""Runs drawn, the latest ones."""
_STEP, _WIDTH = 22, 16
_TALL, _SMALL, _GAP = 96, 30, 10
_LEFT = 44
"""Pixels: of a bar and its place, of the two parts of the chart and between them, and of the room for the scale."""


class RunHead(Protocol):
    """What a report says before its hosts; reports and heads of saved ones both do."""

    @property
    def run(self) -> Run: ...
    @property
    def verdict(self) -> Verdict: ...
    @property
    def summary(self) -> Summary: ...


class Piece(NamedTuple):
    """A piece of a bar: its class in the style sheet, where it begins from above, and how high it is."""

    kind: str
    y: float
    height: float


class TrendRun(NamedTuple):
    """One run: its place in the chart, its pieces, and its numbers; None: no host was read, and nothing is known.

    `limit` says how few of the inventory's hosts it was about; '' for all of them, as far as that is known.
    """

    id: str
    started: str
    verdict: Verdict
    partial: bool
    x: int
    pieces: tuple[Piece, ...]
    found: int | None
    counts: tuple[tuple[Severity, int | None], ...]
    unread: int
    hosts: int
    limit: str


class Trend(NamedTuple):
    """Runs, oldest first. `most` and `most_unread` are what the highest bars of the two parts stand for."""

    runs: tuple[TrendRun, ...]
    width: int
    height: int
    most: int
    most_unread: int

    @property
    def uneven(self) -> bool:
        """Whether some runs are about fewer hosts than others of the inventory."""
        return any(run.partial or run.limit for run in self.runs)

    @property
    def bar(self) -> int:
        """How wide a bar is."""
        return _WIDTH

    @property
    def base(self) -> int:
        """Where the bars of findings stand."""
        return _TALL

    @property
    def top(self) -> int:
        """Where the part of the hosts not audited begins."""
        return _TALL + _GAP


def build_trend(heads: Sequence[RunHead]) -> Trend | None:
    """Return the trend of the latest runs; None for fewer than two, which show none."""
    latest = sorted(heads, key=lambda head: (head.run.started_at.isoformat(), head.run.id))[-MOST:]
    if len(latest) < 2:
        return None
    most = max(sum(_count(head)) for head in latest)
    most_unread = max(_unread(head) for head in latest)
    runs = tuple(_place(head, _LEFT + at * _STEP, most, most_unread) for at, head in enumerate(latest))
    return Trend(runs, _LEFT + len(runs) * _STEP, _TALL + _GAP + _SMALL, most, most_unread)


def _count(head: RunHead) -> list[int]:
    return [getattr(head.summary.findings, level) for level in SEVERITIES]


def _unread(head: RunHead) -> int:
    return head.summary.hosts.incomplete + head.summary.hosts.unreachable


def _place(head: RunHead, x: int, most: int, most_unread: int) -> TrendRun:
    counts = _count(head)
    known = head.summary.measured
    return TrendRun(
        id=head.run.id,
        started=spell_time(head.run.started_at),
        verdict=head.verdict,
        partial=head.run.partial,
        x=x,
        pieces=tuple(_pile(counts, most, _unread(head), most_unread, clean=known and not sum(counts) + _unread(head))),
        found=sum(counts) if known else None,
        counts=tuple((level, count if known else None) for level, count in zip(SEVERITIES, counts, strict=True)),
        unread=_unread(head),
        hosts=head.summary.hosts.total,
        limit=say_limit(head.run),
    )


def _pile(counts: Sequence[int], most: int, unread: int, most_unread: int, *, clean: bool) -> Iterator[Piece]:
    """Yield the pieces of a bar, the worst at its foot; a few findings beside many still show, and so does `clean`."""
    foot = float(_TALL)
    for level, count in zip(SEVERITIES, counts, strict=True):
        if count:
            height = max(2.0, count / most * (_TALL - 2 * len(counts)))
            foot -= height
            yield Piece(f"t-{level}", round(foot, 1), round(height, 1))
    if clean:
        yield Piece("t-none", _TALL - 2, 2)
    if unread:
        yield Piece("t-unread", _TALL + _GAP, round(max(2.0, unread / most_unread * _SMALL), 1))
