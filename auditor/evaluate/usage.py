"""The reports of a fleet's hosts in, what they needed of the policies out: counts, not reports."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from auditor.evaluate.waivers import is_for
from auditor.model.address import join_port
from auditor.model.facts import PROTOS
from auditor.model.finding import Finding
from auditor.model.origin import Origin
from auditor.model.policy import PolicySet, Waiver
from auditor.model.report import HostReport

NAMED = 8
"""Hosts kept by name under one matter; the others are counted."""
_OF_LISTENERS = frozenset({"unexpected-listener", "forbidden-listener", "exposed-listener", "wrong-owner"})


class Key(NamedTuple):
    """What identifies an entry or a waiver in a fleet: its place, and its id, since a line may hold several."""

    file: str
    line: int
    id: str


@dataclass(slots=True)
class Hosts:
    """How many hosts, and the first few of them by name."""

    count: int = 0
    names: list[str] = field(default_factory=list)

    def add(self, name: str) -> None:
        self.count += 1
        self.names = sorted([*self.names, name])[:NAMED]


@dataclass(slots=True)
class WaiverUse:
    """What a waiver was for and did: hosts it names, hosts it was needed on, findings and ports it covers.

    `ports` are those of listeners; `others` counts the findings that are about something else (what is missing, a name,
    a state, a queue, a port that leads elsewhere), for which more ports may be needed than these.
    """

    hosts: int = 0
    needed: Hosts = field(default_factory=Hosts)
    findings: int = 0
    ports: set[str] = field(default_factory=set)
    others: int = 0
    ended: int = 0


class Usage:
    """What a fleet needed of its policies. Hosts may be noted in any order, as they are judged."""

    def __init__(self, policies: PolicySet) -> None:
        self._waivers: dict[str, list[tuple[Key, Waiver]]] = {
            policy.name: [(key_of(waiver.id, waiver.origin), waiver) for waiver in policy.waivers]
            for policy in policies.policies
        }
        self.deciding: set[Key] = set()
        self.read: Counter[tuple[str, ...]] = Counter()
        """How many hosts were read wholly, by the policies that apply to them."""
        self.unread: Counter[tuple[str, ...]] = Counter()
        self.waivers: dict[Key, WaiverUse] = {}
        self.conflicts: dict[tuple[str, Origin], Hosts] = {}

    def note(self, report: HostReport) -> None:
        """Count one host."""
        (self.read if report.fully_audited else self.unread)[report.policies] += 1
        if report.facts is None:
            return
        decisions = {id(listener.decided_by): listener.decided_by for listener in report.listeners}
        for decided in decisions.values():  # each line has one for all the listeners that it decides
            if decided is not None and decided.entry is not None:
                self.deciding.add(Key(decided.file, decided.line, decided.entry))
        for finding in report.findings:
            if finding.rule == "service-name-conflict" and finding.origin is not None:
                self.conflicts.setdefault((finding.subject, finding.origin), Hosts()).add(report.name)
        self._note_waivers(report)

    def _note_waivers(self, report: HostReport) -> None:
        mine = {key: waiver for name in report.policies for key, waiver in self._waivers.get(name, ())}
        if not mine:
            return
        waived = Counter(_waiver_of(finding) for finding in report.findings)
        others = Counter(_waiver_of(finding) for finding in report.findings if not _is_about_listeners(finding))
        ended = {
            (finding.origin, finding.subject.partition(" ")[0])
            for finding in report.findings
            if finding.rule == "expired-waiver"
        }
        for key, waiver in mine.items():
            use = self.waivers.setdefault(key, WaiverUse())
            use.hosts += is_for(waiver, report.name)
            use.ended += (waiver.origin, waiver.id) in ended
            if waived[key]:
                use.needed.add(report.name)
                use.findings += waived[key]
                use.others += others[key]
                covered = [finding for finding in report.findings if _waiver_of(finding) == key]
                use.ports |= set(_list_ports(covered, report))


def key_of(name: str, origin: Origin) -> Key:
    return Key(origin.file, origin.line, name)


def _waiver_of(finding: Finding) -> Key | None:
    waived = finding.waived
    return key_of(waived.waiver, waived.origin) if waived is not None and waived.origin is not None else None


def _is_about_listeners(finding: Finding) -> bool:
    """Return whether the listeners that a finding is about bear its verdict (their subjects begin with a protocol)."""
    return finding.rule in _OF_LISTENERS and finding.subject.partition(" ")[0] in PROTOS


def _list_ports(covered: Sequence[Finding], report: HostReport) -> Iterable[str]:
    """Yield the ports of the listeners on a host that the findings `covered` by a waiver are about."""
    places = {
        (proto, word)
        for finding in covered
        if _is_about_listeners(finding)
        for proto, *words in [finding.subject.replace(",", " ").split()]
        for word in words
    }
    for listener in report.listeners:
        if listener.verdict == "waived" and (listener.proto, join_port(listener.address, listener.port)) in places:
            yield f"{listener.port}/{listener.proto}"
