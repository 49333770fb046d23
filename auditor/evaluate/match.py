"""A listener and a policy line in, whether they meet out. Nothing else in netaudit decides this.

A listener is taken as the addresses it accepts on, one span per IP family (`reach_of`). An allow line must hold all of
them; a deny line need only touch one. So a doubt always counts against the listener: an IPv6 wildcard that may take
IPv4 too is held to take it, on both sides. Who holds the socket is asked last (`owners`), and may stay unknown.

The answer is a `Meeting` that keeps its parts, so that who asks why is told by the one who decided.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Literal, NamedTuple

from auditor.evaluate.owners import Answer, hold_all, hold_any
from auditor.model.address import Family, Scope, family_of, unmap
from auditor.model.facts import DualStack, Listener
from auditor.model.policy import Entry, OwnerCondition, Policy, Severity
from auditor.model.report import Decision

Fit = Literal["whole", "unseen", "wrong", "part", "none"]
"""How an allow line meets a listener: accepts it; accepts its addresses, and who holds it is not seen, or is somebody
else; names its port, but not all the addresses it takes; is not about it."""

FAMILIES: frozenset[Family] = frozenset({"ipv4", "ipv6"})


class Span(NamedTuple):
    """Addresses from `first` to `last` as numbers. `family` None: no IP address at all (a packet socket)."""

    family: Family | None
    first: int
    last: int


class Reach(NamedTuple):
    """A listener and where it accepts: its scope, and a span for each family."""

    listener: Listener
    scope: Scope
    spans: tuple[Span, ...]


class Meeting(NamedTuple):
    """How a line and a listener on a port it names meet, part by part.

    `netns`: the line is about the listener's network namespace. `families`: it names all, some or none of those the
    listener takes. `bind`: its addresses hold all of the listener's (allow), or have one in common (deny). `owner`: who
    holds the socket fits.
    """

    netns: bool
    families: Literal["all", "some", "none"]
    bind: bool
    owner: Answer

    @property
    def fit(self) -> Fit:
        """What it means for an allow line."""
        if not self.netns or self.families == "none":
            return "none"
        if self.families == "some" or not self.bind:
            return "part"
        return _FITS[self.owner]

    @property
    def hit(self) -> Answer:
        """Whether a deny line is about the listener."""
        return self.owner if self.netns and self.families != "none" and self.bind else "no"


_FITS: dict[Answer, Fit] = {"yes": "whole", "unknown": "unseen", "no": "wrong"}


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
    return Reach(listener, listener.scope, _spans_of(listener.address, listener.dual_stack))


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


def accept(candidate: Candidate, reach: Reach) -> Meeting:
    """Return how an allow line meets a listener on a port it names: all addresses must lie in it, all holders fit."""
    return _meet(candidate, reach, all, _holds, hold_all)


def touch(candidate: Candidate, reach: Reach) -> Meeting:
    """Return how a deny line meets a listener on a port it names: one address in common and one holder are enough."""
    return _meet(candidate, reach, any, _meets, hold_any)


def accepts_plainly(candidate: Candidate, *, on_host: bool) -> bool:
    """Return whether an allow line asks for no more than a port that it names, and so accepts any listener there.

    Then `accept` comes to the same, at ten times the cost: most listeners of most fleets are of such lines. `on_host`:
    the listener is in the host's own network namespace.
    """
    entry = candidate.line.entry
    plain = not entry.bind and entry.owner is None and candidate.families == FAMILIES
    return plain and _is_about(entry, on_host=on_host)


def _meet(
    candidate: Candidate,
    reach: Reach,
    quantify: Callable[[Iterable[bool]], bool],
    fits: Callable[[Line, Span, Scope], bool],
    ask: Callable[[OwnerCondition, Listener], Answer],
) -> Meeting:
    """`quantify` says of how many addresses `fits` must hold, `ask` whether those who hold the socket do."""
    line, owner = candidate.line, candidate.line.entry.owner
    named = [span for span in reach.spans if span.family is None or span.family in candidate.families]
    return Meeting(
        netns=_is_about(line.entry, on_host=reach.listener.netns == "host"),
        families=_name_families(candidate, named, reach.spans),
        bind=quantify(fits(line, span, reach.scope) for span in named),
        owner="yes" if owner is None else ask(owner, reach.listener),
    )


def answer_requirement(candidate: Candidate, reach: Reach) -> Answer:
    """Return whether a listener on a port it names is what a required line asks for.

    One address in common is enough: what is bound too wide is there, and exposed. All that holds it must fit.
    """
    owner = candidate.line.entry.owner
    holders: Answer = "yes" if owner is None else hold_all(owner, reach.listener)
    return touch(candidate, reach)._replace(owner=holders).hit


def _is_about(entry: Entry, *, on_host: bool) -> bool:
    return entry.netns == "any" or (entry.netns == "host") == on_host


def _name_families(
    candidate: Candidate, named: Sequence[Span], spans: Sequence[Span]
) -> Literal["all", "some", "none"]:
    if not named:
        return "none"
    without_address = named[0].family is None and candidate.families != FAMILIES
    return "some" if len(named) < len(spans) or without_address else "all"


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
