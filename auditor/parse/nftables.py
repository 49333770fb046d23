"""What nft(8) prints of its ruleset in, the rules that lead packets elsewhere, and those that lead to them, out."""

import re
from collections.abc import Iterator, Sequence

from auditor.model.address import Family
from auditor.parse.rules import Condition, Rule, Ruleset, Span, read_address, read_proto, read_spans

_OPENS = re.compile(r"\s*(table|chain|map|set) (?:(\S+) )?(\S+) \{")
_COMMENT = re.compile(r'comment "[^"]*"')
_VALUE = r"(!= )?(\{[^{}]*\}|[^\s{}]+)"
_PORTS = re.compile(r"\b(tcp|udp|udplite|sctp|dccp|th) dport " + _VALUE)
_PROTO = re.compile(r"\b(?:meta l4proto|ip protocol|ip6 nexthdr) " + _VALUE)
_ADDRESS = re.compile(r"\bip6? daddr " + _VALUE)
_LEADS = re.compile(
    r"\b(?:dnat(?: ip6?)?(?: prefix)?(?: addr \. port)? to (?P<to>.+)|redirect(?: to :?(?P<port>\S+))?)"
)
_MAP = re.compile(r"(?:\S+ )?(tcp|udp|udplite|sctp|dccp|th) dport (?:v?map) \{([^{}]*)\}")
_JUMP = re.compile(r"\b(?:jump|goto) ([^\s,{}]+)")
_FAMILIES: dict[str, Family] = {"ip": "ipv4", "ip6": "ipv6"}
_SHOWN = 500


def read_nftables(lines: Sequence[str]) -> list[Ruleset]:
    """Return the rules of each table. Elements of named maps are not followed: such a rule is shown with no port."""
    tables: dict[tuple[str, str], tuple[dict[str, list[Rule]], list[str]]] = {}
    chains: dict[str, list[Rule]] = {}
    starts: list[str] = []
    chain: str | None = None
    for line in lines:
        text = _COMMENT.sub("", line)
        if opened := _OPENS.fullmatch(text.rstrip()):
            kind, family, name = opened.groups()
            if kind == "table":
                chains, starts = tables.setdefault((family or "ip", name), ({}, []))
            chain = name if kind == "chain" else None
        elif chain is not None and "hook prerouting" in text and text.lstrip().startswith("type "):
            starts.append(chain)
        elif chain is not None:
            chains.setdefault(chain, []).extend(_read_rules(text, line))
    return [
        Ruleset(rules, starting, _FAMILIES.get(family), "nftables") for (family, _), (rules, starting) in tables.items()
    ]


def _read_rules(text: str, line: str) -> Iterator[Rule]:
    """Yield what one line says: a rule, or one for each element of the map that stands in it."""
    raw = line.strip()[:_SHOWN]
    condition = _read_condition(text)
    if mapped := _MAP.search(text):
        proto = mapped[1] if mapped[1] != "th" else condition.proto
        for element in mapped[2].split(","):
            key, _, value = element.partition(" : ")
            inner = Condition(proto, condition.address, read_spans([key.strip()], "-"))
            jumps = tuple(_JUMP.findall(value))
            yield Rule(inner, None if jumps else value.strip().replace(" . ", ":"), jumps, raw)
        return
    leads = _LEADS.search(text)
    target = None
    if leads is not None:
        port = leads["port"]
        target = leads["to"].strip() if leads["to"] else f"this host, port {port}" if port else "this host"
    yield Rule(condition, target, tuple(_JUMP.findall(text)), raw)


def _read_condition(text: str) -> Condition:
    proto, ports = _read_ports(text)
    asked = _PROTO.search(text)
    if proto is None and asked and not asked[1] and "{" not in asked[2]:
        proto = read_proto(asked[2])
    address = _ADDRESS.search(text)
    return Condition(proto, read_address(address[2]) if address and not address[1] else None, ports)


def _read_ports(text: str) -> tuple[str | None, tuple[Span, ...]]:
    """Return the protocol and the ports of `tcp dport { 80, 8000-8010 }`; a negation narrows nothing down here."""
    match = _PORTS.search(text)
    if match is None:
        return None, ()
    spans = () if match[2] else read_spans([word.strip() for word in match[3].strip("{} ").split(",")], "-")
    return match[1] if match[1] != "th" else None, spans
