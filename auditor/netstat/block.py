"""A piece of output: its headings, which several hosts share, and its rows."""

from typing import NamedTuple


class Block(NamedTuple):
    """`head` are the lines above the rows, titles first and the names of the columns last; none: the rows explain
    themselves. All lines are escaped, and end as net-tools ends them, with trailing spaces and without newline."""

    head: tuple[str, ...]
    rows: list[str]
