"""Rules of a firewall in, the ports they lead elsewhere out: from the hook that packets from outside meet, along every
jump, with what each rule on the way asks of a packet."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_network
from typing import NamedTuple

from auditor.model.address import Family
from auditor.model.facts import Exposure, ExposureSource

MAX_STEPS = 50_000
MAX_EXPOSURES = 2_000
_MAX_TARGETS = 16

_PROTOS = {"1": "icmp", "6": "tcp", "17": "udp", "33": "dccp", "58": "icmpv6", "132": "sctp", "136": "udplite"}

Span = tuple[int, int]


class Condition(NamedTuple):
    """What a rule asks of a packet, as far as it is followed here; None and no ports: anything."""

    proto: str | None = None
    address: str | None = None
    ports: tuple[Span, ...] = ()

    def within(self, outer: "Condition") -> "Condition":
        """Return both together; where both say something, the inner one, which is reached last, is the narrower."""
        return Condition(self.proto or outer.proto, self.address or outer.address, self.ports or outer.ports)


class Rule(NamedTuple):
    """One rule: where it leads packets (None: nowhere), or to which chains it jumps. `raw` is the tool's line."""

    condition: Condition
    target: str | None
    jumps: tuple[str, ...]
    raw: str


class Ruleset(NamedTuple):
    """The rules by chain, the chains at which packets from outside start, and whether they see one family only."""

    chains: Mapping[str, Sequence[Rule]]
    starts: Sequence[str]
    family: Family | None
    source: ExposureSource


def find_exposures(ruleset: Ruleset) -> tuple[list[Exposure], bool]:
    """Return the exposures, and whether those are all of them. A rule that no start leads to is read by itself."""
    found: dict[tuple[Condition, Span | None], tuple[Rule, list[str]]] = {}
    reached: set[int] = set()
    steps = 0
    waiting = [(start, Condition()) for start in reversed(ruleset.starts)]
    visited = set(waiting)
    while waiting and steps < MAX_STEPS:
        chain, outer = waiting.pop()
        ahead: list[tuple[str, Condition]] = []
        for rule in ruleset.chains.get(chain, ()):
            steps += 1
            condition = rule.condition.within(outer)
            if rule.target is not None:
                reached.add(id(rule))
                _add(found, rule, condition)
            ahead += [(jump, condition) for jump in rule.jumps]
        waiting += [step for step in reversed(ahead) if step not in visited]
        visited.update(ahead)
    for rules in ruleset.chains.values():
        for rule in rules:
            if rule.target is not None and id(rule) not in reached:
                _add(found, rule, rule.condition)
    exposures = [_describe(ruleset, condition, span, *seen) for (condition, span), seen in found.items()]
    return exposures[:MAX_EXPOSURES], not waiting and len(exposures) <= MAX_EXPOSURES


def _add(found: dict[tuple[Condition, Span | None], tuple[Rule, list[str]]], rule: Rule, condition: Condition) -> None:
    for span in condition.ports or (None,):
        _, targets = found.setdefault((condition._replace(ports=()), span), (rule, []))
        if rule.target is not None and rule.target not in targets and len(targets) < _MAX_TARGETS:
            targets.append(rule.target)


def _describe(
    ruleset: Ruleset, condition: Condition, span: Span | None, rule: Rule, targets: Sequence[str]
) -> Exposure:
    first, last = span or (None, None)
    return Exposure(
        proto=condition.proto or "any",
        family=ruleset.family or _family(condition.address),
        address=condition.address,
        port=first,
        last_port=last if last != first else None,
        target=", ".join(targets),
        source=ruleset.source,
        raw=rule.raw,
    )


def _family(address: str | None) -> Family | None:
    return None if address is None else "ipv6" if ":" in address else "ipv4"


def read_proto(text: str | None) -> str | None:
    """Return a protocol by name, None for every one."""
    return None if text in (None, "", "all", "0") else _PROTOS.get(text or "", text)


def read_address(text: str) -> str | None:
    """Return an address, or a network that is not everything, in canonical text."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        return None
    if network.prefixlen == network.max_prefixlen:
        return str(network.network_address)
    return str(network) if network.prefixlen else None


def read_spans(words: Iterable[str], dash: str) -> tuple[Span, ...]:
    """Return ports and ranges of ports; nothing when one of the words is neither, for then all may be meant."""
    spans: list[Span] = []
    for word in words:
        first, _, last = word.partition(dash)
        ends = first, last or first
        if not all(end.isascii() and end.isdigit() and len(end) <= 5 for end in ends):
            return ()
        spans.append((int(ends[0]), int(ends[1])))
    return tuple(spans)
