"""A finding and the waivers of the policies in, the same finding out: waived, or with a word on what ended.

A waiver covers a listener exactly as an allow line would accept it (`match`); a finding about several listeners is
waived when every one of them is covered. It never hides a finding, and never makes up for what is not known.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from fnmatch import fnmatchcase

from auditor.evaluate.index import PortIndex
from auditor.evaluate.match import Line, accept, reach_of, ready_line
from auditor.model.facts import PROTOS, Listener
from auditor.model.finding import Finding, RuleId, Waived
from auditor.model.policy import Entry, Policy, Ports, Waiver

Cover = tuple[Waiver, ...]
"""The waivers for one listener or port, ended or not."""

_EVERY_PORT = tuple(Ports(proto=proto, first=0, last=65535) for proto in PROTOS)


class Waivers:
    """The waivers of all policies that apply to a host."""

    def __init__(self, policies: Iterable[Policy]) -> None:
        self._waivers: dict[Line, Waiver] = {
            ready_line(_as_entry(waiver), policy): waiver for policy in policies for waiver in policy.waivers
        }
        self.index = PortIndex(tuple(self._waivers))

    def for_listener(self, rule: RuleId, host: str, listener: Listener) -> Cover:
        """Return the waivers for what `rule` finds about a listener on `host`."""
        candidates = self.index.at(listener.proto, listener.port)
        if not candidates:
            return ()
        reach = reach_of(listener)
        fitting = (candidate.line for candidate in candidates if accept(candidate, reach).fit == "whole")
        return self._for_rule(rule, host, fitting)

    def for_ports(self, rule: RuleId, host: str, ports: Ports) -> Cover:
        """Return the waivers for what `rule` finds about ports of a policy on `host`: all of the ports lie in one."""
        candidates = (candidate.line for candidate in self.index.at(ports.proto, ports.first))
        holding = (line for line in candidates if any(hold_ports(held, ports) for held in line.entry.ports))
        return self._for_rule(rule, host, holding)

    def __iter__(self) -> Iterator[tuple[Line, Waiver]]:
        """Yield every waiver, and the line that accepts what it covers."""
        return iter(self._waivers.items())

    def _for_rule(self, rule: RuleId, host: str, lines: Iterable[Line]) -> Cover:
        waivers = (self._waivers[line] for line in lines)
        return tuple(waiver for waiver in waivers if rule in waiver.rules and is_for(waiver, host))


def is_for(waiver: Waiver, host: str) -> bool:
    """Return whether a waiver is for the host of this name."""
    return any(fnmatchcase(host, glob) for glob in waiver.hosts)


def hold_ports(outer: Ports, inner: Ports) -> bool:
    """Return whether every port of `inner`, over its families, is one of `outer`."""
    within = outer.proto == inner.proto and outer.first <= inner.first and inner.last <= outer.last
    return within and outer.family in (None, inner.family)


def _as_entry(waiver: Waiver) -> Entry:
    """Return the allow line that accepts what the waiver covers."""
    return Entry(
        id=waiver.id,
        policy=waiver.policy,
        action="allow",
        ports=waiver.ports or _EVERY_PORT,
        bind=waiver.bind,
        owner=waiver.held_by,
        netns=waiver.netns,
        origin=waiver.origin,
    )


def has_ended(waiver: Waiver, today: date) -> bool:
    """Return whether the last day of a waiver is over; `today` is the date in UTC."""
    return today > waiver.expires


def settle(finding: Finding, covers: Sequence[Cover], today: date) -> tuple[Finding, Cover]:
    """Return the finding as it stands, and the waivers whose end is why it is not waived.

    `covers` has one cover for each thing the finding is about. Of several waivers the one that ends last counts; of
    those the finding needs, the one that ends first is named.
    """
    chosen = [max(cover, key=_end) for cover in covers if cover]
    if len(chosen) == len(covers) and not any(has_ended(waiver, today) for waiver in chosen):
        return finding.model_copy(update={"waived": _say_waived(min(chosen, key=_end))}), ()
    ended = tuple(dict.fromkeys(waiver for waiver in chosen if has_ended(waiver, today)))
    words = "".join(f"; the waiver {waiver.id} ended on {waiver.expires}" for waiver in ended)
    return (finding.model_copy(update={"message": finding.message + words}) if ended else finding), ended


def _end(waiver: Waiver) -> tuple[date, str]:
    return waiver.expires, waiver.id


def _say_waived(waiver: Waiver) -> Waived:
    return Waived(
        waiver=waiver.id,
        reason=waiver.reason,
        owner=waiver.owner,
        expires=waiver.expires.isoformat(),
        ticket=waiver.ticket,
        origin=waiver.origin,
    )
