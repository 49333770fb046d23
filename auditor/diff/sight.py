"""One host's report in, what could be seen of it out: the difference between "not there" and "not looked at"."""

import re
from dataclasses import dataclass

from auditor.model.address import join_port
from auditor.model.report import HostReport, JudgedListener

_TABLES = frozenset({"tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "packet", "sctp"})
"""The sources that listeners are read from."""
_HARMLESS = frozenset({"services", "unix", "icmp", "icmp6", "owners"})
"""Sources that hold no listeners: what is not known there hides none."""
UDP = frozenset({"udp", "udplite"})
_MAPPED = re.compile(r"\b[0-9A-Fa-f]{32}:[0-9A-Fa-f]{4}\b")
"""A local address as the kernel's IPv6 tables print it; an IPv4 listener may stand there as ::ffff:a.b.c.d."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What of one host could be vouched for: which tables not, and whether namespaces besides its own were read."""

    unseen: frozenset[str]
    namespaces: bool

    def hides(self, listener: JudgedListener) -> bool:
        """Return whether `listener`, were it there, might not have shown."""
        return _name_table(listener) in self.unseen or (listener.netns != "host" and not self.namespaces)


def judge_sight(host: HostReport) -> Sight:
    """Return what could be seen of `host`. A doubt about the whole answer is a doubt about each table.

    A table the host's kernel does not have, where that is no gap, was seen: nothing can be in it.
    """
    if host.facts is None:
        return Sight(_TABLES, namespaces=False)
    doubtful = {gap.source for gap in host.gaps} - _HARMLESS
    seen = {ledger.source for ledger in host.coverage if ledger.status in {"ok", "absent"}}
    unseen = _TABLES if doubtful - _TABLES else (_TABLES - seen) | doubtful
    namespaces = any(ledger.source == "namespaces" and ledger.status == "ok" for ledger in host.coverage)
    return Sight(unseen, namespaces)


def shows_another_key(old: HostReport, new: HostReport) -> bool:
    """Return whether a host has another SSH key than before; keys of two algorithms may well be of one machine."""
    before, after = ((host.facts.host_key if host.facts else None) or "" for host in (old, new))
    return before != after and before.partition(" ")[0] == after.partition(" ")[0]


def list_reclassified(old: HostReport, new: HostReport) -> frozenset[str]:
    """Return the UDP sockets that look like a client's in one report and not in the other: they are open in both."""
    before, after = ({_name_socket(one): one.kind for one in host.listeners if one.proto in UDP} for host in (old, new))
    return frozenset(name for name in before.keys() & after.keys() if before[name] != after[name])


def _name_socket(listener: JudgedListener) -> str:
    return f"{listener.netns} {listener.proto} {join_port(listener.address, listener.port)}"


def _name_table(listener: JudgedListener) -> str:
    """Return the table this listener was read from."""
    if listener.proto in {"packet", "sctp"}:
        return listener.proto
    six = listener.family == "ipv6" or _MAPPED.search(listener.raw) is not None
    return f"{listener.proto}6" if six else listener.proto
