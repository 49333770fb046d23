"""`bind: [private, 10.0.0.0/8]` in, binds of the model out."""

import re
from ipaddress import IPv6Network, ip_address, ip_network

from auditor.document import mistake, suggest
from auditor.model.address import SCOPES, Network
from auditor.model.policy import Bind, BindNetwork, BindScope

ANY = "any"
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291 §2.5.5.2


def parse_bind(text: str) -> Bind | None:
    """Return the bind `text` stands for, None for `any`. Raises a mistake that says what to write instead."""
    if text == ANY:
        return None
    scope = next((scope for scope in SCOPES if scope == text), None)
    if scope is not None:
        return BindScope(scope=scope)
    if "%" in text:
        raise mistake(f"{text!r} has a zone, which is another one on every host", "write link-local")
    if not any(char in text for char in ".:/"):
        known = (ANY, *SCOPES)
        raise mistake(f"unknown bind {text!r}", suggest(text, SCOPES) or f"known are {', '.join(known)}, or an address")
    network = _normalise(_parse_network(text))
    if network.prefixlen == 0 or network.network_address.is_unspecified:
        raise mistake(f"{text} would not say whether a wildcard listener is meant", "write any")
    return BindNetwork(network=str(network))


def _parse_network(text: str) -> Network:
    address, slash, prefix = text.partition("/")
    bare = address[1:-1] if address.startswith("[") and address.endswith("]") else address
    if slash and not re.fullmatch("[0-9]{1,3}", prefix, re.ASCII):
        raise mistake(f"{text!r} is not a network", "write the length of the prefix, as in 10.0.0.0/8")
    try:
        parsed = ip_address(bare)
    except ValueError:
        hint = "write an address such as 10.0.0.1 or fd00::1, without leading zeros or a port"
        raise mistake(f"{address!r} is not an IP address", hint) from None
    if slash and int(prefix) > parsed.max_prefixlen:
        raise mistake(f"/{prefix} is longer than an IPv{parsed.version} address", f"at most /{parsed.max_prefixlen}")
    network = ip_network(f"{parsed}/{prefix}" if slash else str(parsed), strict=False)
    if slash and network.network_address != parsed:
        hint = f"write {network} for the network, or {parsed} for the one address"
        raise mistake(f"{text} has bits of a host behind the prefix", hint)
    return network


def _normalise(network: Network) -> Network:
    """Return the IPv4 network inside an IPv4-mapped one, any other unchanged: listeners are seen as IPv4 too."""
    if isinstance(network, IPv6Network) and network.subnet_of(_MAPPED):
        mapped = network.network_address.ipv4_mapped
        return ip_network(f"{mapped}/{network.prefixlen - 96}")
    return network
