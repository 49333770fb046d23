"""Sections in, every socket table out, in a fixed order: which tables a host must have, and how many rows in them."""

from collections.abc import Mapping, Sequence

from auditor.model.snapshot import Section
from auditor.parse.packet import parse_packet
from auditor.parse.raw import parse_raw
from auditor.parse.sctp import parse_sctp
from auditor.parse.socket import WordOrder
from auditor.parse.sockstat import Counters
from auditor.parse.system import read_ephemeral
from auditor.parse.table import Table
from auditor.parse.tcp import parse_tcp
from auditor.parse.udp import parse_udp
from auditor.parse.unix import parse_unix

Sections = Mapping[str, Section]


def parse_tables(sections: Sections, order: WordOrder) -> list[Table]:
    """Return every table. Never raises.

    Every Linux with networking has tcp, udp and raw; the IPv6 ones are missing where IPv6 is off, and then if_inet6 is
    missing too. UDP-Lite, ping, packet, SCTP and unix sockets can be left out of a kernel.
    """
    v6 = sections.get("if_inet6")
    no_ipv6 = v6 is not None and v6.status == "absent"
    ephemeral = read_ephemeral(sections)
    tables = [
        parse_tcp("tcp", sections.get("tcp"), order),
        parse_tcp("tcp6", sections.get("tcp6"), order, optional=no_ipv6),
        parse_udp("udp", sections.get("udp"), order, ephemeral),
        parse_udp("udp6", sections.get("udp6"), order, ephemeral, optional=no_ipv6),
        parse_udp("udplite", sections.get("udplite"), order, ephemeral, optional=True),
        parse_udp("udplite6", sections.get("udplite6"), order, ephemeral, optional=True),
        parse_raw("raw", sections.get("raw"), order),
        parse_raw("raw6", sections.get("raw6"), order, optional=no_ipv6),
        parse_raw("icmp", sections.get("icmp"), order, optional=True),
        parse_raw("icmp6", sections.get("icmp6"), order, optional=True),
        parse_packet(sections.get("packet")),
        parse_sctp(sections.get("sctp")),
        parse_unix(sections.get("unix")),
    ]
    for table in tables:
        table.settle()
    return tables


def check_counts(tables: Sequence[Table], counters: Counters) -> None:
    """Hold each whole table against the kernel's own count of its sockets."""
    for table in tables:
        if table.status != "ok":
            continue
        missing = counters.missing(table.name, table.full)
        if missing:
            table.fail(
                "inconsistent",
                f"the kernel counts {missing} more sockets here than this table shows ({table.full}): "
                "something hides rows, or the reading lost them; run again",
            )
