"""One socket of a kernel table, decoded, and where an address in hexadecimal leads."""

from functools import lru_cache
from ipaddress import ip_address
from typing import Literal, NamedTuple

from auditor.model.address import Address, Family, Scope, classify_scope, family_of, unmap
from auditor.model.facts import Kind, Proto

WordOrder = Literal["little", "big"]


class Place(NamedTuple):
    """Where a socket is bound: canonical text (RFC 5952), family and scope; `sort` orders places by number, and no two
    have the same."""

    text: str
    family: Family | None
    scope: Scope
    sort: tuple[int, bytes, str]


class Socket(NamedTuple):
    """One socket that an audit cares about, not yet folded with its twins."""

    proto: Proto
    place: Place
    port: int
    raw: str
    uid: int | None = None
    kind: Kind = "listener"
    pending_accepts: int | None = None
    seen: Literal["all", "some"] = "all"
    inode: int = 0


@lru_cache(maxsize=16384)
def decode_address(digits: bytes, order: WordOrder) -> Place:
    """Return the place that 8 or 32 hexadecimal digits of the kernel's mean.

    The kernel prints an address as 32-bit words in its own byte order, though they are stored in network order: so
    127.0.0.1 is 0100007F on little-endian machines and 7F000001 on big-endian ones (net/ipv4/tcp_ipv4.c, %08X).
    """
    return place_of(unmap(read_address(digits, order)))


@lru_cache(maxsize=8192)  # a fleet mostly listens on the same ports
def decode_end(digits: bytes, order: WordOrder) -> tuple[Place, int]:
    """Return the place and the port that `00000000:0016` means."""
    address, _, port = digits.partition(b":")
    return decode_address(address, order), int(port, 16)


@lru_cache(maxsize=16384)
def read_address(digits: bytes, order: WordOrder) -> Address:
    """Return the address that the digits mean, IPv4-mapped ones as they are."""
    return ip_address(_turn_words(bytes.fromhex(digits.decode("ascii")), order))


def encode_address(address: Address, order: WordOrder) -> bytes:
    """Return the digits that a kernel of this byte order prints for `address`."""
    return _turn_words(address.packed, order).hex().upper().encode()


def _turn_words(packed: bytes, order: WordOrder) -> bytes:
    """Return an address with the words of the kernel's for those of the network, or the other way round."""
    if order == "big":
        return packed
    return b"".join([packed[at : at + 4][::-1] for at in range(0, len(packed), 4)])


def place_of(address: Address) -> Place:
    text = str(address)
    return Place(text, family_of(address), classify_scope(address), (address.version, address.packed, text))
