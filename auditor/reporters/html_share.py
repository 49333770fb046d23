"""Hosts in, which of them may put into the page what does not compress out: checksums, host keys, kernel lines."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.model.report import HostReport, JudgedListener
from auditor.reporters.html_statuses import STATUSES

_BASE = 60_000
_PER_HOST = 20
"""Bytes of evidence a page may carry: 80 kB for 1,000 hosts, 260 kB for 10,000."""
_SUM = 53
_LINE = 28
_KEY = 45
"""What a checksum, a kernel line and a host key take in the page, compressed and in base64 (measured)."""


@dataclass(frozen=True, slots=True)
class Share:
    """Numbers of hosts whose checksums, key and lines of judged listeners are in the page, and whose every line is.

    `left_out` counts the hosts that had something to show and no room.
    """

    hosts: frozenset[int]
    whole: frozenset[int]
    left_out: int


def is_flagged(listener: JudgedListener) -> bool:
    """Return whether a reader will want to see where this listener was seen."""
    return listener.verdict not in ("allowed", "ignored")


def share_evidence(hosts: Sequence[HostReport]) -> Share:
    """Return who may show evidence, worst hosts first: what is wrong before what is well."""
    budget = _BASE + _PER_HOST * len(hosts)
    order = sorted(range(len(hosts)), key=lambda at: (STATUSES.index(hosts[at].status), hosts[at].name))
    shown: dict[int, int] = {}
    left_out = 0
    for at in order:
        flagged = sum(is_flagged(one) for one in hosts[at].listeners)
        price = _LINE * flagged + _price_rest(hosts[at])
        if price > budget:
            left_out += 1
        elif price:
            budget -= price
            shown[at] = len(hosts[at].listeners) - flagged
    whole = []
    for at, rest in shown.items() if not left_out else ():
        if _LINE * rest <= budget:
            budget -= _LINE * rest
            whole.append(at)
    return Share(frozenset(shown), frozenset(whole), left_out)


def _price_rest(host: HostReport) -> int:
    if host.facts is None:
        return 0
    sums = sum(source.sha256 is not None for source in host.coverage)
    return _SUM * sums + _KEY * bool(host.facts.host_key)
