"""The host's own files of names in, `Names` out. Never raises; what is not understood names nothing.

/etc/hosts is read as glibc reads it (nss/nss_files/files-hosts.c): the first line of an address names it; when an IPv4
address is looked up, a line for ::1 counts for 127.0.0.1, and one for ::ffff:10.0.0.1 for 10.0.0.1. Of ports and
protocols listed twice the last line counts, which is what netstat shows (lib/inet.c of net-tools puts each in front).
"""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

from auditor.model.address import Address
from auditor.model.names import Names
from auditor.model.services import ServiceTable
from auditor.model.snapshot import Section, Snapshot

_CACHED = 1 << 20  # bytes; most hosts of a fleet have the very same files
_PROTOCOL = re.compile(r"([^\s#]{1,64})\s+([0-9]{1,3})(?=[\s#]|$)", re.ASCII)
_NETWORK = re.compile(r"([^\s#]{1,64})\s+([0-9]{1,3}(?:\.[0-9]{1,3}){0,3})(?=[\s#]|$)", re.ASCII)
_USER = re.compile(rb"^([0-9]{1,10}) ([^\n]{1,256})$", re.MULTILINE)
_LOOPBACK = IPv6Address("::1")
_MAX_NAME = 255


def parse_names(snapshot: Snapshot) -> Names:
    """Return what the host calls things; a file that did not come names nothing."""
    sections = snapshot.sections
    return Names(
        hosts=_hosts(_data(sections.get("hosts"))),
        networks=_networks(_data(sections.get("networks"))),
        services=_services(_data(sections.get("services"))),
        protocols=_protocols(_data(sections.get("protocols"))),
        users=_users(_data(sections.get("passwd"))),
    )


def _data(section: Section | None) -> bytes:
    return section.data[:_CACHED] if section is not None else b""


def _lines(data: bytes) -> list[str]:
    return data.decode("utf-8", "backslashreplace").split("\n")


@lru_cache(maxsize=16)
def _hosts(data: bytes) -> dict[Address, str]:
    found: dict[Address, str] = {}
    for line in _lines(data):
        words = line.partition("#")[0].split()
        if len(words) < 2:
            continue
        try:
            address = ip_address(words[0])
        except ValueError:
            continue
        name = words[1][:_MAX_NAME]
        found.setdefault(address, name)
        if isinstance(address, IPv6Address):
            if address.ipv4_mapped is not None:
                found.setdefault(address.ipv4_mapped, name)
            elif address == _LOOPBACK:
                found.setdefault(IPv4Address("127.0.0.1"), name)
    return found


@lru_cache(maxsize=16)
def _networks(data: bytes) -> dict[IPv4Address, str]:
    """networks(5): trailing zeros of a network may be left out."""
    found: dict[IPv4Address, str] = {}
    for line in _lines(data):
        if match := _NETWORK.match(line):
            numbers = [int(number) for number in match[2].split(".")]
            if max(numbers) < 256:
                found.setdefault(IPv4Address(bytes([*numbers, 0, 0, 0][:4])), match[1])
    return found


@lru_cache(maxsize=16)
def _services(data: bytes) -> dict[tuple[int, str], str]:
    table = ServiceTable.parse(data.decode("utf-8", "backslashreplace"))
    return {(service.port, service.proto): service.name for service in table.services}


@lru_cache(maxsize=16)
def _protocols(data: bytes) -> dict[int, str]:
    matches = (_PROTOCOL.match(line) for line in _lines(data))
    return {int(match[2]): match[1] for match in matches if match}


@lru_cache(maxsize=16)
def _users(data: bytes) -> dict[int, str]:
    """Return the first name of each uid, as getpwuid(3) finds it."""
    found: dict[int, str] = {}
    for uid, name in _USER.findall(data):
        found.setdefault(int(uid), name.decode("utf-8", "backslashreplace"))
    return found
