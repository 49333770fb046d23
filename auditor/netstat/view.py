"""The flags of netstat in, what is to be shown out: which tables, which of their rows, how."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Literal, get_args

InetFamily = Literal["inet", "inet6"]
InetProto = Literal["tcp", "udp", "udplite", "raw"]
EVERY_FAMILY: tuple[InetFamily, ...] = get_args(InetFamily)
EVERY_PROTO: frozenset[InetProto] = frozenset(get_args(InetProto))


@dataclass(frozen=True, slots=True)
class View:
    """What the user asked to see.

    `protos` and `families` are the Internet tables to show, `unix` and `groups` whether those are shown too; `asked`
    are the families named by flag, none when none was. `all` shows servers and connections, `listening`
    servers only, neither connections only. `extend` counts -e. `classic`: any address is `*`, as net-tools 1 wrote it.
    """

    protos: frozenset[InetProto] = EVERY_PROTO
    families: frozenset[InetFamily] = frozenset(EVERY_FAMILY)
    asked: tuple[InetFamily, ...] = ()
    unix: bool = True
    groups: bool = False
    all: bool = False
    listening: bool = False
    numeric_hosts: bool = False
    numeric_ports: bool = False
    numeric_users: bool = False
    programs: bool = False
    extend: int = 0
    timers: bool = False
    wide: bool = False
    classic: bool = False

    @property
    def scope(self) -> str:
        """What the headings say of the rows."""
        if self.all:
            return "(servers and established)"
        return "(only servers)" if self.listening else "(w/o servers)"


def choose_tables(
    view: View, protos: Collection[str], asked: Collection[str], *, unix: bool, groups: bool, counters: bool
) -> View:
    """Return `view` with the tables that these flags mean together; `counters`: -s is among them.

    As net-tools has it (netstat.c `main`): no flag at all means every table; a family, or -s, means all its protocols;
    a protocol, or -g, means both families.
    """
    named = tuple(family for family in EVERY_FAMILY if family in asked)
    nothing = not (protos or named or unix or groups or counters)
    every = nothing or ((named or counters) and not protos)
    return replace(
        view,
        protos=EVERY_PROTO if every else frozenset(proto for proto in EVERY_PROTO if proto in protos),
        families=frozenset(named or EVERY_FAMILY),
        asked=named,
        unix=unix or nothing,
        groups=groups,
    )
