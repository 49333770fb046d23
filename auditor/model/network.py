"""What a host's kernel says of its network beside sockets: routes, interfaces, multicast groups, counters.

Plain tuples: a router has very many routes. None means that the host did not say.
"""

from ipaddress import IPv4Address, IPv6Address
from typing import Literal, NamedTuple

from auditor.model.address import Address
from auditor.model.facts import Gap

CounterSource = Literal["snmp", "netstat", "snmp6"]


class Route(NamedTuple):
    """One row of /proc/net/route, which is the main table. `flags` are those of include/uapi/linux/route.h."""

    destination: IPv4Address
    gateway: IPv4Address
    mask: IPv4Address
    flags: int
    metric: int
    references: int
    use: int
    interface: str
    mtu: int
    window: int
    irtt: int


class Route6(NamedTuple):
    """One row of /proc/net/ipv6_route, which holds every table. `source` is what a source-specific route is for."""

    destination: IPv6Address
    prefix: int
    source: IPv6Address
    source_prefix: int
    next_hop: IPv6Address
    metric: int
    references: int
    use: int
    flags: int
    interface: str


class Routes(NamedTuple):
    """In the kernel's order."""

    ipv4: tuple[Route, ...] = ()
    ipv6: tuple[Route6, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Traffic(NamedTuple):
    """What went one way through an interface. `overruns` is the kernel's `fifo`."""

    bytes: int
    packets: int
    errors: int
    dropped: int
    overruns: int


class Interface(NamedTuple):
    """A network interface with its counters. `flags` are those of netdevice(7), None where /sys did not tell."""

    name: str
    mtu: int | None
    flags: int | None
    received: Traffic
    sent: Traffic


class Interfaces(NamedTuple):
    """In the kernel's order."""

    rows: tuple[Interface, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Link(NamedTuple):
    """An interface's own settings, None for what the kernel does not tell, as of speed while the interface is down.

    `number` is its ifindex, `speed` in Mb/s, and -1 where the driver does not know it; `kind` is the hardware type of
    include/uapi/linux/if_arp.h.
    """

    name: str
    number: int | None
    flags: int | None
    mtu: int | None
    state: str | None
    carrier: bool | None
    speed: int | None
    duplex: str | None
    address: str | None
    kind: int | None
    driver: str | None


class Links(NamedTuple):
    """Sorted by name."""

    rows: tuple[Link, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Group(NamedTuple):
    """A multicast group that an interface is in; `users` is how many sockets, or the kernel itself, joined it."""

    interface: str
    users: int
    address: Address


class Groups(NamedTuple):
    """In the kernel's order, those of IPv4 first."""

    rows: tuple[Group, ...] = ()
    gaps: tuple[Gap, ...] = ()


class Counters(NamedTuple):
    """The counters of one protocol (`Tcp`, `IpExt`, `Icmp6`) in the kernel's order."""

    source: CounterSource
    title: str
    values: tuple[tuple[str, int], ...]


class Statistics(NamedTuple):
    """In the kernel's order."""

    rows: tuple[Counters, ...] = ()
    gaps: tuple[Gap, ...] = ()
