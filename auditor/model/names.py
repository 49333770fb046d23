"""What one host calls addresses, ports, protocols and users, by its own files: labels, which decide nothing."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from auditor.model.address import Address


@dataclass(frozen=True, slots=True)
class Names:
    """`hosts` and `networks` are by address, `services` by port and protocol; `users` by uid.

    IPv4 and IPv6 addresses are looked up apart, as the C library does: a line for 10.0.0.1 names no ::ffff:10.0.0.1.
    """

    hosts: Mapping[Address, str] = field(default_factory=dict)
    networks: Mapping[IPv4Address, str] = field(default_factory=dict)
    services: Mapping[tuple[int, str], str] = field(default_factory=dict)
    protocols: Mapping[int, str] = field(default_factory=dict)
    users: Mapping[int, str] = field(default_factory=dict)

    def name_address(self, address: Address, *, numeric: bool = False) -> str:
        """Return the name of an address, or how inet_ntop(3) writes it; IPv4-mapped ones without their prefix."""
        if not numeric and (name := self.hosts.get(address)):
            return name
        return write_address(address)

    def name_port(self, port: int, proto: str, *, numeric: bool = False) -> str:
        """Return the name of a port, or of an IP protocol when `proto` is `raw`; `*` for 0."""
        if port == 0:
            return "*"
        name = self.protocols.get(port) if proto == "raw" else self.services.get((port, proto))
        return str(port) if numeric or not name else name

    def name_user(self, uid: int | None, *, numeric: bool = False) -> str:
        if uid is None:
            return "-"
        return str(uid) if numeric else self.users.get(uid, str(uid))


def write_address(address: Address) -> str:
    """Return the address as inet_ntop(3) writes it, an IPv4-mapped one as the IPv4 address that it carries."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        if 0x10000 <= int(address) < 1 << 32:  # RFC 4291 §2.5.5.1, which Python writes in hexadecimal
            return f"::{IPv4Address(int(address))}"
    return str(address)
