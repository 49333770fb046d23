"""The names of the script's sections, in the order in which `probe.sh` prints them, and those to be asked for."""

from typing import Literal

from auditor.model.socket_tables import SOCKET_TABLES

TableGroup = Literal["connections", "names", "routes", "interfaces", "groups", "statistics", "links"]
"""What the script prints beyond what an audit needs; see TABLE_GROUPS."""

SECTIONS: tuple[str, ...] = (
    "uname",
    "hostname",
    "os-release",
    "date",
    "uid",
    "sudo",
    "ssh_connection",
    "netns",
    "cpu_byteorder",
    "od",
    "ip_local_port_range",
    "ip_local_reserved_ports",
    "bindv6only",
    "if_inet6",
    "snmp.1",
    "sockstat.1",
    "sockstat6.1",
    *SOCKET_TABLES,
    "sockstat.2",
    "sockstat6.2",
    "snmp.2",
    "unix",
    "services",
    "ip_vs",
    "nat",
    "namespaces",
    "owners",
    "hosts",
    "networks",
    "protocols",
    "passwd",
    "route",
    "ipv6_route",
    "dev",
    "links",
    "igmp",
    "igmp6",
    "snmp",
    "netstat",
    "snmp6",
)
"""`udp` and `udp6` hold three readings of the table one after the other, each with its header."""

TABLE_GROUPS: dict[TableGroup, tuple[str, ...]] = {
    "connections": (),
    "names": ("hosts", "networks", "protocols", "passwd"),
    "routes": ("route", "ipv6_route"),
    "interfaces": ("dev", "links"),
    "links": ("links",),
    "groups": ("igmp", "igmp6"),
    "statistics": ("snmp", "netstat", "snmp6"),
}
"""The sections of each group. `connections` has none of its own: the tables of sockets come with all of their rows."""

ASKED: frozenset[str] = frozenset().union(*TABLE_GROUPS.values())
"""Sections that come only when they are asked for."""

LATER = ASKED | {"sudo", "ip_vs", "nat", "namespaces", "owners"}
"""Sections that nobody misses: these, and what evidence gathered by earlier versions does not have."""
