"""A recording of a little-endian host in, the same host as a big-endian kernel prints it out.

`/proc/net/tcp` and its kin print each 32-bit word of an address as a number of the host's own byte order (`%08X` of a
`__be32`, net/ipv4/tcp_ipv4.c), and each port as a plain number. So the bytes of every address word turn round, and
nothing else does: 127.0.0.1:22 is `0100007F:0016` on x86-64 and `7F000001:0016` on s390x.
"""

import re

TABLES = ("tcp", "tcp6", "udp", "udp6", "udplite", "udplite6", "raw", "raw6", "icmp", "icmp6")
_ENDPOINT = re.compile(r"\b((?:[0-9A-F]{8})+):([0-9A-F]{4})\b")
_WORD = re.compile(r"[0-9A-F]{8}")


def turn_table(text: str) -> str:
    """Return a socket table with the bytes of every address word of its two address columns reversed."""
    header, *rows = text.split("\n")
    return "\n".join([header, *(_turn_row(row) for row in rows)])


def _turn_row(row: str) -> str:
    return _ENDPOINT.sub(lambda match: f"{_WORD.sub(_turn_word, match[1])}:{match[2]}", row, count=2)


def _turn_word(match: re.Match[str]) -> str:
    return bytes.fromhex(match.group())[::-1].hex().upper()
