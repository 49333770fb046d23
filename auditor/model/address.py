"""Bind addresses: their scope, and how they are written."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Literal, get_args

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Family = Literal["ipv4", "ipv6"]
Scope = Literal["wildcard", "loopback", "link-local", "private", "multicast", "global"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

# RFC 1918 and RFC 6598 (carrier-grade NAT); RFC 4193 (unique local).
_PRIVATE: tuple[Network, ...] = tuple(
    ip_network(net) for net in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
)


def unmap(address: Address) -> Address:
    """Return the IPv4 address inside `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2), any other address unchanged."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def classify_scope(address: Address) -> Scope:
    """Return how far `address` reaches. IPv4-mapped addresses count as the IPv4 address they carry."""
    address = unmap(address)
    if address.is_unspecified:
        return "wildcard"
    if address.is_loopback:
        return "loopback"
    if address.is_link_local:
        return "link-local"
    if address.is_multicast:
        return "multicast"
    if any(address.version == net.version and address in net for net in _PRIVATE):
        return "private"
    return "global"


def family_of(address: Address) -> Family:
    return "ipv4" if address.version == 4 else "ipv6"


def join_port(address: str, port: int) -> str:
    """Return `address:port`, with brackets around an IPv6 address."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
