"""/proc/net/udp and its kin: servers, clients, and sockets that only some readings show."""

import pytest

from tests.parse.kernel import UDP6_HEADER, UDP_HEADER, udp_row
from tests.parse.snapshots import ABSENT, Replaced, coverage_of, gaps_of, parse, places_of, sockstat

DNS = udp_row("127.0.0.53", 53, inode=1)
CLIENT = udp_row("0.0.0.0", 40000, inode=2)
CONNECTED = udp_row("10.0.0.1", 40001, state=1, peer=("10.0.0.2", 53), inode=3)


def thrice(*rows: bytes) -> bytes:
    return (UDP_HEADER + b"".join(rows)) * 3


def test_server_client_and_connected_socket() -> None:
    facts = parse(udp=thrice(DNS, CLIENT, CONNECTED))
    assert [(listener.port, listener.kind, listener.seen) for listener in facts.listeners] == [
        (53, "listener", "all"),
        (40000, "ephemeral-udp", "all"),
    ]
    assert facts.gaps == ()
    assert facts.listeners[0].service == "domain"
    assert facts.listeners[0].pending_accepts is None
    assert coverage_of(facts, "udp").rows == 3


@pytest.mark.parametrize(
    ("ports", "reserved", "kind"),
    [
        (b"32768\t60999\n", b"\n", "ephemeral-udp"),
        (b"40000\t40000\n", b"\n", "ephemeral-udp"),
        (b"32768\t39999\n", b"\n", "listener"),
        (b"40001\t60999\n", b"\n", "listener"),
        (b"32768\t60999\n", b"40000\n", "listener"),
        (b"32768\t60999\n", b"8080,39000-41000\n", "listener"),
        (b"32768\t60999\n", b"8080,40001-41000\n", "ephemeral-udp"),
        pytest.param(ABSENT, b"\n", "listener", id="range not known"),
        pytest.param(b"32768\t60999\n", ("denied", b""), "listener", id="reserved ports not known"),
        pytest.param(b"60999\t32768\n", b"\n", "listener", id="range upside down"),
        pytest.param(b"32768\t60999\n", b"all\n", "listener", id="reserved ports not understood"),
    ],
)
def test_a_client_is_told_by_the_hosts_own_range(ports: Replaced, reserved: Replaced, kind: str) -> None:
    facts = parse(udp=thrice(CLIENT), ip_local_port_range=ports, ip_local_reserved_ports=reserved)
    assert [listener.kind for listener in facts.listeners] == [kind]
    assert facts.gaps == ()


def test_a_socket_with_a_peers_port_is_no_listener_whatever_its_state() -> None:
    facts = parse(udp=thrice(udp_row("10.0.0.1", 53, state=7, peer=("10.0.0.2", 4000))))
    assert facts.listeners == ()


def test_a_socket_that_was_disconnected_listens_again_though_the_kernel_keeps_the_old_address() -> None:
    """udpv6_pre_connect and __udp_disconnect clear the peer's port; the IPv6 address stays in the row."""
    facts = parse(udp6=(UDP6_HEADER + udp_row("::", 7000, state=7, peer=("2001:db8::2", 0))) * 3)
    assert [(listener.address, listener.port) for listener in facts.listeners] == [("::", 7000)]


def test_readings_that_each_miss_another_row_are_united() -> None:
    a, b, c = (udp_row("0.0.0.0", port, inode=port) for port in (53, 67, 123))
    facts = parse(udp=UDP_HEADER + a + b + UDP_HEADER + b + c + UDP_HEADER + a + b + c)
    assert [(listener.port, listener.seen) for listener in facts.listeners] == [
        (53, "some"),
        (67, "all"),
        (123, "some"),
    ]
    assert facts.gaps == ()
    assert coverage_of(facts, "udp").rows == 3


def test_duplicates_within_a_reading_are_dropped_and_counted() -> None:
    facts = parse(
        udp=(UDP_HEADER + DNS + DNS) + (UDP_HEADER + DNS) * 2, sockstat_1=sockstat(udp=1), sockstat_2=sockstat(udp=1)
    )
    assert [listener.sockets for listener in facts.listeners] == [1]
    assert coverage_of(facts, "udp").duplicates == 1
    assert facts.gaps == ()


def test_multicast_twins_are_counted() -> None:
    facts = parse(udp=thrice(*(udp_row("0.0.0.0", 5353, inode=inode) for inode in (1, 2, 0, 0))))
    assert [(listener.port, listener.sockets) for listener in facts.listeners] == [(5353, 4)]


@pytest.mark.parametrize("readings", [0, 1, 2, 4])
def test_a_reading_too_few_or_too_many_is_a_gap(readings: int) -> None:
    facts = parse(udp=(UDP_HEADER + DNS) * readings, sockstat_1=sockstat(udp=1), sockstat_2=sockstat(udp=1))
    assert gaps_of(facts) == {"udp"}
    assert coverage_of(facts, "udp").status == ("truncated" if readings else "empty")


def test_a_row_cut_in_any_reading_is_a_gap() -> None:
    facts = parse(udp=UDP_HEADER + DNS + UDP_HEADER + DNS[:50] + b"\n" + UDP_HEADER + DNS)
    assert gaps_of(facts) == {"udp"}
    assert places_of(facts) == ["udp 127.0.0.53 53"]
    assert "udp:4" in facts.gaps[0].reason


def test_fewer_rows_than_the_kernel_counts_is_a_gap() -> None:
    facts = parse(udp=thrice(DNS), sockstat_1=sockstat(udp=2), sockstat_2=sockstat(udp=2))
    assert gaps_of(facts) == {"udp"}
    assert coverage_of(facts, "udp").status == "inconsistent"


def test_an_unknown_state_is_not_passed_over() -> None:
    facts = parse(udp=thrice(udp_row("0.0.0.0", 53, state=0x0C)))
    assert facts.listeners == ()
    assert gaps_of(facts) == {"udp"}


def test_ipv6_and_udplite_are_their_own() -> None:
    facts = parse(
        udp6=(UDP6_HEADER + udp_row("::1", 53)) * 3,
        udplite=UDP_HEADER + udp_row("0.0.0.0", 500),
        sockstat_1=sockstat(udplite=1),
        sockstat_2=sockstat(udplite=1),
    )
    assert places_of(facts) == ["udp ::1 53", "udplite 0.0.0.0 500"]
    assert facts.gaps == ()
