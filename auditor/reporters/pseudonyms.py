"""Names of hosts and a key in; out: texts in which none of those names stands, no host's address and no host key.

A pseudonym is a keyed digest: the same name has the same one everywhere, and so has an address, however it is written.
Addresses that every host has stay (wildcards, loopback, multicast), and so do networks: `10.0.0.0/8` is no host's.
"""

import re
from collections.abc import Mapping
from hmac import digest
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from auditor.model.address import Address, unmap

_SHORTEST = 3
"""Characters of a name that is looked for within texts; shorter ones are replaced where they stand alone."""
_TOKEN = re.compile(r"[\w.:%-]+")
_HOST_KEY = re.compile(r"\b(?:(SHA256:)[A-Za-z0-9+/]{4,}=*|(MD5:)[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*|AAAA[\w+/]{12,}=*)")
"""Fingerprints as `ssh-keygen -l` prints them, and whole keys as they stand in known_hosts."""
_IPV4 = r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
_ADDRESS = re.compile(
    rf"""(?: (?<![0-9A-Za-z_]) (?P<six>(?:[0-9A-Fa-f]{{0,4}}:){{2,8}}(?:{_IPV4}|[0-9A-Fa-f]{{0,4}})) (?![0-9A-Za-z_])
           | (?<![0-9]) (?<![0-9]\.) (?P<four>{_IPV4}) (?!\.?[0-9]) )
         (?:%\w+(?:[.-]\w+)*)? (?P<length>/[0-9]{{1,3}}\b)?""",
    re.VERBOSE,
)
_BROADCAST = "255.255.255.255"


class Pseudonyms(NamedTuple):
    """The key, and the pseudonym of everything that hosts are called; addresses are spelled as `spell` does."""

    key: bytes
    names: Mapping[str, str]

    def within(self, names: Mapping[str, str]) -> "Pseudonyms":
        """Return these and more; what has a pseudonym already keeps it."""
        return self if names.keys() <= self.names.keys() else Pseudonyms(self.key, {**names, **self.names})

    def redact(self, text: str) -> str:
        """Return `text` with every name and address replaced, and host keys left out."""
        if text in self.names:
            return self.names[text]
        text = _ADDRESS.sub(self._replace_address, _HOST_KEY.sub(r"\1\2…", text))
        return _TOKEN.sub(lambda token: self._replace_name(token[0]), text)

    def _replace_address(self, found: re.Match[str]) -> str:
        """Return the pseudonym of an address, and the port behind it; what only looks like one stays."""
        said = found["six"] or found["four"]
        for bare in (said, said.removesuffix(":"), said.rpartition(":")[0]):
            if (address := _read(bare)) is not None:
                break
        else:
            return found[0]
        length = found["length"] or ""
        if _is_everywhere(address) or _is_network(bare, length):
            return found[0]
        spelled = str(address)
        return f"{self.names.get(spelled) or make_pseudonym(self.key, spelled, 'address')}{said[len(bare) :]}{length}"

    def _replace_name(self, token: str) -> str:
        """Return a word of a text with the host it names replaced: `web-01:22`, `web-01.example.com` for `web-01`."""
        bare = token.rstrip(".:")
        name, colon, port = bare.rpartition(":")
        if bare not in self.names and name in self.names and len(name) >= _SHORTEST:
            return f"{self.names[name]}{colon}{port}{token[len(bare) :]}"
        while len(bare) >= _SHORTEST:
            if bare in self.names:
                return f"{self.names[bare]}{token[len(token.rstrip('.:')) :]}"
            bare = bare.rpartition(".")[0]
        return token


def make_pseudonym(key: bytes, name: str, kind: str = "host") -> str:
    """Return what to call a host or an address instead: `host-0123456789`."""
    return f"{kind}-{digest(key or b'netaudit', name.encode(errors='surrogatepass'), 'sha256').hex()[:10]}"


def spell(name: str) -> str:
    """Return an address in the one form it is looked for in, without its zone; any other name as it is."""
    address = _read(name.partition("%")[0])
    return name if address is None else str(address)


def is_general(name: str) -> bool:
    """Return whether a name says nothing about which host it is."""
    address = _read(name)
    return name in {"localhost", "localhost.localdomain"} if address is None else _is_everywhere(address)


def _read(text: str) -> Address | None:
    try:
        return unmap(ip_address(text))
    except ValueError:
        return None


def _is_everywhere(address: Address) -> bool:
    general = address.is_unspecified or address.is_loopback or address.is_multicast
    return general or str(address) == _BROADCAST


def _is_network(address: str, length: str) -> bool:
    """Return whether `address/length` is more than one host's address."""
    try:
        return bool(length) and ip_network(address + length).num_addresses > 1
    except ValueError:
        return False
