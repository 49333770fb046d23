"""How many processes a run works with, by how many hosts another one could take off this one's hands."""

import os
from collections.abc import Sequence

from auditor.model.host import Host, HostKeyPolicy

_PAYS_FROM = 1000
"""So many hosts at least: a process costs a third of a second and 50 MiB, and a hundred hosts half a second at most."""
_MOST = 4
"""What three processes bring in is as much as a fourth can judge and write."""


def choose_procs(asked: int | None, hosts: Sequence[Host], policy: HostKeyPolicy) -> int:
    """Return how many processes to work through `hosts` with, this one included; `asked` overrules what pays."""
    if asked == 1 or (asked is None and len(hosts) < _PAYS_FROM):
        return 1
    from auditor.transport.crew import is_separable

    separable = sum(is_separable(host, policy) for host in hosts)
    if asked is not None:
        return 1 + min(asked - 1, separable)
    cores = _count_cores()
    # Judging takes a third of what talking to hosts takes, so this process leaves a core free most of the time.
    return min(cores + 1, _MOST) if cores > 1 and separable >= _PAYS_FROM else 1


def _count_cores() -> int:
    """Return how many cores this process may use, as far as the system tells."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1
