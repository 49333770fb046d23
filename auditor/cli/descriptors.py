"""How many hosts may be asked at a time, by the limit of open files, which is raised as far as needed and allowed."""

import resource
from pathlib import Path

from auditor.cli import log

_PER_HOST = 8
"""A host may have that many open: addresses dialled at the same time, or the ends of pipes to a command."""
_SPARE = 16
"""Beside the hosts: files that are written, an agent, what the libraries open in passing."""


def fit_jobs(jobs: int) -> int:
    """Return how many of `jobs` hosts at a time the limit of open files allows, at least one; warn if not all."""
    needed = _count_open() + _SPARE + _PER_HOST * jobs
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or needed <= soft:
        return jobs
    limit = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    # Only as far as needed: what ProxyCommand starts inherits it, and old programs go through every number there is.
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))
    if needed <= limit:
        return jobs
    fitting = max(1, (limit - _count_open() - _SPARE) // _PER_HOST)
    log.warn(
        f"only {limit} files may be open (ulimit -n), so {fitting} hosts are asked at the same time, not {jobs}",
        limit=limit,
        jobs=fitting,
    )
    return fitting


def _count_open() -> int:
    try:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())
    except OSError:
        return 32
