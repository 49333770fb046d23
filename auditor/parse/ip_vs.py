"""/proc/net/ip_vs: a section in, the virtual services of the kernel's load balancer out. None of them has a socket.

net/netfilter/ipvs/ip_vs_ctl.c `ip_vs_info_seq_show`. Unlike in tcp and udp its addresses went through ntohl(): they
read the same on every machine. Services stand on lines of their own, with `  -> ` lines below for where they lead.
"""

import re
from ipaddress import ip_address
from typing import Literal

from auditor.model.facts import Exposure
from auditor.model.snapshot import Section
from auditor.parse.table import Table, open_table, read_once

_HEADER = re.compile(rb"IP Virtual Server version [ -~]*\n")
_V4 = rb"([0-9A-F]{8})"
_V6 = rb"\[([0-9a-fA-F:.]{2,45})\]"
_PLACE = re.compile(rb"(?:%b|%b):([0-9A-F]{4})" % (_V4, _V6))
_SERVICE = re.compile(rb"(TCP|UDP|SCTP) +(\S+) [ -~]*")
_MARKED = re.compile(rb"FWM +[0-9A-F]{8} [ -~]*")
_TARGET = re.compile(rb"  -> (\S+) +[ -~]*")
_CAPTION = (b"Prot LocalAddress:Port", b"  -> RemoteAddress:Port")

_Place = tuple[str, Literal["ipv4", "ipv6"], int]


@read_once()
def parse_ip_vs(section: Section | None) -> tuple[Table, tuple[Exposure, ...]]:
    """Return how the reading went and the services. One for a mark of the firewall (FWM) has no port. Never raises."""
    table = open_table("ip_vs", section, optional=True)
    found: list[tuple[Exposure, list[str]]] = []
    if table.data and not _HEADER.match(table.data):
        table.fail("malformed", "this table does not begin with the kernel's header, so it is not a whole table")
    for number, line in enumerate(table.data.split(b"\n")[1:] if not table.faults else (), 2):
        service = _read_service(line)
        target = _TARGET.fullmatch(line)
        place = _read_place(target[1]) if target else None
        if service is not None:
            found.append((service, []))
            table.rows += 1
        elif place is not None and found:
            found[-1][1].append(_write(place))
        elif line and not line.startswith(_CAPTION):
            table.reject(number, line)
    if table.rejected:
        table.settle()
    return table, tuple(one.model_copy(update={"target": ", ".join(targets[:16])}) for one, targets in found)


def _read_service(line: bytes) -> Exposure | None:
    raw = line.decode("latin-1").strip()
    if _MARKED.fullmatch(line):
        return Exposure(proto="any", family=None, address=None, port=None, target="", source="ipvs", raw=raw)
    match = _SERVICE.fullmatch(line)
    place = _read_place(match[2]) if match else None
    if match is None or place is None:
        return None
    address, family, port = place
    return Exposure(
        proto=match[1].decode("ascii").lower(),
        family=family,
        address=address,
        port=port or None,
        target="",
        source="ipvs",
        raw=raw,
    )


def _read_place(text: bytes) -> _Place | None:
    match = _PLACE.fullmatch(text)
    if match is None:
        return None
    try:
        address = ip_address(int(match[1], 16)) if match[1] else ip_address(match[2].decode("ascii"))
    except ValueError:
        return None
    return str(address), "ipv4" if address.version == 4 else "ipv6", int(match[3], 16)


def _write(place: _Place) -> str:
    address, family, port = place
    return f"[{address}]:{port}" if family == "ipv6" else f"{address}:{port}"
