"""The routing tables in, what `netstat -r` shows of them out."""

from ipaddress import IPv4Address

from auditor.display import escape
from auditor.model.names import Names, write_address
from auditor.model.network import Route, Route6, Routes
from auditor.netstat.block import Block
from auditor.netstat.rows import Fields
from auditor.netstat.view import View

_UP, _GATEWAY, _HOST, _REJECT, _CACHE = 0x1, 0x2, 0x4, 0x200, 0x0100_0000
# include/uapi/linux/route.h and ipv6_route.h, in the order in which net-tools shows them.
_LETTERS: tuple[tuple[int, str], ...] = (
    (_UP, "U"),
    (_GATEWAY, "G"),
    (_HOST, "H"),
    (0x8, "R"),
    (0x10, "D"),
    (0x20, "M"),
    (0x40, "u"),
    (0x80, "w"),
    (0x100, "i"),
    (0x400, "n"),
    (0x1_0000, "d"),
    (0x2_0000, "a"),
)
_LETTERS6: tuple[tuple[int, str], ...] = (
    (_UP, "U"),
    (_REJECT, "!"),
    (_GATEWAY, "G"),
    (_HOST, "H"),
    (0x1_0000, "D"),
    (0x4_0000, "A"),
    (0x2_0000, "a"),
    (0x40_0000, "e"),
    (0x20, "m"),
    (0x20_0000, "n"),
    (0x200_0000, "f"),
)
_COLUMNS = (
    "Destination     Gateway         Genmask         Flags   MSS Window  irtt Iface",
    "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface",
    "Destination     Gateway         Genmask         Flags Metric Ref    Use Iface    MSS   Window irtt",
)
_COLUMNS6 = "Destination                    Next Hop                   Flag Met Ref  Use If"
ROUTE_FIELDS = (
    "family",
    "destination",
    "prefix",
    "gateway",
    "flags",
    "metric",
    "references",
    "use",
    "interface",
    "mtu",
    "window",
    "irtt",
    "source",
)


def show_routes(routes: Routes, names: Names, view: View) -> list[Block]:
    """Return the tables of the families asked for, IPv4 when none is, as net-tools 2.10 shows them."""
    blocks = []
    for family in view.asked or ("inet",):
        if family == "inet":
            columns = _COLUMNS[min(view.extend, 2)]
            rows = [_show(each, names, view) for each in routes.ipv4 if each.flags & (_UP | _REJECT)]
            blocks.append(Block(("Kernel IP routing table", columns), rows))
        else:
            rows = [_show6(each, names, view) for each in routes.ipv6 if not each.flags & _CACHE]
            blocks.append(Block(("Kernel IPv6 routing table", _COLUMNS6), rows))
    return blocks


def list_route(route: Route) -> Fields:
    """Return the fields of an IPv4 route; `prefix` is None for a mask that is none."""
    bits = f"{int(route.mask):032b}".rstrip("0")
    return {
        "family": "inet",
        "destination": str(route.destination),
        "prefix": None if "0" in bits else len(bits),
        "gateway": str(route.gateway),
        "flags": write_flags(route.flags),
        "metric": route.metric,
        "references": route.references,
        "use": route.use,
        "interface": route.interface,
        "mtu": route.mtu,
        "window": route.window,
        "irtt": route.irtt,
        "source": None,
    }


def list_route6(route: Route6) -> Fields:
    """Return the fields of an IPv6 route; `source` is what a source-specific one is for."""
    return {
        "family": "inet6",
        "destination": write_address(route.destination),
        "prefix": route.prefix,
        "gateway": write_address(route.next_hop),
        "flags": write_flags6(route.flags),
        "metric": route.metric,
        "references": route.references,
        "use": route.use,
        "interface": route.interface,
        "mtu": None,
        "window": None,
        "irtt": None,
        "source": f"{write_address(route.source)}/{route.source_prefix}" if route.source_prefix else None,
    }


def write_flags(flags: int) -> str:
    """Return the letters of an IPv4 route's flags; one that rejects is neither up nor has it a gateway."""
    if flags & _REJECT:
        return "!" + "".join(letter for bit, letter in _LETTERS if flags & bit & ~(_UP | _GATEWAY))
    return "".join(letter for bit, letter in _LETTERS if flags & bit)


def write_flags6(flags: int) -> str:
    """Return the letters of an IPv6 route's flags."""
    return "".join(letter for bit, letter in _LETTERS6 if flags & bit)


def _show(route: Route, names: Names, view: View) -> str:
    rejects = bool(route.flags & _REJECT)
    gateway = "-" if rejects else _name_gateway(route.gateway, names, view)
    ends = f"{_name_destination(route, names, view):<15} {gateway:<15} {route.mask!s:<15} "
    flags = write_flags(route.flags)
    name, metric = escape(route.interface), _signed(route.metric)
    if view.extend == 0:
        if rejects:
            return f"{ends}{flags:<5}     - -          - -"
        return f"{ends}{flags:<5} {_signed(route.mtu):>5} {_signed(route.window):<5} {_signed(route.irtt):>6} {name}"
    if rejects:
        return f"{ends}{flags:<5} {metric:<6} -  {route.use:>7} -" + (
            "        -     -      -" if view.extend > 1 else ""
        )
    if view.extend == 1:
        return f"{ends}{flags:<5} {metric:<6} {route.references:<2} {route.use:>7} {name}"
    return (
        f"{ends}{flags:<5} {metric:<6} {route.references:<3} {route.use:>6} {name:<6.6}   "
        f"{_signed(route.mtu):<5} {_signed(route.window):<6} {_signed(route.irtt)}"
    )


def _name_destination(route: Route, names: Names, view: View) -> str:
    """Return what a route leads to: a host's name for a host, or where there are bits beside the mask."""
    if view.numeric_hosts:
        return str(route.destination)
    number, mask = int(route.destination), int(route.mask)
    if not number:
        return str(route.destination) if mask else "default"
    if route.flags & _HOST or number & ~mask:
        name = names.hosts.get(route.destination)
    else:
        name = names.networks.get(route.destination)
    return escape(name or str(route.destination))[:15]


def _name_gateway(gateway: IPv4Address, names: Names, view: View) -> str:
    if view.numeric_hosts or not int(gateway):
        return str(gateway)
    return escape(names.name_address(gateway))[:15]


def _show6(route: Route6, names: Names, view: View) -> str:
    ends = [
        "[::]"
        if not view.numeric_hosts and not int(address)
        else names.name_address(address, numeric=view.numeric_hosts)
        for address in (route.destination, route.next_hop)
    ]
    destination = f"{escape(ends[0])}/{route.prefix}"
    return (
        f"{destination:<30} {escape(ends[1]):<26} {write_flags6(route.flags):<4} {_signed(route.metric):<3}"
        f" {_signed(route.references):<1} {_signed(route.use):>6} {escape(route.interface)}"
    )


def _signed(number: int) -> int:
    """Return the number as the int that net-tools keeps it in: the last IPv6 route of every host has the metric -1."""
    number &= 0xFFFF_FFFF
    return number - (1 << 32) if number >= 1 << 31 else number
