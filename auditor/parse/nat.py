"""What nat.sh printed in, out: the ports that a firewall's address translation leads elsewhere, with no socket here.

More exposure than the tables show, and never less: nothing a firewall says takes a listener away. So what cannot be
read here is noted in the coverage, and is no gap.
"""

import re
from collections.abc import Iterable, Iterator

from auditor.model.facts import Exposure
from auditor.model.snapshot import Section
from auditor.parse.iptables import read_iptables
from auditor.parse.nftables import read_nftables
from auditor.parse.rules import Ruleset, find_exposures
from auditor.parse.table import Table, open_table, read_once

_MARK = re.compile(r"\+ (begin|end|more)(?: (\S+))?")


@read_once()
def parse_nat(section: Section | None) -> tuple[Table, tuple[Exposure, ...]]:
    """Return how the reading went, which is never a fault, and what it shows. Never raises.

    `absent`: there are no such rules, for the kernel tracks no connections. `empty`: it does, and no tool was there to
    tell; what runs in a container may bring its own.
    """
    table = open_table("nat", section, optional=True)
    found: dict[tuple[object, ...], Exposure] = {}
    for ruleset in _read(table):
        table.rows += sum(map(len, ruleset.chains.values()))
        exposures, whole = find_exposures(ruleset)
        if not whole:
            table.fail("truncated", "there are more rules than are followed")
        for exposure in exposures:  # what iptables wrote into nftables is shown by both
            found.setdefault((*_key(exposure), exposure.target), exposure)
    table.faults.clear()
    return table, tuple(found.values())


def sort_exposures(exposures: Iterable[Exposure]) -> tuple[Exposure, ...]:
    """Return exposures in one order, whatever the rules' own is."""
    return tuple(sorted(exposures, key=lambda one: (*map(str, _key(one)[:3]), one.port or 0, one.source, one.raw)))


def _key(exposure: Exposure) -> tuple[object, ...]:
    return exposure.proto, exposure.family, exposure.address, exposure.port, exposure.last_port


def _read(table: Table) -> Iterator[Ruleset]:
    """Yield the rules of every tool, those of iptables first."""
    blocks = list(_blocks(table))
    for tool, lines in blocks:
        if tool.startswith(("iptables", "ip6tables")):
            ruleset, odd = read_iptables(lines, "ipv6" if tool.startswith("ip6") else "ipv4")
            for line in odd:
                table.reject(None, line.encode())
            yield ruleset
    for tool, lines in blocks:
        if tool == "nft":
            yield from read_nftables(lines)


def _blocks(table: Table) -> Iterator[tuple[str, list[str]]]:
    """Yield each tool and what it printed. One that failed, or has more to say, leaves a note."""
    tool, lines = "", list[str]()
    for line in table.data.decode("utf-8", "backslashreplace").split("\n"):
        match = _MARK.fullmatch(line)
        if match is None:
            lines.append(line)
        elif match[1] == "begin":
            tool, lines = match[2] or "", []
        elif match[1] == "end":
            if match[2] != "0":
                table.fail("truncated", "a tool failed")
            yield tool, lines
            tool, lines = "", []
        else:
            table.fail("truncated", "a tool has more rules than are read")
    if tool:
        table.fail("truncated", "the answer ends inside the rules")
        yield tool, lines
