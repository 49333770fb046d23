"""Whether the tables are this host's and whole: byte order, namespace, the kernel's own counts."""

import pytest

from auditor.model.transcript import Session
from auditor.parse import parse_snapshot
from tests.parse.kernel import TCP6_HEADER, TCP_HEADER, Order, tcp_row
from tests.parse.snapshots import (
    ABSENT,
    Replaced,
    a_snapshot,
    a_transcript,
    gaps_of,
    parse,
    parse_over_ssh,
    snmp,
    sockstat,
)

CONNECTION = b"192.0.2.1 50000 192.0.2.10 22\n"


def session_row(order: Order = "little", server: str = "192.0.2.10", client: str = "192.0.2.1") -> bytes:
    return tcp_row(server, 22, state=1, peer=(client, 50000), inode=99, order=order)


def test_our_own_connection_proves_namespace_and_byte_order() -> None:
    facts = parse_over_ssh(ssh_connection=CONNECTION, tcp=TCP_HEADER + session_row(), cpu_byteorder=ABSENT)
    assert facts.gaps == ()
    assert facts.system.byte_order == "little"


def test_our_own_connection_on_a_big_endian_host() -> None:
    facts = parse_over_ssh(ssh_connection=CONNECTION, tcp=TCP_HEADER + session_row("big"), cpu_byteorder=ABSENT)
    assert facts.gaps == ()
    assert facts.system.byte_order == "big"


@pytest.mark.parametrize(
    "proof", [{"cpu_byteorder": b"big\n"}, {"od": b" 256\n"}, {"od": b" 256\n", "cpu_byteorder": ABSENT}]
)
def test_contradicting_proofs_of_the_byte_order_are_a_gap(proof: dict[str, Replaced]) -> None:
    facts = parse_over_ssh(ssh_connection=CONNECTION, tcp=TCP_HEADER + session_row(), **proof)
    assert gaps_of(facts) == {"byte-order"}
    assert "says big" in facts.gaps[0].reason
    assert facts.system.byte_order == "unknown"


def test_a_palindrome_proves_no_byte_order() -> None:
    row = tcp_row("10.0.0.10", 22, state=1, peer=("10.7.7.10", 50000))
    facts = parse_over_ssh(ssh_connection=b"10.7.7.10 50000 10.0.0.10 22\n", tcp=TCP_HEADER + row, cpu_byteorder=ABSENT)
    assert gaps_of(facts) == {"byte-order"}


@pytest.mark.parametrize(
    ("connection", "row"),
    [
        (b"192.0.2.1 50000 192.0.2.10 22\n", session_row(server="::ffff:192.0.2.10", client="::ffff:192.0.2.1")),
        (
            b"::ffff:192.0.2.1 50000 ::ffff:192.0.2.10 22",
            session_row(server="::ffff:192.0.2.10", client="::ffff:192.0.2.1"),
        ),
        (b"2001:db8::1 50000 2001:db8::10 22\n", session_row(server="2001:db8::10", client="2001:db8::1")),
        (b"fe80::1%eth0 50000 fe80::10%eth0 22\n", session_row(server="fe80::10", client="fe80::1")),
    ],
)
def test_our_own_connection_in_the_ipv6_table(connection: Replaced, row: bytes) -> None:
    facts = parse_over_ssh(ssh_connection=connection, tcp6=TCP6_HEADER + row, cpu_byteorder=ABSENT)
    assert facts.gaps == ()
    assert facts.system.byte_order == "little"


def test_our_own_connection_missing_is_a_gap() -> None:
    facts = parse_over_ssh(ssh_connection=CONNECTION)
    assert gaps_of(facts) == {"session"}


@pytest.mark.parametrize("table", [b"", ("denied", b""), ("truncated", TCP_HEADER), ABSENT])
def test_where_the_table_was_not_read_only_that_is_said(table: Replaced) -> None:
    assert gaps_of(parse_over_ssh(ssh_connection=CONNECTION, tcp=table)) == {"tcp"}


@pytest.mark.parametrize(
    "connection", [ABSENT, b"", b"garbage\n", b"UNKNOWN 65535 UNKNOWN 65535\n", b"1.2.3.4 1 1.2.3.4 99999\n"]
)
def test_without_a_connection_to_look_for_nothing_vouches_for_the_tables(connection: Replaced) -> None:
    """Process 1 does not: in a container that a forced command put us into, it is the container's own."""
    assert gaps_of(parse_over_ssh(ssh_connection=connection)) == {"session"}
    assert gaps_of(parse_over_ssh(ssh_connection=connection, netns=b"unknown\n")) == {"session"}
    assert gaps_of(parse_over_ssh(ssh_connection=connection, netns=b"other\n")) >= {"netns", "session"}


@pytest.mark.parametrize(
    "session", [Session(server_version="SSH-2.0-OpenSSH_9.2"), Session(host_key="x"), Session(kex="curve25519")]
)
@pytest.mark.parametrize("connection", [ABSENT, CONNECTION])
def test_behind_a_jump_host_no_address_is_known_and_it_is_no_local_run(session: Session, connection: Replaced) -> None:
    """The system's ssh does not say where a ProxyCommand leads."""
    transcript = a_transcript().model_copy(update={"session": session})
    facts = parse_snapshot(a_snapshot(ssh_connection=connection), transcript)
    assert gaps_of(facts) == {"session"}


def test_a_local_run_has_no_connection_and_an_inherited_one_may_be_long_closed() -> None:
    assert parse(ssh_connection=CONNECTION).gaps == ()
    assert gaps_of(parse(netns=b"unknown\n")) == {"netns"}
    assert gaps_of(parse(netns=b"other\n")) == {"netns"}


LISTENER = tcp_row("0.0.0.0", 22)


def test_one_row_less_than_the_kernel_counts_shows_on_a_quiet_host() -> None:
    assert gaps_of(parse(tcp=TCP_HEADER + LISTENER, sockstat_1=sockstat(2), sockstat_2=sockstat(2))) == {"tcp"}
    assert parse(tcp=TCP_HEADER + LISTENER, sockstat_1=sockstat(1), sockstat_2=sockstat(1)).gaps == ()


@pytest.mark.parametrize(
    ("before", "after", "opened", "missing"),
    [
        (10, 11, 1, False),  # one opened after the reading
        (11, 10, 0, False),  # one closed before the reading
        (12, 12, 2, False),  # two closed before the reading, two opened after it
        (30, 10, 0, False),  # twenty closed; the ten that stay have rows
        (10, 30, 20, False),
        (11, 11, 0, True),
        (30, 30, 5, True),
        (30, 35, 0, True),  # five listeners more, which are not counted as opened; but twenty too many anyway
    ],
)
def test_coming_and_going_explains_only_so_much(before: int, after: int, opened: int, missing: bool) -> None:
    rows = b"".join(tcp_row("0.0.0.0", port, inode=port) for port in range(1, 11))
    facts = parse(
        tcp=TCP_HEADER + rows,
        sockstat_1=sockstat(before),
        sockstat_2=sockstat(after),
        snmp_1=snmp(active=100, passive=100),
        snmp_2=snmp(active=100 + opened // 2, passive=100 + opened - opened // 2),
    )
    assert gaps_of(facts) == ({"tcp"} if missing else set())


def test_more_rows_than_counted_is_no_loss() -> None:
    assert parse(tcp=TCP_HEADER + LISTENER, sockstat_1=sockstat(0), sockstat_2=sockstat(0)).gaps == ()


@pytest.mark.parametrize(
    "replaced", [{"sockstat_1": ABSENT}, {"sockstat_2": b"garbage"}, {"sockstat6_1": ("denied", b"")}]
)
def test_without_both_counts_nothing_vouches_for_the_tables(replaced: dict[str, Replaced]) -> None:
    assert gaps_of(parse(**replaced)) == {"sockstat"}


def test_another_system_is_named_before_anything_else() -> None:
    facts = parse(uname=b"FreeBSD 14.1-RELEASE amd64\n", tcp=ABSENT, udp=ABSENT)
    assert [gap.source for gap in facts.gaps] == ["unsupported-os"]
    assert "FreeBSD" in facts.gaps[0].reason
    assert facts.coverage == ()


def test_no_proc_at_all_is_one_gap() -> None:
    facts = parse(tcp=ABSENT, tcp6=ABSENT, udp=ABSENT, udp6=ABSENT, sockstat_1=ABSENT, sockstat_2=ABSENT)
    assert [gap.source for gap in facts.gaps] == ["no-procfs"]
