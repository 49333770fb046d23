"""Raw, ping and packet sockets, SCTP endpoints and unix sockets."""

import pytest

from tests.parse.kernel import PACKET_HEADER, RAW_HEADER, UDP6_HEADER, UDP_HEADER, packet_row, raw_row, udp_row
from tests.parse.snapshots import ABSENT, coverage_of, gaps_of, parse, places_of, sockstat

# From a real host, as RedHatInsights/insights-core keeps it.
SCTP = b"""\
 ENDPT            SOCK             STY SST HBKT LPORT   UID INODE     LADDRS
ffff88017e0a0200 ffff880299f7fa00 2   10  29   11165   200 299689357 10.0.0.102 10.0.0.70
ffff88061fba9800 ffff88061f8a3180 2   7   31   11167   200 273361145 10.0.0.102 10.0.0.70
"""
UNIX_HEADER = b"Num       RefCount Protocol Flags    Type St Inode Path\n"


def test_raw_sockets_are_listed_with_their_protocol() -> None:
    facts = parse(raw=RAW_HEADER + raw_row("0.0.0.0", 1), raw6=UDP6_HEADER + raw_row("::", 58))
    assert places_of(facts) == ["raw 0.0.0.0 1", "raw :: 58"]
    assert [listener.dual_stack for listener in facts.listeners] == [None, "no"]
    assert facts.gaps == ()


def test_a_connected_raw_socket_still_receives() -> None:
    row = raw_row("10.0.0.1", 6, state=1)
    assert places_of(parse(raw=RAW_HEADER + row)) == ["raw 10.0.0.1 6"]


def test_a_raw_table_that_lost_a_row_is_a_gap() -> None:
    facts = parse(sockstat_1=sockstat(raw=1), sockstat_2=sockstat(raw=1))
    assert gaps_of(facts) == {"raw"}


def test_no_raw_table_is_a_gap_but_modules_may_be_missing() -> None:
    assert gaps_of(parse(raw=ABSENT)) == {"raw"}
    assert parse(packet=ABSENT, udplite=ABSENT, udplite6=ABSENT, icmp=ABSENT, icmp6=ABSENT, unix=ABSENT).gaps == ()


def test_ping_sockets_are_counted_and_answer_nobody() -> None:
    facts = parse(icmp=UDP_HEADER + udp_row("0.0.0.0", 77))
    assert facts.listeners == ()
    assert coverage_of(facts, "icmp").rows == 1


def test_packet_sockets() -> None:
    facts = parse(packet=PACKET_HEADER + packet_row(3, 0, uid=7) + packet_row(0x88CC, 2, inode=5))
    assert places_of(facts) == ["packet * 3", "packet if2 35020"]
    assert [listener.uid for listener in facts.listeners] == [7, 0]
    assert [(listener.family, listener.scope) for listener in facts.listeners] == [(None, "wildcard")] * 2
    assert facts.gaps == ()


def test_packet_rows_by_header_and_twice() -> None:
    # Kernels differ in the width of the first column, and put it under another name once.
    table = b"sk       RefCnt Type Proto  Iface R Rmem   User   Inode\n" + packet_row(3, 0) * 2
    facts = parse(packet=table)
    assert places_of(facts) == ["packet * 3"]
    assert coverage_of(facts, "packet").duplicates == 1


@pytest.mark.parametrize(
    "bad", [b"zz 3 3 00030 0 1 0 0 1\n", b"zz 3 3 0003\n", b"zz 3 3 0003 x 1 0 0 1\n", b"zz", b"\n"]
)
def test_a_packet_row_that_no_kernel_prints_is_a_gap(bad: bytes) -> None:
    facts = parse(packet=PACKET_HEADER + packet_row(3, 0) + bad)
    assert gaps_of(facts) == {"packet"}
    assert places_of(facts) == ["packet * 3"]
    assert coverage_of(facts, "packet").rejected == 1


def test_sctp_endpoints_of_a_real_host() -> None:
    facts = parse(sctp=SCTP)
    assert places_of(facts) == ["sctp 10.0.0.70 11165", "sctp 10.0.0.102 11165"]
    assert [listener.uid for listener in facts.listeners] == [200, 200]
    assert facts.gaps == ()
    assert coverage_of(facts, "sctp").rows == 2


def test_sctp_without_the_bucket_column_and_with_ipv6() -> None:
    table = (
        b" ENDPT     SOCK   STY SST LPORT   UID INODE LADDRS\n"
        b"0        0 2   10  36412     0 465001933 0000:0000:0000:0000:0000:0000:0000:0001 192.168.60.142 \n"
    )
    assert places_of(parse(sctp=table)) == ["sctp 192.168.60.142 36412", "sctp ::1 36412"]


@pytest.mark.parametrize(
    "bad", [b"0 0 2 10 9 70000 0 1 10.0.0.1\n", b"0 0 2 10 9 22 0 1 nowhere\n", b"0 0 2 10 9 22 0 1\n"]
)
def test_an_sctp_row_that_no_kernel_prints_is_a_gap(bad: bytes) -> None:
    facts = parse(sctp=SCTP + bad)
    assert gaps_of(facts) == {"sctp"}
    assert len(facts.listeners) == 2


def test_unix_rows_can_be_forged_and_decide_nothing() -> None:
    """A path may hold a newline; the kernel prints it as it is (net/unix/af_unix.c unix_seq_show)."""
    row = b"00000000a1: 00000002 00000000 00010000 0001 01 100 /run/a b\n"
    forged = b"00000000b2: 00000002 00000000 00010000 0001 01 1 /run/docker.sock\n"
    facts = parse(unix=UNIX_HEADER + row + forged + b"\x1b[2J\x00\xff\n")
    assert facts.listeners == ()
    assert facts.gaps == ()
    assert coverage_of(facts, "unix").listeners == 2
    assert parse(unix=("denied", b"")).gaps == ()
