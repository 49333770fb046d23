"""/proc/net/snmp, netstat and snmp6: sections in, the counters of the protocols out.

net/ipv4/proc.c `snmp_seq_show` and `netstat_seq_show` print a line of names and under it one of numbers, both opening
with the protocol's; net/ipv6/proc.c `snmp6_seq_show` prints one counter a line. Kernels differ in what they count.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import groupby, islice, zip_longest

from auditor.model.network import Counters, CounterSource, Statistics
from auditor.model.snapshot import Section
from auditor.parse.lines import read_lines
from auditor.parse.table import Table, open_table

MAX_COUNTERS = 20_000
_TITLE = re.compile(rb"([A-Za-z][A-Za-z0-9]{0,31}):((?: [A-Za-z][A-Za-z0-9]{0,63})*) *\n")
_NUMBERS = re.compile(rb"([A-Za-z][A-Za-z0-9]{0,31}):((?: -?[0-9]{1,20})*) *\n")
_COUNTER = re.compile(rb"([A-Za-z]{1,31}6)([A-Za-z0-9]{1,63})[ \t]+(-?[0-9]{1,20})\n")


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
    lines = read_lines(table)
    for (number, above), (_, below) in zip_longest(lines, lines, fillvalue=(0, b"")):
        names, numbers = _TITLE.fullmatch(above), _NUMBERS.fullmatch(below)
        words = names[2].decode("ascii").split() if names else []
        values = [int(word) for word in numbers[2].split()] if numbers else []
        if names is None or numbers is None or names[1] != numbers[1] or len(words) != len(values):
            table.reject(number, above.rstrip(b"\n"))
            continue
        yield names[1].decode("ascii"), tuple(zip(words, values, strict=True))


def _read_single(table: Table) -> Iterator[tuple[str, tuple[tuple[str, int], ...]]]:
    """Yield runs of lines about one protocol, whose name ends with the first 6."""
    for title, group in groupby(_read_counters(table), key=lambda each: each[0]):
        yield title, tuple((name, value) for _, name, value in group)


def _read_counters(table: Table) -> Iterator[tuple[str, str, int]]:
    for number, line in islice(read_lines(table), MAX_COUNTERS + 1):
        match = _COUNTER.fullmatch(line)
        if match is None:
            table.reject(number, line.rstrip(b"\n"))
        else:
            title = match[1].decode("ascii")
            yield title, title + match[2].decode("ascii"), int(match[3])
