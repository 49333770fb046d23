"""The statuses of a host, in the order in which a reader should look."""

from collections.abc import Sequence

from auditor.model.report import HostStatus

STATUSES: tuple[HostStatus, ...] = ("violating", "incomplete", "unreachable", "compliant")


def rank_hosts(statuses: Sequence[HostStatus], names: Sequence[str]) -> list[int]:
    """Return the numbers of hosts, the worst first, given both of each: what is wrong before what is well."""
    keys = list(zip(map(STATUSES.index, statuses), names, strict=True))
    return sorted(range(len(keys)), key=keys.__getitem__)
