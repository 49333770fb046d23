"""Our own connection, looked for in the host's own tables: a row whose content we know without asking them.

Finding it proves three things at once: these are the tables of the network namespace we came in by, nothing filters
them, and the host's byte order is what we take it to be.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address
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
        peer, local = ip_address(match[1].decode("ascii")), ip_address(match[3].decode("ascii"))
    except ValueError:
        return None
    ports = int(match[2]), int(match[4])
    if max(ports) > 0xFFFF or unmap(peer).version != unmap(local).version:
        return None
    return Ends(unmap(peer), ports[0], unmap(local), ports[1])


def find_session(ends: Ends | None, sections: Mapping[str, Section]) -> frozenset[WordOrder]:
    """Return the byte orders in which the tables have the session's row: none, one, or both when it reads the same."""
    return frozenset(order for order in _ORDERS if ends is not None and _is_listed(ends, sections, order))


def _is_listed(ends: Ends, sections: Mapping[str, Section], order: WordOrder) -> bool:
    plain = _needle(ends.local, ends.local_port, ends.peer, ends.peer_port, order)
    if isinstance(ends.local, IPv6Address) or isinstance(ends.peer, IPv6Address):
        return plain in _data(sections, "tcp6")
    mapped = _needle(_map(ends.local), ends.local_port, _map(ends.peer), ends.peer_port, order)
    return plain in _data(sections, "tcp") or mapped in _data(sections, "tcp6")


def _needle(local: Address, local_port: int, peer: Address, peer_port: int, order: WordOrder) -> bytes:
    return b": %b:%04X %b:%04X 0" % (encode_address(local, order), local_port, encode_address(peer, order), peer_port)


def _map(address: IPv4Address) -> IPv6Address:
    """Return the address as a dual-stack socket has it (RFC 4291 §2.5.5.2)."""
    return IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)


def _data(sections: Mapping[str, Section], name: str) -> bytes:
    section = sections.get(name)
    return section.data if section is not None else b""
