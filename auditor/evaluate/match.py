"""A listener and a policy line in, whether they meet out. Nothing else in netaudit decides this.

A listener is taken as the addresses it accepts on, one span per IP family (`reach_of`). An allow line must hold all of
them; a deny line need only touch one. So a doubt always counts against the listener: an IPv6 wildcard that may take
IPv4 too is held to take it, on both sides.
"""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Literal, NamedTuple

from auditor.model.address import Family, Scope, family_of, unmap
from auditor.model.facts import DualStack, Listener
from auditor.model.policy import Entry, Policy, Severity
from auditor.model.report import Decision

Fit = Literal["whole", "part", "none"]
"""How an allow line meets a listener: accepts it; names its port, but not all the addresses it takes; not about it."""

FAMILIES: frozenset[Family] = frozenset({"ipv4", "ipv6"})


class Span(NamedTuple):
    """Addresses from `first` to `last` as numbers. `family` None: no IP address at all (a packet socket)."""

    family: Family | None
    first: int
    last: int


class Reach(NamedTuple):
    """Where a listener accepts: its scope, and a span for each family."""

    scope: Scope
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """An allow or deny entry made ready: the policy it holds in, how bad it is, its binds as numbers, its place."""

    entry: Entry
    policy: Policy
    severity: Severity
    scopes: frozenset[Scope]
    spans: tuple[Span, ...]
    decision: Decision


class Candidate(NamedTuple):
    """A line that names a listener's port, and the families it names it for."""

    line: Line
    families: frozenset[Family]


_ALL_IPV4 = Span("ipv4", 0, 2**32 - 1)
_ALL_IPV6 = Span("ipv6", 0, 2**128 - 1)
_NO_ADDRESS = Span(None, 0, 0)


def ready_line(entry: Entry, policy: Policy) -> Line:
    """Return `entry` as it holds in `policy`."""
    return Line(
        entry=entry,
        policy=policy,
        severity=entry.severity or policy.severity,
        scopes=frozenset(bind.scope for bind in entry.bind if bind.kind == "scope"),
        spans=tuple(_span_of(bind.network) for bind in entry.bind if bind.kind == "network"),
        decision=Decision(policy=policy.name, entry=entry.id, file=entry.origin.file, line=entry.origin.line),
    )


def _span_of(network: str) -> Span:
    """Return a CIDR network as numbers; one inside ::ffff:0:0/96 as the IPv4 network it carries, as listeners are."""
    parsed = ip_network(network)
    first, last = unmap(parsed[0]), unmap(parsed[-1])
    return Span(family_of(first), int(first), int(last))


def reach_of(listener: Listener) -> Reach:
    """Return the addresses `listener` accepts on. Never raises."""
    return Reach(listener.scope, _spans_of(listener.address, listener.dual_stack))


@lru_cache(maxsize=4096)
def _spans_of(text: str, dual_stack: DualStack | None) -> tuple[Span, ...]:
    try:
        address = unmap(ip_address(text))
    except ValueError:
        return (_NO_ADDRESS,)
    if not address.is_unspecified:
        return (Span(family_of(address), int(address), int(address)),)
    if address.version == 4:
        return (_ALL_IPV4,)
    return (_ALL_IPV6,) if dual_stack == "no" else (_ALL_IPV4, _ALL_IPV6)


def accept(candidate: Candidate, reach: Reach) -> Fit:
    """Return how an allow line meets a listener on a port it names: all addresses must lie in the line."""
    named = [span for span in reach.spans if span.family is None or span.family in candidate.families]
    if not named:
        return "none"
    pinned_off = len(named) < len(reach.spans) or (named[0].family is None and candidate.families != FAMILIES)
    whole = not pinned_off and all(_holds(candidate.line, span, reach.scope) for span in named)
    return "whole" if whole else "part"


def touch(candidate: Candidate, reach: Reach) -> bool:
    """Return whether a line and a listener on a port it names have an address in common: what a deny line asks."""
    return any(
        _meets(candidate.line, span, reach.scope)
        for span in reach.spans
        if span.family is None or span.family in candidate.families
    )


def _holds(line: Line, span: Span, scope: Scope) -> bool:
    if not line.entry.bind or scope in line.scopes:
        return True
    return any(
        bind.family == span.family and bind.first <= span.first and span.last <= bind.last for bind in line.spans
    )


def _meets(line: Line, span: Span, scope: Scope) -> bool:
    if not line.entry.bind or scope in line.scopes or span.family is None:
        return True
    if scope == "wildcard" and line.scopes:
        return True
    return any(
        bind.family == span.family and bind.first <= span.last and span.first <= bind.last for bind in line.spans
    )
