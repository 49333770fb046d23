"""What changed between two reports, and what can no longer be told.

*Opened* and *closed* are said only of tables that were read on both sides. What one side could not see is never called
resolved or closed: it is `unobservable` (seen before, not visible now) or `newly-observable` (visible only now).
Nor is what another machine of the same name does not show, or what no policy that applies now is about.
"""

from typing import Literal, get_args

from pydantic import AwareDatetime

from auditor.model.facts import Proto
from auditor.model.finding import Finding
from auditor.model.policy import severity_rank
from auditor.model.value import Value

HostChangeKind = Literal["appeared", "gone", "lost", "regained"]
ListenerChangeKind = Literal["opened", "closed", "rebound", "replaced", "newly-observable", "unobservable"]
LISTENER_CHANGES: tuple[ListenerChangeKind, ...] = get_args(ListenerChangeKind)
FindingChangeKind = Literal["new", "changed", "resolved", "unobservable"]
FINDING_CHANGES: tuple[FindingChangeKind, ...] = get_args(FindingChangeKind)
Direction = Literal["widened", "narrowed", "moved"]
CaveatKind = Literal[
    "hosts", "order", "partial", "policies", "privilege", "tables", "gaps", "machine", "ephemeral-ports"
]
_BLINDING: frozenset[CaveatKind] = frozenset({"hosts", "partial", "privilege", "tables", "gaps", "machine"})
"""Caveats of what could be seen; the others say why an honest difference may not be the hosts' doing."""


class HostChange(Value):
    """A host that is in one report only, or that one of them could not reach; `reason` says why it is `lost`."""

    kind: HostChangeKind
    host: str
    reason: str = ""


class ListenerChange(Value):
    """One (netns, proto, port) of a host that differs.

    `before` and `after` are its addresses. A `rebound` one has a direction: does it reach further than before?
    A `replaced` one names who held it and who holds it now. `service` is the host's own label for the port.
    """

    kind: ListenerChangeKind
    host: str
    netns: str
    proto: Proto
    port: int
    service: str | None = None
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    direction: Direction | None = None
    owners_before: tuple[str, ...] = ()
    owners_after: tuple[str, ...] = ()


class FindingChange(Value):
    """A finding of one report only, or one whose severity or waiver differs; then `before` is the older one.

    `reason` says why one that is not there any more may not be called resolved.
    """

    kind: FindingChangeKind
    host: str
    finding: Finding
    before: Finding | None = None
    reason: str = ""


class Caveat(Value):
    """Why the two reports do not compare wholly. `host` None: it holds for all of them."""

    kind: CaveatKind
    host: str | None
    message: str


class RunRef(Value):
    """Which run a side of the comparison is."""

    id: str
    finished_at: AwareDatetime


class Delta(Value):
    """Everything that differs from `old` to `new`, sorted; a report compared with itself gives an empty one."""

    kind: Literal["netaudit.delta"] = "netaudit.delta"
    schema_version: Literal[1] = 1
    old: RunRef
    new: RunRef
    hosts: tuple[HostChange, ...] = ()
    listeners: tuple[ListenerChange, ...] = ()
    findings: tuple[FindingChange, ...] = ()
    caveats: tuple[Caveat, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether nothing differs, and nothing stood in the way of seeing it."""
        return not (self.hosts or self.listeners or self.findings or self.caveats)

    @property
    def worse(self) -> bool:
        """Whether something opened, reaches further, changed hands, or is newly wrong."""
        return any(_opens(change) for change in self.listeners) or any(_worsens(change) for change in self.findings)

    @property
    def comparable(self) -> bool:
        """Whether both sides could be seen wherever one of them was."""
        lost = any(change.kind == "lost" for change in self.hosts)
        kinds = {*(each.kind for each in self.listeners), *(each.kind for each in self.findings)}
        return not (lost or "unobservable" in kinds or any(caveat.kind in _BLINDING for caveat in self.caveats))


def _opens(change: ListenerChange) -> bool:
    return change.kind in {"opened", "replaced"} or change.direction in {"widened", "moved"}


def _worsens(change: FindingChange) -> bool:
    """Return whether a finding that no waiver covers is new, was waived before, or is rated worse than it was."""
    now, before = change.finding, change.before
    if change.kind not in {"new", "changed"} or now.waived is not None:
        return False
    return before is None or before.waived is not None or severity_rank(now.severity) > severity_rank(before.severity)
