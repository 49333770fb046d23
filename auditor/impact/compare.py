"""Pairs of reports on one host in, what changes from the one to the other out."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

from auditor.model.finding import Finding
from auditor.model.policy import Severity
from auditor.model.report import HostReport, HostStatus, decides
from auditor.model.value import Value


class Change(Value):
    """One finding that newly fails, or no longer does, on these hosts: the same in rule, subject and deciding line."""

    finding: Finding
    hosts: tuple[str, ...]


class Turn(Value):
    """A host whose status changes."""

    host: str
    groups: tuple[str, ...]
    before: HostStatus
    after: HostStatus


class Impact(Value):
    """What two sets of policies make of the same evidence.

    `before` and `after` count hosts by status. `fails` and `passes` are findings that newly decide a run, or no longer
    do: a finding that is gone, waived or now below the gate no longer does. `turns` are sorted by host. `partial`:
    hosts may be missing from the evidence.
    """

    kind: Literal["netaudit.policy-impact"] = "netaudit.policy-impact"
    schema_version: Literal[1] = 1
    hosts: int
    before: dict[HostStatus, int]
    after: dict[HostStatus, int]
    turns: tuple[Turn, ...]
    fails: tuple[Change, ...]
    passes: tuple[Change, ...]
    partial: bool = False

    @property
    def newly_failing(self) -> tuple[Turn, ...]:
        """Return the hosts that were compliant and are not any more."""
        return tuple(turn for turn in self.turns if turn.before == "compliant")

    @property
    def newly_passing(self) -> tuple[Turn, ...]:
        """Return the hosts that become compliant."""
        return tuple(turn for turn in self.turns if turn.after == "compliant")

    @property
    def worse(self) -> bool:
        """Return whether anything fails that passed before."""
        return bool(self.fails or self.newly_failing)


_Key = tuple[str, str, str, str, str]


def compare(pairs: Iterable[tuple[HostReport, HostReport]], fail_on: Severity) -> Impact:
    """Return the impact on all hosts. The two of a pair are of one host, and of the same evidence."""
    before: Counter[HostStatus] = Counter()
    after: Counter[HostStatus] = Counter()
    turns: list[Turn] = []
    fails: dict[_Key, list[tuple[str, Finding]]] = {}
    passes: dict[_Key, list[tuple[str, Finding]]] = {}
    for old, new in pairs:
        before[old.status] += 1
        after[new.status] += 1
        if old.status != new.status:
            turns.append(Turn(host=old.name, groups=old.groups, before=old.status, after=new.status))
        _note_more(fails, old, new, fail_on)
        _note_more(passes, new, old, fail_on)
    return Impact(
        hosts=before.total(),
        before=dict(sorted(before.items())),
        after=dict(sorted(after.items())),
        turns=tuple(sorted(turns, key=lambda turn: turn.host)),
        fails=_list_changes(fails),
        passes=_list_changes(passes),
    )


def _note_more(
    noted: dict[_Key, list[tuple[str, Finding]]], less: HostReport, more: HostReport, fail_on: Severity
) -> None:
    """Note the deciding findings that `more` has and `less` has not."""
    known = {finding.id for finding in less.findings if decides(finding, fail_on)}
    for finding in more.findings:
        if decides(finding, fail_on) and finding.id not in known:
            key = (finding.severity, finding.rule, finding.subject, finding.message, str(finding.origin))
            noted.setdefault(key, []).append((more.name, finding))


def _list_changes(noted: dict[_Key, list[tuple[str, Finding]]]) -> tuple[Change, ...]:
    changes = [
        Change(finding=found[0][1], hosts=tuple(sorted(host for host, _ in found)))
        for _, found in sorted(noted.items())
    ]
    return tuple(sorted(changes, key=lambda change: -len(change.hosts)))
