"""The blocks of several hosts in, one text out: each host in front of its rows, or above them."""

from collections.abc import Sequence
from typing import NamedTuple

from auditor.display import count_columns, escape, pad
from auditor.netstat.block import Block


class HostBlocks(NamedTuple):
    """What one host has to show."""

    host: str
    blocks: Sequence[Block]


def join_alone(blocks: Sequence[Block]) -> list[str]:
    """Return the lines of one host, as netstat prints them there."""
    return [line for block in blocks for line in (*block.head, *block.rows)]


def join_grouped(found: Sequence[HostBlocks]) -> list[str]:
    """Return the lines of several hosts, each below its name and with a line of space between."""
    lines: list[str] = []
    for each in found:
        lines += [*([""] if lines else []), f"{escape(each.host)}:", *join_alone(each.blocks)]
    return lines


def join_columns(found: Sequence[HostBlocks]) -> list[str]:
    """Return the lines of several hosts with one heading for all, and a column for the host in front of the rest.

    Blocks with the same headings are one table, in the order in which the first host that has it shows it.
    """
    width = max([len("Host"), *(count_columns(escape(each.host)) for each in found)])
    tables: dict[tuple[str, ...], list[str]] = {}
    for each in found:
        name = pad(escape(each.host), width)
        for block in each.blocks:
            tables.setdefault(block.head, []).extend(f"{name} {row}" for row in block.rows)
    lines: list[str] = []
    for head, rows in tables.items():
        lines += [*head[:-1], *(f"{'Host':<{width}} {columns}" for columns in head[-1:]), *rows]
    return lines
