"""Laws of the parsers: what a kernel prints comes back in either byte order, and no bytes at all make them raise."""

from ipaddress import IPv4Address, IPv6Address, ip_address

from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.collect.sections import SECTIONS
from auditor.model.address import unmap
from auditor.model.facts import HostFacts
from auditor.model.snapshot import ReadStatus, Section, Snapshot
from auditor.parse import parse_snapshot
from tests.parse.kernel import (
    PACKET_HEADER,
    RAW_HEADER,
    TCP6_HEADER,
    TCP_HEADER,
    UDP6_HEADER,
    UDP_HEADER,
    Order,
    packet_row,
    raw_row,
    tcp_row,
    tcp_short_row,
    udp_row,
)
from tests.parse.snapshots import Replaced, a_transcript, coverage_of, parse

ORDERS = st.sampled_from(["little", "big"])
PORTS = st.integers(1, 65535)
V4 = st.ip_addresses(v=4).map(str)
V6 = st.ip_addresses(v=6).map(str)
STATES = st.integers(1, 11)


@given(ORDERS, st.lists(st.tuples(V4 | V6, PORTS, STATES), max_size=20), st.booleans())
@settings(deadline=None)
def test_tcp_comes_back_as_it_was(order: Order, sockets: list[tuple[str, int, int]], mixed: bool) -> None:
    rows = {4: TCP_HEADER, 6: TCP6_HEADER}
    expected = set()
    for inode, (address, port, state) in enumerate(sockets, 1):
        version = ip_address(address).version
        peer = None if state == 10 else (address, 9)
        rows[version] += tcp_row(address, port, state=state, peer=peer, inode=inode, order=order)
        if mixed:
            rows[version] += tcp_short_row(address, port, state=6, peer=(address, 9), order=order)
        if state == 10:
            expected.add((str(unmap(ip_address(address))), port))
    facts = parse(tcp=rows[4], tcp6=rows[6], cpu_byteorder=order.encode() + b"\n")
    assert facts.gaps == ()
    assert {(found.address, found.port) for found in facts.listeners} == expected
    assert sum(found.sockets for found in facts.listeners) == sum(state == 10 for _, _, state in sockets)


@given(ORDERS, st.lists(st.tuples(V4 | V6, PORTS, st.sets(st.integers(0, 2), min_size=1)), max_size=12))
@settings(deadline=None)
def test_udp_comes_back_from_whichever_reading_shows_it(order: Order, sockets: list[tuple[str, int, set[int]]]) -> None:
    readings = {4: [UDP_HEADER] * 3, 6: [UDP6_HEADER] * 3}
    for inode, (address, port, shown) in enumerate(sockets, 1):
        version = ip_address(address).version
        row = udp_row(address, port, inode=inode, order=order)
        readings[version] = [part + row if at in shown else part for at, part in enumerate(readings[version])]
    facts = parse(
        udp=b"".join(readings[4]),
        udp6=b"".join(readings[6]),
        cpu_byteorder=order.encode(),
        sockstat_1=b"",
        sockstat_2=b"",
    )
    assert {gap.source for gap in facts.gaps} == {"sockstat"}
    assert {(found.address, found.port) for found in facts.listeners} == {
        (str(unmap(ip_address(address))), port) for address, port, _ in sockets
    }


@given(ORDERS, V4 | V6)
@settings(deadline=None)
def test_scope_does_not_depend_on_the_byte_order(order: Order, address: str) -> None:
    parsed = unmap(ip_address(address))
    row = tcp_row(address, 80, order=order)
    table: dict[str, Replaced] = {"tcp6": TCP6_HEADER + row} if ":" in address else {"tcp": TCP_HEADER + row}
    facts = parse(**{**table, "cpu_byteorder": order.encode()})
    (found,) = facts.listeners
    assert (found.scope == "loopback") == parsed.is_loopback
    assert (found.scope == "wildcard") == parsed.is_unspecified
    assert (found.family == "ipv4") == isinstance(parsed, IPv4Address)
    assert (found.dual_stack is not None) == (parsed == IPv6Address("::"))


TABLES = {
    "tcp": TCP_HEADER + tcp_row("127.0.0.1", 22),
    "tcp6": TCP6_HEADER + tcp_row("::1", 22),
    "udp": (UDP_HEADER + udp_row("0.0.0.0", 53)) * 3,
    "udp6": (UDP6_HEADER + udp_row("::", 53)) * 3,
    "raw": RAW_HEADER + raw_row("0.0.0.0", 1),
    "packet": PACKET_HEADER + packet_row(3, 0),
    "sctp": b" ENDPT SOCK STY SST HBKT LPORT UID INODE LADDRS\n0 0 2 10 9 36412 0 4650 192.168.60.142 \n",
}
DAMAGE = st.sampled_from(
    [b"\n", b" ", b"\x00", b"\xff", b"0A", b"FFFFFFFF", b"-1", b"9" * 30, b":", b"1_0", b"\r", b"["]
) | st.binary(max_size=8)


@given(st.sampled_from(sorted(TABLES)), st.integers(0, 700), st.integers(0, 40), DAMAGE)
@settings(max_examples=300, deadline=None)
def test_a_damaged_table_costs_at_most_its_own_host(name: str, at: int, length: int, damage: bytes) -> None:
    """Never an exception, and never rows that vanish without a word: what is not understood is counted or a gap."""
    table = TABLES[name]
    damaged: dict[str, Replaced] = {name: table[:at] + damage + table[at + length :]}
    facts = parse(**damaged)
    entry = coverage_of(facts, name)
    assert (entry.status == "ok") == (name not in {gap.source for gap in facts.gaps})
    assert entry.status != "ok" or entry.rejected == 0
    assert facts == HostFacts.model_validate_json(facts.model_dump_json())


@given(
    st.dictionaries(
        st.sampled_from(SECTIONS),
        st.tuples(st.sampled_from(["ok", "absent", "denied", "error", "truncated"]), st.binary(max_size=200)),
        max_size=len(SECTIONS),
    ),
    st.booleans(),
)
@settings(deadline=None)
def test_any_sections_of_any_bytes_are_parsed_and_never_complete(
    contents: dict[str, tuple[ReadStatus, bytes]], over_ssh: bool
) -> None:
    sections = {name: Section(name=name, status=status, data=data) for name, (status, data) in contents.items()}
    facts = parse_snapshot(Snapshot(sections=sections), a_transcript(over_ssh=over_ssh))
    assert facts.gaps
    assert facts == HostFacts.model_validate_json(facts.model_dump_json())
