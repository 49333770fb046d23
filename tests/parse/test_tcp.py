"""/proc/net/tcp and tcp6: what is a listener, what is not, and what makes the host incomplete."""

import pytest

from auditor.model.snapshot import ReadStatus
from tests.parse.kernel import TCP6_HEADER, TCP_HEADER, tcp_row, tcp_short_row
from tests.parse.snapshots import ABSENT, Replaced, coverage_of, gaps_of, parse, places_of, sockstat, sockstat6

LE_SSHD = tcp_row("127.0.0.1", 22)
# Quoted from a sparc host (giampaolo/psutil#201), where it stood for 127.0.0.1.
SPARC = (
    b"   2: 7F000001:A13F 00000000:0000 0A 00000000:00000000 00:00000000 00000000  2940        0 41019895 1 "
    b"fffff8103c59be80 300 0 0 2 -1                  \n"
)


def test_a_quiet_host_is_complete_and_silent() -> None:
    facts = parse()
    assert facts.gaps == ()
    assert facts.listeners == ()
    assert {entry.status for entry in facts.coverage} == {"ok", "absent"}
    assert [entry.source for entry in facts.coverage if entry.status == "absent"] == ["sctp", "nat"]


def test_little_endian_row() -> None:
    assert LE_SSHD.startswith(b"   0: 0100007F:0016 00000000:0000 0A ")  # as x86 hosts print it
    facts = parse(tcp=TCP_HEADER + LE_SSHD)
    assert places_of(facts) == ["tcp 127.0.0.1 22"]
    assert facts.gaps == ()
    assert facts.listeners[0].scope == "loopback"
    assert facts.listeners[0].service == "ssh"


@pytest.mark.parametrize("proof", [{"cpu_byteorder": b"big\n"}, {"cpu_byteorder": ABSENT, "od": b"   256\n"}])
def test_big_endian_rows_of_real_hosts(proof: dict[str, Replaced]) -> None:
    facts = parse(tcp=TCP_HEADER + SPARC, **proof)
    assert places_of(facts) == ["tcp 127.0.0.1 41279"]
    assert facts.listeners[0].uid == 2940
    assert facts.gaps == ()
    assert facts.system.byte_order == "big"


def test_big_endian_ipv6_of_a_real_host() -> None:
    # containerd/nerdctl#5100, s390x
    row = (
        b"   0: FE8000000000000070A657FFFE71C75D:0050 "
        + b"0" * 32
        + b":0000 0A 00000000:00000000 00:00000000 00000000 "
    )
    facts = parse(tcp6=TCP6_HEADER + row + b"    0        0 5 1 00 100 0 0 10 0\n", cpu_byteorder=b"big\n")
    assert places_of(facts) == ["tcp fe80::70a6:57ff:fe71:c75d 80"]
    assert facts.listeners[0].scope == "link-local"


def test_no_word_on_the_byte_order_is_a_gap() -> None:
    facts = parse(tcp=TCP_HEADER + SPARC, cpu_byteorder=ABSENT)
    assert gaps_of(facts) == {"byte-order"}
    assert facts.system.byte_order == "unknown"
    assert facts.listeners[0].port == 41279  # ports are right in any order


def test_ipv4_mapped_address_is_listed_once_as_ipv4() -> None:
    facts = parse(tcp6=TCP6_HEADER + tcp_row("::ffff:10.0.0.5", 8080))
    assert places_of(facts) == ["tcp 10.0.0.5 8080"]
    assert facts.listeners[0].family == "ipv4"
    assert facts.listeners[0].scope == "private"
    assert b"0000000000000000FFFF00000500000A" in facts.listeners[0].raw.encode()


def test_short_rows_of_request_and_timewait_sockets_are_no_listeners_and_no_fault() -> None:
    rows = b"".join(tcp_short_row("10.0.0.1", 80, state=state, peer=("10.0.0.2", 5)) for state in (3, 5, 6))
    facts = parse(tcp=TCP_HEADER + LE_SSHD + rows)
    assert places_of(facts) == ["tcp 127.0.0.1 22"]
    assert facts.gaps == ()
    assert coverage_of(facts, "tcp").rows == 4


@pytest.mark.parametrize("tail", [b"", b" 1", b" 1 ffff880115776040 0", b" 1 00 100 0 0 10 0", b" 1 00 100 0 0 10 0 0"])
def test_what_follows_the_tenth_field_differs_between_kernels(tail: bytes) -> None:
    row = (
        b"   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711"
        + tail
        + b"\n"
    )
    facts = parse(tcp=TCP_HEADER + row, sockstat_1=sockstat(1), sockstat_2=sockstat(1))
    assert places_of(facts) == ["tcp 127.0.0.1 22"]
    assert facts.gaps == ()


GOOD = tcp_row("10.0.0.1", 80, inode=1)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(
            b"   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0\n", id="9-fields"
        ),
        pytest.param(LE_SSHD[:40], id="cut"),
        pytest.param(LE_SSHD[:-1], id="no-newline"),
        pytest.param(LE_SSHD[:-1] + b"\r\n", id="crlf"),
        pytest.param(LE_SSHD.replace(b" 4711", b"\x004711"), id="nul"),
        pytest.param(LE_SSHD.replace(b" 1 ", b" \xff "), id="0xff"),
        pytest.param(LE_SSHD.replace(b"0016", "٢٢".encode()), id="utf-8"),
        pytest.param(LE_SSHD.replace(b"0016", b"1_01"), id="underscore"),
        pytest.param(LE_SSHD.replace(b"0016", b"+022"), id="sign"),
        pytest.param(LE_SSHD.replace(b"0016", b" 022"), id="space"),
        pytest.param(LE_SSHD.replace(b"0016", b"0G16"), id="not-hex"),
        pytest.param(LE_SSHD.replace(b"0016", b"10000"), id="too-large"),
        pytest.param(LE_SSHD.replace(b"0016", b"016"), id="odd"),
        pytest.param(LE_SSHD.replace(b"0016", b"0x16"), id="0x"),
        pytest.param(LE_SSHD.replace(b"0100007F", b"0100007F00"), id="long-address"),
        pytest.param(LE_SSHD.replace(b"0100007F", b"0100007"), id="short-address"),
        pytest.param(tcp_row("::1", 22), id="ipv6-address"),
        pytest.param(tcp_row("127.0.0.1", 0), id="port-0"),
        pytest.param(b"\n", id="blank"),
        pytest.param(TCP_HEADER, id="second-header"),
    ],
)
def test_a_row_that_no_kernel_prints_costs_one_row_and_the_hosts_completeness(bad: bytes) -> None:
    facts = parse(tcp=TCP_HEADER + GOOD + bad, sockstat_1=sockstat(1), sockstat_2=sockstat(1))
    assert places_of(facts) == ["tcp 10.0.0.1 80"]
    assert gaps_of(facts) == {"tcp"}
    assert coverage_of(facts, "tcp").rejected == 1
    assert coverage_of(facts, "tcp").status == ("malformed" if bad.endswith(b"\n") else "truncated")


def test_the_reason_names_table_line_and_text_made_safe() -> None:
    facts = parse(tcp=TCP_HEADER + GOOD + b"\x1b[31m evil\n", sockstat_1=sockstat(1), sockstat_2=sockstat(1))
    assert 'tcp:3 "\\x1b[31m evil"' in facts.gaps[0].reason


@pytest.mark.parametrize(
    ("data", "status"),
    [(b"", "empty"), (GOOD, "malformed"), (b"\x00" * 100, "malformed"), (TCP_HEADER[:-1], "malformed")],
)
def test_a_table_without_its_header_is_unknown_not_empty(data: bytes, status: str) -> None:
    facts = parse(tcp=data, sockstat_1=sockstat(0), sockstat_2=sockstat(0))
    assert gaps_of(facts) == {"tcp"}
    assert coverage_of(facts, "tcp").status == status
    assert facts.listeners == ()


@pytest.mark.parametrize(
    ("read", "status"), [("absent", "absent"), ("denied", "denied"), ("error", "truncated"), ("truncated", "truncated")]
)
def test_a_table_that_was_not_read_whole_is_a_gap(read: ReadStatus, status: str) -> None:
    facts = parse(tcp=(read, TCP_HEADER if read == "truncated" else b""))
    assert gaps_of(facts) == {"tcp"}
    assert coverage_of(facts, "tcp").status == status


def test_ipv6_tables_may_be_absent_only_where_ipv6_is() -> None:
    names = ("tcp6", "udp6", "udplite6", "raw6", "icmp6", "sockstat6_1", "sockstat6_2")
    tables: dict[str, Replaced] = dict.fromkeys(names, ABSENT)
    assert parse(**tables, **dict.fromkeys(("if_inet6", "bindv6only"), ABSENT)).gaps == ()
    assert gaps_of(parse(**tables)) == {"tcp6", "udp6", "raw6", "sockstat"}


def test_extreme_values_are_kept_exactly() -> None:
    row = tcp_row("127.0.0.1", 65535, slot=123456, uid=4294967295, inode=18446744073709551615)
    facts = parse(tcp=TCP_HEADER + row)
    assert facts.gaps == ()
    assert (facts.listeners[0].port, facts.listeners[0].uid) == (65535, 4294967295)
    assert facts.listeners[0].raw.startswith("123456: 0100007F:FFFF")


@pytest.mark.parametrize("state", [0x0C, 0x0D, 0xFF, 0x00])
def test_an_unknown_state_is_no_listener_and_not_passed_over(state: int) -> None:
    facts = parse(tcp=TCP_HEADER + LE_SSHD + tcp_row("10.0.0.1", 80, state=state, inode=2))
    assert places_of(facts) == ["tcp 127.0.0.1 22"]
    assert gaps_of(facts) == {"tcp"}
    assert f"{state:02X}" in facts.gaps[0].reason


@pytest.mark.parametrize("state", range(1, 0x0A))
def test_only_listen_listens(state: int) -> None:
    row = tcp_row("10.0.0.1", 80, state=state, peer=("10.0.0.2", 4000))
    facts = parse(tcp=TCP_HEADER + row, sockstat_1=sockstat(1), sockstat_2=sockstat(1))
    assert facts.listeners == ()
    assert facts.gaps == ()


def test_the_same_socket_listed_twice_is_one() -> None:
    facts = parse(tcp=TCP_HEADER + LE_SSHD + LE_SSHD, sockstat_1=sockstat(1), sockstat_2=sockstat(1))
    assert [listener.sockets for listener in facts.listeners] == [1]
    assert coverage_of(facts, "tcp").duplicates == 1
    assert facts.gaps == ()


def test_reuseport_twins_are_one_listener_with_a_count() -> None:
    rows = b"".join(tcp_row("0.0.0.0", 443, inode=inode, queue=inode) for inode in (1, 2, 3))
    facts = parse(tcp=TCP_HEADER + rows)
    assert [(listener.address, listener.sockets, listener.pending_accepts) for listener in facts.listeners] == [
        ("0.0.0.0", 3, 6)
    ]


def test_listeners_are_found_wherever_they_stand() -> None:
    """Kernels before 4.4 put 03 rows behind each listener; gVisor lists sockets in the order of their creation."""
    waiting = tcp_short_row("10.0.0.1", 22, state=3, peer=("10.0.0.2", 5))
    busy = tcp_row("10.0.0.1", 22, state=1, peer=("10.0.0.2", 5), inode=9)
    table = TCP_HEADER + busy + tcp_row("10.0.0.1", 22, inode=1) + waiting + busy[:-1].replace(b" 9 ", b" 8 ") + b"\n"
    facts = parse(tcp=table + tcp_row("10.0.0.1", 80, inode=2))
    assert places_of(facts) == ["tcp 10.0.0.1 22", "tcp 10.0.0.1 80"]
    assert facts.gaps == ()


def test_a_large_table_is_read_whole() -> None:
    """A loaded proxy: 200,000 connections. Were any step quadratic, this would never end."""
    listeners = b"".join(tcp_row("10.0.0.1", port, inode=port) for port in range(1, 31))
    before, after = tcp_row("10.0.0.1", 80, state=1, peer=("10.1.0.1", 1024)).split(b" 4711 ")
    peers = b"".join(b"%b %d %b" % (before, inode, after) for inode in range(100, 200_100))
    counted = sockstat(200_030)
    facts = parse(tcp=TCP_HEADER + listeners + peers, sockstat_1=counted, sockstat_2=counted)
    assert len(facts.listeners) == 30
    assert facts.gaps == ()
    assert coverage_of(facts, "tcp").rows == 200_030


def test_ipv6_counts_are_held_against_sockstat6() -> None:
    facts = parse(tcp6=TCP6_HEADER + tcp_row("::1", 22), sockstat6_1=sockstat6(2), sockstat6_2=sockstat6(2))
    assert gaps_of(facts) == {"tcp6"}
    assert coverage_of(facts, "tcp6").status == "inconsistent"


def test_a_host_that_claims_endless_listeners_costs_no_more_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.parse.table.MAX_SOCKETS", 10)
    rows = b"".join(tcp_row("10.0.0.1", port, inode=port) for port in range(1, 13))
    facts = parse(tcp=TCP_HEADER + rows)
    assert len(facts.listeners) == 10
    assert gaps_of(facts) == {"tcp"}
    assert coverage_of(facts, "tcp").listeners == 12
