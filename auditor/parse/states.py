"""Tables in, how many sockets of each protocol are in which state out: for the reader, no verdict depends on it."""

from collections.abc import Iterable

from auditor.model.connections import TCP_STATES
from auditor.parse.table import Table

# A UDP socket borrows two of the states of TCP: with a peer it is established, without one it is closed.
_NAMES = {"tcp": TCP_STATES, "udp": {0x01: "ESTABLISHED", 0x07: "UNCONNECTED"}}


def count_states(tables: Iterable[Table]) -> dict[str, dict[str, int]]:
    """Return {"tcp": {"ESTABLISHED": 3}}: IPv4 and IPv6 together, in the order of the kernel's numbers."""
    sums: dict[str, dict[int, int]] = {}
    for table in [table for table in tables if table.states]:
        proto = table.name.removesuffix("6")
        for state, count in table.states.items():
            if state in _NAMES.get(proto, ()):
                of = sums.setdefault(proto, {})
                of[state] = of.get(state, 0) + count
    return {proto: {_NAMES[proto][state]: of[state] for state in sorted(of)} for proto, of in sums.items()}
