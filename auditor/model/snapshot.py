"""A transcript after unframing: raw sections, each with how its read went.

These are made some forty times for a host, of values that were checked just before, and never leave the program: hence
a plain tuple and a dataclass, a tenth of the price of models.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

from auditor.model.facts import Gap

ReadStatus = Literal["ok", "absent", "denied", "error", "truncated"]


class Section(NamedTuple):
    """One file or command of the script.

    `name` is the script's word for it (`tcp`, `sockstat.1`, `uname`); `data` the exact bytes read, without frame
    prefixes (a missing newline at the end is preserved). `truncated`: what is here may not be all of it. `udp` and
    `udp6` hold three readings of the table, each with its header.
    """

    name: str
    status: ReadStatus
    data: bytes = b""

    @property
    def text(self) -> str:
        """The bytes as one Latin-1 character each: total, reversible, and never a decoding error."""
        return self.data.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything one host answered. `gaps` are what the frame could not vouch for (END missing, forged lines…).

    `noise` is the beginning of what was printed around the frame (a login banner, a message of the day): harmless.
    """

    sections: dict[str, Section]
    gaps: tuple[Gap, ...] = ()
    noise: bytes = b""
