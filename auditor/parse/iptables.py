"""What iptables-save(8) prints of the nat table in, its rules out. iptables-extensions(8): DNAT, REDIRECT, NETMAP."""

import re
from collections.abc import Iterator, Sequence

from auditor.model.address import Family
from auditor.parse.rules import Condition, Rule, Ruleset, read_address, read_proto, read_spans

_WORD = re.compile(r'"(?:[^"\\]|\\.)*+"|\S++')
_LEADING = {"DNAT": "--to-destination", "REDIRECT": "--to-ports", "NETMAP": "--to"}
_SHOWN = 500


def read_iptables(lines: Sequence[str], family: Family) -> tuple[Ruleset, list[str]]:
    """Return the rules, and the lines that are none."""
    chains: dict[str, list[Rule]] = {}
    odd: list[str] = []
    for line in lines:
        words = _WORD.findall(line)
        if len(words) < 2 or words[0] != "-A":
            odd.append(line)
        else:
            chains.setdefault(words[1], []).append(_read_rule(words[2:], line))
    return Ruleset(chains, ("PREROUTING",), family, "iptables"), odd


def _read_rule(words: Sequence[str], line: str) -> Rule:
    options = dict(_options(words))
    jump = options.get("-j") or options.get("-g") or ""
    target = options.get(_LEADING[jump], "") if jump in _LEADING else None
    if jump == "REDIRECT":
        target = f"this host, port {target}" if target else "this host"
    ports = options.get("--dport") or options.get("--dports") or options.get("--ports") or ""
    condition = Condition(
        proto=read_proto(options.get("-p")),
        address=read_address(options.get("-d", "")),
        ports=read_spans(ports.split(","), ":"),
    )
    return Rule(condition, target, (jump,) if jump and target is None else (), line.strip()[:_SHOWN])


def _options(words: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with its value. What a rule asks not to be narrows nothing down here, and is left out."""
    negated = False
    for word, value in zip(words, (*words[1:], ""), strict=False):
        if word.startswith("-") and not negated:
            yield word, value
        negated = word == "!"
