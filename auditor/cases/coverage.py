"""Entries and what was said of every case in; which entry no case has shown to let pass, or to stop, out.

An entry is shown from both sides when one case has a listener it decides on, and another shows where it ends:

    allow   passes: it allowed a listener      fails: one at its edge was refused, or it was missing
    deny    fails: it forbade a listener       passes: one at its edge was not forbidden by it

At its edge is a listener on one of its ports that it does not take (another address, owner or family), on the same port
number over another protocol, or on the port before the first or after the last.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from auditor.cases.case import Said
from auditor.cases.compare import Entries
from auditor.model.facts import Listener
from auditor.model.finding import Finding
from auditor.model.policy import Entry

_Key = tuple[str, str]


@dataclass(slots=True)
class Coverage:
    """What the cases tried so far have shown of each entry."""

    entries: Sequence[Entry]
    passed: set[_Key] = field(default_factory=set)
    failed: set[_Key] = field(default_factory=set)

    def note(
        self, policies: Sequence[str], said: Sequence[Said], findings: Iterable[Finding], entries: Entries
    ) -> None:
        """Take in one case: which policies apply to its host, what was said of its listeners, all findings."""
        for finding in findings:
            if finding.origin is not None and finding.rule == "missing-listener":
                self.failed |= {_key(entry) for entry in entries.get(finding.origin, ()) if entry.policy in policies}
        for entry in (entry for entry in self.entries if entry.policy in policies):
            for one in said:
                self._note_listener(entry, one)

    def _note_listener(self, entry: Entry, said: Said) -> None:
        decided = said.listener.decided_by
        hit = decided is not None and (decided.policy, decided.entry) == _key(entry)
        near = is_at_edge(entry, said.listener)
        if entry.action == "allow":
            passed, failed = hit and said.word == "allowed", near and said.word not in ("allowed", "ignored")
        else:
            failed = hit and said.word == "forbidden-listener"
            passed = near and not hit
        if passed:
            self.passed.add(_key(entry))
        if failed:
            self.failed.add(_key(entry))

    def list_lacking(self) -> list[tuple[Entry, str]]:
        """Return each entry that is not shown from both sides, and what it lacks, in the order of files and lines."""
        lacking: list[tuple[Entry, str]] = []
        for entry in sorted(self.entries, key=lambda entry: (entry.origin.file, entry.origin.line)):
            sides = (("passing", self.passed), ("failing", self.failed))
            without = [side for side, keys in sides if _key(entry) not in keys]
            if without:
                lacking.append((entry, f"no {' and no '.join(without)} case"))
        return lacking


def _key(entry: Entry) -> _Key:
    return entry.policy, entry.id


def is_at_edge(entry: Entry, listener: Listener) -> bool:
    """Return whether a listener is near enough to an entry to show where it ends."""
    return any(ports.first - 1 <= listener.port <= ports.last + 1 for ports in entry.ports)
