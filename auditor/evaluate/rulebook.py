"""The policies that apply to a host in, the same as one rulebook out, ready to be asked about any listener."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import NamedTuple, get_args

from auditor.evaluate.index import PortIndex
from auditor.evaluate.match import Line, accepts_plainly, ready_line
from auditor.evaluate.names import Name, list_names
from auditor.evaluate.waivers import Waivers
from auditor.model.facts import Listener, Proto
from auditor.model.origin import Origin
from auditor.model.policy import SWITCHES, Bound, Default, Policy, Severity, Switch, severity_rank

_STRICTNESS: tuple[Default, ...] = get_args(Default)
_KEPT = 4096
"""Ports whose plain line is remembered: those of a fleet are mostly the same."""
_RAW: frozenset[Proto] = frozenset({"raw", "packet"})


class Ruling(NamedTuple):
    """What holds for a listener no line names, the policy that says so, and by which of its switches."""

    default: Default
    policy: Policy
    switch: Switch

    @property
    def origin(self) -> Origin:
        return self.policy.place_of(self.switch)


class Bounding(NamedTuple):
    """A bound, and the policy it holds in."""

    bound: Bound
    policy: Policy

    @property
    def severity(self) -> Severity:
        return self.bound.severity or self.policy.severity


@dataclass(frozen=True, slots=True, eq=False)
class Rulebook:
    """All policies that apply to a host, as one."""

    policies: tuple[Policy, ...]
    lines: tuple[Line, ...]
    allow: PortIndex
    deny: PortIndex
    required: tuple[Line, ...]
    names: dict[str, tuple[Name, ...]]
    waivers: Waivers
    home: Policy
    """Where a line for one of these hosts belongs: the policy that says most about which hosts it is for."""
    unlisted: dict[Switch, Ruling]
    plain: Callable[[Proto, int, bool], Line | None]
    """The line that accepts whatever listens on a port, in the host's own network namespace or in another, if so."""
    bounds: tuple[Bounding, ...] = ()
    names_of_policies: tuple[str, ...] = ()

    def rule_unlisted(self, listener: Listener) -> Ruling:
        """Return what holds for a listener that no line names."""
        return self.unlisted[find_switch(listener)]


def find_switch(listener: Listener) -> Switch:
    """Return which setting of a policy decides on a listener that no line names."""
    if listener.kind == "ephemeral-udp":
        return "ephemeral_udp"
    return "raw_sockets" if listener.proto in _RAW else "default"


def compile_rulebook(policies: Iterable[Policy]) -> Rulebook | None:
    """Return the rulebook of these policies, whatever order they come in; None when there are none."""
    ordered = tuple(sorted(policies, key=lambda policy: policy.name))
    if not ordered:
        return None
    allow = [ready_line(entry, policy) for policy in ordered for entry in policy.allow]
    deny = [ready_line(entry, policy) for policy in ordered for entry in policy.deny]
    allowing, denying = PortIndex(allow), PortIndex(deny)
    return Rulebook(
        policies=ordered,
        allow=allowing,
        deny=denying,
        plain=lru_cache(maxsize=_KEPT)(partial(_find_plain, allowing, denying)),
        lines=(*deny, *allow),
        required=tuple(line for line in allow if line.entry.required),
        names=list_names(line for line in (*deny, *allow) if line.entry.service),
        waivers=Waivers(ordered),
        home=max(ordered, key=_count_conditions),
        unlisted={switch: _strictest(switch, ordered) for switch in SWITCHES},
        bounds=tuple(Bounding(bound, policy) for policy in ordered for bound in policy.bounds),
        names_of_policies=tuple(policy.name for policy in ordered),
    )


def _find_plain(allow: PortIndex, deny: PortIndex, proto: Proto, port: int, on_host: bool) -> Line | None:
    allowing = allow.at(proto, port)
    plain = bool(allowing) and not deny.at(proto, port) and accepts_plainly(allowing[0], on_host=on_host)
    return allowing[0].line if plain else None


def _count_conditions(policy: Policy) -> tuple[int, bool]:
    """Return how many keys a host must meet for the policy to hold; one that only leaves hosts out comes after all."""
    chosen = policy.applies_to
    return sum(map(bool, (chosen.groups, chosen.hosts, chosen.labels))) if chosen else 0, policy.excluded is not None


def _strictest(switch: Switch, policies: Iterable[Policy]) -> Ruling:
    """Return the strictest setting and, of the policies that have it, the one with the worst severity."""
    choices = (Ruling(getattr(policy, switch), policy, switch) for policy in policies)
    return min(choices, key=lambda one: (_STRICTNESS.index(one.default), -severity_rank(one.policy.severity)))
