"""The settings of interfaces in, text as the head of `ethtool IFACE` prints them out."""

from auditor.display import escape
from auditor.model.network import Link, Links
from auditor.netstat.block import Block
from auditor.netstat.interfaces import UP, sort_naturally, write_flags
from auditor.netstat.rows import Fields

_UNKNOWN = "Unknown!"
_DUPLEX = {"half": "Half", "full": "Full", "unknown": f"{_UNKNOWN} (255)"}
LINK_FIELDS = ("interface", "index", "flags", "mtu", "state", "link", "speed", "duplex", "driver", "address", "type")


def show_links(links: Links) -> list[Block]:
    """Return a block for each interface. What cannot be known is `Unknown!`, as ethtool has it.

    As ethtool does, speed and duplex are left out where there is no such thing, as on loopback.
    """
    return [Block((f"Settings for {escape(link.name)}:",), _show(link)) for link in sort_naturally(links.rows)]


def list_link(link: Link) -> Fields:
    """Return the fields of an interface; None is what is not known."""
    return {
        "interface": link.name,
        "index": link.number,
        "flags": None if link.flags is None else write_flags(link.flags),
        "mtu": link.mtu,
        "state": link.state,
        "link": detect_link(link),
        "speed": None if link.speed == -1 else link.speed,
        "duplex": None if link.duplex == "unknown" else link.duplex,
        "driver": link.driver,
        "address": link.address,
        "type": link.kind,
    }


def detect_link(link: Link) -> str | None:
    """Return `yes` or `no`; an interface that is down has no link, and /sys says nothing of its carrier."""
    if link.carrier is not None:
        return "yes" if link.carrier else "no"
    return "no" if link.flags is not None and not link.flags & UP else None


def _show(link: Link) -> list[str]:
    rows = []
    has_settings = link.speed is not None or link.duplex is not None
    if has_settings or link.flags is None or not link.flags & UP:
        speed = _UNKNOWN if link.speed in {None, -1} else f"{link.speed}Mb/s"
        rows = [f"\tSpeed: {speed}", f"\tDuplex: {_DUPLEX.get(link.duplex or '', _UNKNOWN)}"]
    return [
        *rows,
        f"\tLink detected: {detect_link(link) or _UNKNOWN}",
        f"\tDriver: {escape(link.driver or _UNKNOWN)}",
        f"\tMAC address: {escape(link.address or _UNKNOWN)}",
    ]
