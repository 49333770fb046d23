"""Twins, order, and what a `::` listener takes."""

import pytest

from auditor.model.facts import DualStack, HostFacts
from auditor.parse.owners import INITIAL_PID_NAMESPACE
from tests.parse.kernel import TCP6_HEADER, TCP_HEADER, UDP6_HEADER, UDP_HEADER, tcp_row, udp_row
from tests.parse.snapshots import ABSENT, Replaced, parse, places_of

ROOT = f"v 0 1 0 {INITIAL_PID_NAMESPACE}"


def dual_stack_of(facts: HostFacts) -> DualStack | None:
    return next(listener.dual_stack for listener in facts.listeners if listener.address == "::")


def test_alone_it_takes_ipv4_too() -> None:
    assert dual_stack_of(parse(tcp6=TCP6_HEADER + tcp_row("::", 80))) == "yes"


@pytest.mark.parametrize("value", [b"1\n", ABSENT])
def test_alone_on_a_host_that_defaults_to_ipv6_only_it_may_or_may_not(value: Replaced) -> None:
    assert dual_stack_of(parse(tcp6=TCP6_HEADER + tcp_row("::", 80), bindv6only=value)) == "unknown"


@pytest.mark.parametrize(
    ("address", "expected"), [("0.0.0.0", "no"), ("127.0.0.1", "unknown"), ("10.0.0.5", "unknown")]
)
def test_beside_an_ipv4_listener_it_takes_none_unless_they_share_the_port(address: str, expected: DualStack) -> None:
    """A loopback socket and a dual-stack one may share a port by SO_REUSEPORT, and the tables look just the same."""
    facts = parse(tcp=TCP_HEADER + tcp_row(address, 80), tcp6=TCP6_HEADER + tcp_row("::", 80, inode=2))
    assert dual_stack_of(facts) == expected
    assert len(facts.listeners) == 2  # both are listed


@pytest.mark.parametrize(
    ("users", "owners", "expected"),
    [
        ((0, 0), "n 7 nginx\nn 8 nginx", "no"),
        ((0, 0), "n 7 nginx\nn 8 nc", "unknown"),
        ((33, 0), "n 7 nginx\nn 8 nginx", "unknown"),
    ],
)
def test_beside_somebody_elses_it_may_have_the_ipv4_connections(
    users: tuple[int, int], owners: str, expected: DualStack
) -> None:
    """A kernel lets both have them where each is bound to a device; then a deny line must see the second one."""
    v4, v6 = tcp_row("0.0.0.0", 80, uid=users[0], inode=1), tcp_row("::", 80, uid=users[1], inode=2)
    said = f"{ROOT}\nh 7 1\nh 8 2\n{owners}\nz\n".encode()
    assert dual_stack_of(parse(tcp=TCP_HEADER + v4, tcp6=TCP6_HEADER + v6, owners=said)) == expected


@pytest.mark.parametrize("order", [1, -1])
def test_each_users_sockets_are_a_listener_of_their_own_whoever_was_first(order: int) -> None:
    """UDP sockets with SO_REUSEADDR, of anybody, and TCP sockets bound to a device each, may share a port."""
    rows = [udp_row("0.0.0.0", 5353, uid=uid, inode=inode) for inode, uid in ((1, 0), (2, 65534), (3, 0))][::order]
    said = f"{ROOT}\nh 7 1\nh 8 2\nh 9 3\nn 7 avahi\nn 8 mdns\nn 9 avahi\nu 0 root\nu 65534 nobody\nz\n"
    facts = parse(udp=(UDP_HEADER + b"".join(rows)) * 3, owners=said.encode())
    found = [(one.uid, one.user, one.sockets, [owner.pid for owner in one.owners]) for one in facts.listeners]
    assert found == [(0, "root", 2, [7, 9]), (65534, "nobody", 1, [8])]


def test_another_port_or_protocol_says_nothing() -> None:
    facts = parse(
        tcp=TCP_HEADER + tcp_row("0.0.0.0", 81),
        udp=(UDP_HEADER + udp_row("0.0.0.0", 80)) * 3,
        tcp6=TCP6_HEADER + tcp_row("::", 80, inode=2),
    )
    assert dual_stack_of(facts) == "yes"


@pytest.mark.parametrize("table", ["tcp", "tcp6"])
def test_shared_ports_leave_it_open(table: str) -> None:
    twice = [TCP_HEADER + tcp_row("0.0.0.0", 80, inode=1), TCP6_HEADER + tcp_row("::", 80, inode=2)]
    twice[table == "tcp6"] += tcp_row("::" if table == "tcp6" else "0.0.0.0", 80, inode=3)
    assert dual_stack_of(parse(tcp=twice[0], tcp6=twice[1])) == "unknown"


def test_udp_sockets_may_share_a_port_without_showing_it() -> None:
    facts = parse(udp=(UDP_HEADER + udp_row("0.0.0.0", 53)) * 3, udp6=(UDP6_HEADER + udp_row("::", 53, inode=2)) * 3)
    assert dual_stack_of(facts) == "unknown"


def test_only_the_ipv6_wildcard_has_the_question() -> None:
    facts = parse(
        tcp=TCP_HEADER + tcp_row("0.0.0.0", 1),
        tcp6=TCP6_HEADER + tcp_row("::1", 2) + tcp_row("2001:db8::1", 3, inode=3),
    )
    assert [listener.dual_stack for listener in facts.listeners] == [None, None, None]


def test_listeners_are_in_numerical_order_whatever_the_kernels() -> None:
    places = [(address, port) for port in (443, 22, 8080) for address in ("10.0.0.10", "10.0.0.9")]
    rows = [tcp_row(*place, inode=inode) for inode, place in enumerate(places)]
    facts = parse(tcp=TCP_HEADER + b"".join(rows), tcp6=TCP6_HEADER + tcp_row("::1", 22))
    assert places_of(facts) == [
        "tcp 10.0.0.9 22",
        "tcp 10.0.0.10 22",
        "tcp ::1 22",
        "tcp 10.0.0.9 443",
        "tcp 10.0.0.10 443",
        "tcp 10.0.0.9 8080",
        "tcp 10.0.0.10 8080",
    ]


def test_an_ipv4_mapped_row_and_its_ipv4_twin_are_one() -> None:
    facts = parse(
        tcp=TCP_HEADER + tcp_row("10.0.0.5", 80, inode=1), tcp6=TCP6_HEADER + tcp_row("::ffff:10.0.0.5", 80, inode=2)
    )
    assert [(listener.address, listener.sockets) for listener in facts.listeners] == [("10.0.0.5", 2)]
