"""The beginning of a report.json in, what a run came to out: enough for a history, without reading its hosts.

A report.json begins with everything about the run but its hosts, one field a line; so a history of large reports is
read in the first lines of each.
"""

import json
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import quote

from pydantic import ValidationError

from auditor.model.report import Exit, Run, Summary, Verdict
from auditor.model.value import Value
from auditor.reporters.html_hosts import spell_time


class Head(Value):
    """What a report says before its hosts."""

    run: Run
    verdict: Verdict
    exit: Exit
    summary: Summary


class PastRun(NamedTuple):
    """A run's folder, the file to open there, and the head of its report; None: it cannot be read."""

    folder: str
    file: str
    head: Head | None

    @property
    def link(self) -> str:
        """A relative link to the run's page."""
        return f"{quote(self.folder.encode(errors='surrogateescape'), safe='')}/{self.file}"

    @property
    def limit(self) -> str:
        """How few of the inventory's hosts it was about; '' for all of them, as far as that is known."""
        return say_limit(self.head.run) if self.head else ""

    @property
    def started(self) -> str | None:
        return spell_time(self.head.run.started_at) if self.head else None


def say_limit(run: Run) -> str:
    """Return `1 of 13 hosts chosen` for a run that left hosts of its inventory out; else ''."""
    return f"{run.chosen} of {run.inventory.hosts} hosts chosen" if run.left_out else ""


def read_head(lines: Iterable[str]) -> Head | None:
    """Return the head of a report from the first lines of a report.json; None for anything else."""
    kept: list[str] = []
    for line in lines:
        if line.startswith('  "hosts":'):
            break
        kept.append(line)
    try:
        document = json.loads("".join(kept).rstrip().rstrip(",") + "}")
        return Head.model_validate({name: document.get(name) for name in Head.model_fields})
    except (ValueError, RecursionError, AttributeError, ValidationError):
        return None
