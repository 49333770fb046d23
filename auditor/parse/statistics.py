"""/proc/net/snmp, netstat and snmp6: sections in, the counters of the protocols out.

net/ipv4/proc.c `snmp_seq_show` and `netstat_seq_show` print a line of names and under it one of numbers, both opening
with the protocol's; net/ipv6/proc.c `snmp6_seq_show` prints one counter a line. Kernels differ in what they count.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby, zip_longest

from auditor.model.network import Counters, CounterSource, Statistics
from auditor.model.snapshot import Section
from auditor.parse.table import Table, open_table

MAX_COUNTERS = 20_000
_TITLE = re.compile(rb"([A-Za-z][A-Za-z0-9]{0,31}):((?: [A-Za-z][A-Za-z0-9]{0,63})*) *")
_NUMBERS = re.compile(rb"([A-Za-z][A-Za-z0-9]{0,31}):((?: -?[0-9]{1,20})*) *")
_COUNTER = re.compile(rb"([A-Za-z]{1,31}6)([A-Za-z0-9]{1,63})[ \t]+(-?[0-9]{1,20})")


def parse_statistics(sections: Mapping[str, Section]) -> Statistics:
    """Return all counters; a kernel may have no IPv6, or no more than the first file. Never raises."""
    rows: list[Counters] = []
    tables: list[Table] = []
    sources: tuple[CounterSource, ...] = ("snmp", "netstat", "snmp6")
    for source in sources:
        table = open_table(source, sections.get(source), optional=source != "snmp")
        read = _read_single if source == "snmp6" else _read_pairs
        for title, values in read(table):
            table.rows += len(values)
            rows.append(Counters(source, title, values))
            if table.rows > MAX_COUNTERS:
                table.fail("truncated", f"only the first {MAX_COUNTERS} counters were kept")
                break
        table.settle()
        tables.append(table)
    return Statistics(tuple(rows), tuple(gap for table in tables if (gap := table.gap()) is not None))


def _read_pairs(table: Table) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    lines = table.data.split(b"\n")
    whole = lines.pop() if lines else b""
    if whole:
        table.reject(len(lines) + 1, whole)
    for number, (above, below) in enumerate(zip_longest(lines[::2], lines[1::2], fillvalue=b"")):
        names, numbers = _TITLE.fullmatch(above), _NUMBERS.fullmatch(below)
        if names is None or numbers is None or names[1] != numbers[1]:
            table.reject(2 * number + 1, above)
            continue
        words = names[2].decode("ascii").split()
        values = [int(word) for word in numbers[2].split()]
        if len(words) != len(values):
            table.reject(2 * number + 1, above)
            continue
        yield names[1].decode("ascii"), tuple(zip(words, values, strict=True))


def _read_single(table: Table) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    """Yield runs of lines about one protocol, whose name ends with the first 6."""
    lines = table.data.split(b"\n")
    rest = lines.pop() if lines else b""
    found: list[tuple[str, str, int]] = []
    for number, line in enumerate([*lines, *([rest] if rest else [])], 1):
        match = _COUNTER.fullmatch(line)
        if match is None or (rest and number > len(lines)):
            table.reject(number, line)
        else:
            title = match[1].decode("ascii")
            found.append((title, title + match[2].decode("ascii"), int(match[3])))
    for title, group in groupby(found, key=lambda each: each[0]):
        yield title, tuple((name, value) for _, name, value in group)
