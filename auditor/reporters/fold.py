"""Many findings in, rows that fit a consumer's limit out: each finding its own row, or like with like."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.policy import severity_rank
from auditor.model.report import AuditReport, HostReport


class Sighting(NamedTuple):
    """A finding and the host it is about."""

    host: HostReport
    finding: Finding


Key = Callable[[Sighting], tuple[str, ...]]
"""What sightings must have in common to share a row."""


def list_sightings(report: AuditReport, *, incomplete: bool) -> Iterator[Sighting]:
    """Yield the findings that severity decides or, with `incomplete`, the others; hosts and findings in their order."""
    for host in report.hosts:
        for finding in host.findings:
            if (finding.rule in INCOMPLETE_RULES) == incomplete:
                yield Sighting(host, finding)


def rank_sightings(sightings: Iterable[Sighting]) -> list[Sighting]:
    """Return them worst first, the waived last."""
    return sorted(sightings, key=lambda each: (each.finding.waived is not None, -severity_rank(each.finding.severity)))


def fold(sightings: Sequence[Sighting], keys: Sequence[Key], most: int) -> dict[tuple[str, ...], list[Sighting]]:
    """Return groups by the first of `keys` that gives at most `most` of them, else by the last."""
    groups: dict[tuple[str, ...], list[Sighting]] = {}
    for key in keys:
        groups = group_by(sightings, key)
        if len(groups) <= most:
            break
    return groups


def group_by(sightings: Iterable[Sighting], key: Key) -> dict[tuple[str, ...], list[Sighting]]:
    """Return the sightings by what they have in common, in order of first appearance."""
    groups: dict[tuple[str, ...], list[Sighting]] = {}
    for each in sightings:
        groups.setdefault(key(each), []).append(each)
    return groups


def list_hosts(sightings: Sequence[Sighting], most: int) -> str:
    """Return `a, b, c and 11 more`: each host once."""
    names = list(dict.fromkeys(each.host.name for each in sightings))
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
