"""Tables in, how many sockets of each protocol are in which state out: for the reader, no verdict depends on it."""

from collections.abc import Iterable

from auditor.parse.table import Table

# include/net/tcp_states.h. A UDP socket borrows two of them: with a peer it is established, without one it is closed.
_TCP = {
    0x01: "ESTABLISHED",
    0x02: "SYN_SENT",
    0x03: "SYN_RECV",
    0x04: "FIN_WAIT1",
    0x05: "FIN_WAIT2",
    0x06: "TIME_WAIT",
    0x07: "CLOSE",
    0x08: "CLOSE_WAIT",
    0x09: "LAST_ACK",
    0x0A: "LISTEN",
    0x0B: "CLOSING",
}
_NAMES = {"tcp": _TCP, "udp": {0x01: "ESTABLISHED", 0x07: "UNCONNECTED"}}


def count_states(tables: Iterable[Table]) -> dict[str, dict[str, int]]:
    """Return {"tcp": {"ESTABLISHED": 3}}: IPv4 and IPv6 together, in the order of the kernel's numbers."""
    sums: dict[str, dict[int, int]] = {}
    for table in tables:
        proto = table.name.removesuffix("6")
        for state, count in table.states.items():
            if state in _NAMES.get(proto, ()):
                of = sums.setdefault(proto, {})
                of[state] = of.get(state, 0) + count
    return {proto: {_NAMES[proto][state]: of[state] for state in sorted(of)} for proto, of in sums.items()}
