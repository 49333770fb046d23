"""What is asked of every host, and what each has to show."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from auditor.cli.options import DEFAULT_JOBS
from auditor.model.facts import Gap
from auditor.model.names import Names
from auditor.model.snapshot import Snapshot
from auditor.model.transcript import Failure, Transcript
from auditor.netstat.block import Block
from auditor.netstat.rows import Fields
from auditor.netstat.view import View
from auditor.netstat.where import Where

Screen = Literal["sockets", "states", "routes", "interfaces", "statistics", "link"]
Records = dict[str, list[Fields]]
"""The rows of each table by its name."""


@dataclass(frozen=True, slots=True)
class Request:
    """Which hosts to ask, how, and where the answer goes; `formats` are the flags that choose one."""

    target: str
    seconds: str | None = None
    limit: Sequence[str] | None = None
    timeout: float | None = None
    allow_empty: bool = False
    jobs: int = DEFAULT_JOBS
    quiet: bool = False
    verbosity: int = 0
    save: Path | None = None
    continuous: bool = False
    formats: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Wish:
    """Which screen, what of it, which rows; `owners`: find out who holds the sockets.

    `records`: as fields for programs, not as lines for people.
    """

    screen: Screen
    view: View
    where: Where | None = None
    owners: bool = False
    records: bool = False


class Answer(NamedTuple):
    """What one host sent, taken apart as far as every screen needs it."""

    host: str
    snapshot: Snapshot
    transcript: Transcript
    names: Names


@dataclass(frozen=True, slots=True)
class Shown:
    """What one host has to show: lines for people or records for programs; what is missing, and why; what to note."""

    host: str
    blocks: tuple[Block, ...] = ()
    records: Records | None = None
    gaps: tuple[Gap, ...] = ()
    notes: tuple[str, ...] = ()
    failure: Failure | None = None

    @property
    def status(self) -> Literal["ok", "incomplete", "unreachable"]:
        if self.failure is not None:
            return "unreachable"
        return "incomplete" if self.gaps else "ok"
