"""Our own connection, looked for in the host's own tables: a row whose content we know without asking them.

Finding it proves three things at once: these are the tables of the network namespace we came in by, nothing filters
them, and the host's byte order is what we take it to be.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import NamedTuple

from auditor.model.address import Address, unmap
from auditor.model.snapshot import Section
from auditor.parse.socket import WordOrder, encode_address
from auditor.parse.system import read_text

# sshd(8), SSH_CONNECTION: client address, client port, server address, server port.
_CONNECTION = re.compile(
    rb"([0-9A-Fa-f.:]{2,45})(?:%\S{1,16})? ([0-9]{1,5}) ([0-9A-Fa-f.:]{2,45})(?:%\S{1,16})? ([0-9]{1,5})"
)
_ORDERS: tuple[WordOrder, WordOrder] = ("little", "big")
# What stands before the digits of an IPv4 address where a dual-stack socket has it (RFC 4291 §2.5.5.2).
_MAPPED: dict[WordOrder, bytes] = {"little": b"0" * 16 + b"FFFF0000", "big": b"0" * 20 + b"FFFF"}


class Ends(NamedTuple):
    """The two ends of the connection as the host sees them."""

    peer: Address
    peer_port: int
    local: Address
    local_port: int


def read_ends(sections: Mapping[str, Section]) -> Ends | None:
    """Return the ends of the session, None when SSH_CONNECTION is not set or not what sshd makes it."""
    match = _CONNECTION.fullmatch(read_text(sections, "ssh_connection"))
    if match is None:
        return None
    try:
        peer, local = _read(match[1]), _read(match[3])
    except ValueError:
        return None
    ports = int(match[2]), int(match[4])
    if max(ports) > 0xFFFF or peer.version != local.version:
        return None
    return Ends(peer, ports[0], local, ports[1])


@lru_cache(maxsize=256)  # all hosts of a run see the same client
def _read(text: bytes) -> Address:
    return unmap(ip_address(text.decode("ascii")))


def find_session(ends: Ends | None, sections: Mapping[str, Section]) -> frozenset[WordOrder]:
    """Return the byte orders in which the tables have the session's row: none, one, or both when it reads the same."""
    return frozenset(order for order in _ORDERS if ends is not None and _is_listed(ends, sections, order))


def _is_listed(ends: Ends, sections: Mapping[str, Section], order: WordOrder) -> bool:
    local, peer = encode_address(ends.local, order), encode_address(ends.peer, order)
    here = _needle(local, ends.local_port, peer, ends.peer_port)
    if isinstance(ends.local, IPv6Address) or isinstance(ends.peer, IPv6Address):
        return here in _data(sections, "tcp6")
    if here in _data(sections, "tcp"):
        return True
    mapped = _MAPPED[order]
    return _needle(mapped + local, ends.local_port, mapped + peer, ends.peer_port) in _data(sections, "tcp6")


def _needle(local: bytes, local_port: int, peer: bytes, peer_port: int) -> bytes:
    return b": %b:%04X %b:%04X 0" % (local, local_port, peer, peer_port)


def _data(sections: Mapping[str, Section], name: str) -> bytes:
    section = sections.get(name)
    return section.data if section is not None else b""
