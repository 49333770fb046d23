"""The hosts of a report that gave nothing in, why and what to do about it out: each reason once, worst first.

A refused connection names the address, an unknown host key shows its fingerprint: what differs from host to host is put
in general words, so that a hundred hosts with one cause are one group. A host alone in its group keeps its own words.
"""

import re
from typing import NamedTuple

from auditor.errors import Phase
from auditor.model.report import INTERRUPTED, AuditReport, HostReport
from auditor.model.transcript import Failure

MOST_GROUPS = 20
_OWN_WORDS = "each host has a reason of its own; the JSON and HTML reports have them all"
_FINGERPRINT = re.compile(r"SHA256:[A-Za-z0-9+/]{4,}")
_WORD = re.compile(r"[\w-]+(?:\.[\w-]+)*")
_ADDRESS = re.compile(r"\[[0-9A-Fa-f:.%]{2,}\]|\b[0-9]{1,3}(?:\.[0-9]{1,3}){3}\b")


class FailureGroup(NamedTuple):
    """Hosts that failed for one reason, which `message` gives; `hint` is the next step for all of them."""

    phase: Phase
    code: str
    message: str
    hint: str
    hosts: tuple[HostReport, ...]

    @property
    def hijacked(self) -> bool:
        """Whether the hosts answered with a wrong key."""
        return any(host.error is not None and shows_wrong_key(host.error) for host in self.hosts)


def shows_wrong_key(failure: Failure) -> bool:
    """Return whether a host answered with a key that must not be its own: perhaps somebody else did."""
    return failure.phase == "hostkey" and failure.code != "hostkey-unknown"


def group_failures(report: AuditReport) -> list[FailureGroup]:
    """Return the groups: somebody else's host key first, then the largest; what an interruption left out last.

    There are at most MOST_GROUPS and one for each code: beyond that, hosts are together by their code alone.
    """
    members: dict[tuple[Phase, str, str, str], list[HostReport]] = {}
    for host in report.hosts:
        if (error := host.error) is not None:
            key = (error.phase, error.code, _generalise(error.message, host), _generalise(error.hint, host))
            members.setdefault(key, []).append(host)
    groups = sorted((_name_group(*key, hosts) for key, hosts in members.items()), key=_badness)
    return [*groups[:MOST_GROUPS], *_merge(groups[MOST_GROUPS:])]


def _name_group(phase: Phase, code: str, message: str, hint: str, hosts: list[HostReport]) -> FailureGroup:
    said = {(error.message, error.hint) for error in (host.error for host in hosts) if error is not None}
    message, hint = said.pop() if len(said) == 1 else (message, hint)
    return FailureGroup(phase, code, message, hint, tuple(hosts))


def _merge(groups: list[FailureGroup]) -> list[FailureGroup]:
    """Return the groups united by code."""
    merged: dict[tuple[Phase, str], list[FailureGroup]] = {}
    for group in groups:
        merged.setdefault((group.phase, group.code), []).append(group)
    united = []
    for (phase, code), parts in merged.items():
        hosts = tuple(sorted((host for part in parts for host in part.hosts), key=lambda host: host.name))
        hints = {part.hint for part in parts}
        united.append(
            parts[0]
            if len(parts) == 1
            else FailureGroup(phase, code, _OWN_WORDS, hints.pop() if len(hints) == 1 else "", hosts)
        )
    return sorted(united, key=_badness)


def _badness(group: FailureGroup) -> tuple[int, int, str, str]:
    rank = 0 if group.hijacked else 2 if group.code == INTERRUPTED else 1
    return rank, -len(group.hosts), group.code, group.message


def _generalise(text: str, host: HostReport) -> str:
    """Return `text` without what only this host has: its name and addresses, fingerprints."""
    own = {host.name, host.address}
    if ":" in host.address:  # IPv6, which is no word
        text = text.replace(host.address, "HOST")
    text = _WORD.sub(lambda word: "HOST" if word[0] in own else word[0], text)
    text = _ADDRESS.sub("ADDRESS", _FINGERPRINT.sub("SHA256:…", text))
    return "; ".join(dict.fromkeys(text.split("; ")))  # one part for each address of a name
