"""Hosts in, their fields as columns out.

Each of the columns in the page's data is of one field of every host, and the hosts of a large fleet do not fit into the
processor's cache: they are read once.
"""

from collections.abc import Sequence
from operator import itemgetter
from typing import NamedTuple

from auditor.model.facts import Coverage, Exposure, Gap, System, UnixListener
from auditor.model.finding import Finding
from auditor.model.report import HostReport, HostStatus, JudgedListener
from auditor.model.transcript import Failure


class Roll(NamedTuple):
    """The fields of HostReport, each for all hosts, in their order."""

    name: tuple[str, ...] = ()
    address: tuple[str, ...] = ()
    groups: tuple[tuple[str, ...], ...] = ()
    labels: tuple[dict[str, str], ...] = ()
    status: tuple[HostStatus, ...] = ()
    policies: tuple[tuple[str, ...], ...] = ()
    error: tuple[Failure | None, ...] = ()
    facts: tuple[System | None, ...] = ()
    coverage: tuple[tuple[Coverage, ...], ...] = ()
    gaps: tuple[tuple[Gap, ...], ...] = ()
    listeners: tuple[tuple[JudgedListener, ...], ...] = ()
    findings: tuple[tuple[Finding, ...], ...] = ()
    exposures: tuple[tuple[Exposure, ...], ...] = ()
    unix: tuple[tuple[UnixListener, ...], ...] = ()


_fields_of = itemgetter(*Roll._fields)


def call_roll(hosts: Sequence[HostReport]) -> Roll:
    """Return the fields of the hosts."""
    return Roll(*zip(*map(_fields_of, map(vars, hosts)), strict=True))
