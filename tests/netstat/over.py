"""Plain files in, the text and the nouns that netaudit makes of them out, as `netaudit netstat` would show them."""

from collections.abc import Iterable, Mapping

from auditor.model.snapshot import Section, Snapshot
from auditor.netstat.block import Block
from auditor.netstat.view import View, choose_tables

HOSTS = b"""127.0.0.1 localhost
192.0.2.1 router.example.com gw
192.0.2.9 a-very-long-host-name.example.com
10.5.5.5 inside-a-network
10.9.0.0 looks-like-a-network
224.0.0.1 all-hosts.mcast.example
2001:db8::1 router6.example.com
2001:db8::9 a-very-very-long-host-name.of-ipv6.example.com
ff02::1 ip6-allnodes
"""
NETWORKS = b"default 0.0.0.0\nlab 192.0.2.0\nten 10.0.0.0\nshort 10.6\nverylongnetworkname 172.16.0.0\nhost 10.4.4.4\n"
_PLACES = {"hosts": "etc/hosts", "networks": "etc/networks", "services": "etc/services", "protocols": "etc/protocols"}


def a_snapshot(files: Mapping[str, bytes]) -> Snapshot:
    """Return the sections of a host with these files, by the names of sections; what is not there is absent."""
    sections = {name: Section(name, "ok", data) for name, data in files.items()}
    for name in ("hosts", "networks", "services", "protocols", "passwd", "route", "ipv6_route", "igmp", "igmp6"):
        sections.setdefault(name, Section(name, "absent"))
    return Snapshot(sections=sections)


def as_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the same as a program sees it on the host."""
    return {_PLACES.get(name, f"proc/net/{name}"): data for name, data in files.items()}


def a_view(*flags: str) -> View:
    """Return what `-n`, `-e`, `-4`, `-6`, `-t`, `-u`, `-w`, `-s`, `-a` mean for the tables that have no sockets."""
    letters = "".join(flags).replace("-", "")
    families = {"4": "inet", "6": "inet6"}
    protos = {"t": "tcp", "u": "udp", "w": "raw", "U": "udplite"}
    view = View(all="a" in letters, numeric_hosts="n" in letters, extend=letters.count("e"))
    return choose_tables(
        view,
        frozenset(protos[letter] for letter in letters if letter in protos),
        [families[letter] for letter in letters if letter in families],
        unix=False,
        groups="g" in letters,
        counters="s" in letters,
    )


def print_blocks(blocks: Iterable[Block]) -> str:
    return "".join(f"{line}\n" for block in blocks for line in (*block.head, *block.rows))
