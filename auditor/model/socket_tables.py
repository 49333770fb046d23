"""The kernel's tables of sockets, by the names of their sections and in the order in which they are read."""

SOCKET_TABLES: tuple[str, ...] = (
    "tcp",
    "tcp6",
    "udp",
    "udp6",
    "udplite",
    "udplite6",
    "raw",
    "raw6",
    "icmp",
    "icmp6",
    "packet",
    "sctp",
)
"""All but that of unix sockets, which belongs to no network namespace's own ports."""
