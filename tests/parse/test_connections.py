"""Every socket of a host, and what it calls things: what the kernel printed comes back, whatever else is sent."""

from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.collect.sections import SECTIONS
from auditor.model.connections import Connections
from auditor.model.names import Names
from auditor.model.snapshot import ReadStatus, Section, Snapshot
from auditor.parse.connections import parse_connections
from auditor.parse.names import parse_names
from auditor.parse.unix import list_sockets
from tests.parse.kernel import TCP6_HEADER, TCP_HEADER, UDP_HEADER, tcp_row, udp_row
from tests.parse.snapshots import Replaced, a_snapshot, a_transcript

UNIX_HEADER = b"Num       RefCount Protocol Flags    Type St Inode Path\n"
V4, V6 = st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str)


def parse(**replaced: Replaced) -> Connections:
    return parse_connections(a_snapshot(**replaced), a_transcript())


def names_of(**files: bytes) -> Names:
    return parse_names(Snapshot({name: Section(name, "ok", data) for name, data in files.items()}))


@given(
    st.sampled_from(["little", "big"]),
    st.lists(st.tuples(V4 | V6, st.integers(1, 65535), st.integers(1, 11), st.integers(0, 2**32 - 1)), max_size=20),
)
@settings(deadline=None)
def test_every_row_comes_back_as_it_was(order: Any, sockets: list[tuple[str, int, int, int]]) -> None:
    tables = {4: TCP_HEADER, 6: TCP6_HEADER}
    for inode, (address, port, state, queue) in enumerate(sockets, 1):
        row = tcp_row(address, port, state=state, peer=(address, 9), queue=queue, inode=inode, uid=7, order=order)
        tables[ip_address(address).version] += row
    found = parse(tcp=tables[4], tcp6=tables[6], cpu_byteorder=order.encode() + b"\n").inet
    assert {(str(row.local), row.local_port, row.state, row.recv_queue, row.inode, row.uid) for row in found} == {
        (str(ip_address(address)), port, state, queue, inode, 7)
        for inode, (address, port, state, queue) in enumerate(sockets, 1)
    }
    assert all((row.remote, row.remote_port) == (row.local, 9) for row in found)


def test_a_socket_that_is_listed_twice_is_one() -> None:
    row = tcp_row("10.0.0.1", 80, inode=5)
    assert len(parse(tcp=TCP_HEADER + row + row).inet) == 1
    waiting = tcp_row("10.0.0.1", 80, state=1, peer=("10.0.0.2", 9), inode=0)
    assert len(parse(tcp=TCP_HEADER + waiting + waiting).inet) == 2


def test_a_udp_socket_that_any_reading_shows_is_there() -> None:
    one, two = udp_row("10.0.0.1", 53, inode=5), udp_row("10.0.0.1", 54, inode=6)
    table = UDP_HEADER + one + UDP_HEADER + one + two + UDP_HEADER
    assert [row.local_port for row in parse(udp=table).inet] == [53, 54]


def test_rows_that_stayed_on_the_host_are_counted_and_said_to_be_missing() -> None:
    found = parse(tcp=TCP_HEADER + tcp_row("10.0.0.1", 80) + b"# 01 full 99000\n# 06 short 7\n")
    assert len(found.inet) == 1
    assert set(found.counted) == {("tcp", 1, 99000), ("tcp", 6, 7)}
    assert [(gap.source, gap.reason[:17]) for gap in found.gaps if gap.source == "tcp"] == [
        ("tcp", "99007 connections")
    ]


def test_who_holds_a_socket_comes_with_it() -> None:
    owners = b"v 0 1 0 4026531836\nh 9 4711\nh 30 4711\nn 9 python3\nc 9 /usr/bin/python3\x1f-m\x1fx y\x1f\n"
    owners += b"n 30 nginx\nc 30 nginx: master process\x1f\nz\n"
    (row,) = parse(tcp=TCP_HEADER + tcp_row("10.0.0.1", 80, inode=4711), owners=owners).inet
    assert [(holder.owner.pid, holder.program) for holder in row.holders] == [
        (9, "python3"),
        (30, "nginx: master process"),
    ]
    assert [holder.owner.cmdline for holder in row.holders] == ["/usr/bin/python3 -m x y", "nginx: master process"]


def test_of_very_many_holders_the_first_are_kept() -> None:
    owners = b"v 0 1 0 4026531836\n" + b"".join(b"h %d 4711\n" % pid for pid in range(1, 2000)) + b"z\n"
    rows = b"".join(udp_row("10.0.0.1", port, inode=4711) for port in range(1, 500))
    found = parse(udp=(UDP_HEADER + rows) * 3, owners=owners).inet
    assert {len(row.holders) for row in found} == {256}
    assert len({id(row.holders) for row in found}) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"0000000000000000: 00000002 00000000 00010000 0001 01 9 /run/a", (2, 0, 0x10000, 1, 1, 9, "/run/a")),
        (b"ffff8880: 00000003 00000000 00000000 0002 03    7", (3, 0, 0, 2, 3, 7, "")),
        (b"0: 00000003 00000000 00000000 0002 03 7 @a b ", (3, 0, 0, 2, 3, 7, "@a b ")),
    ],
)
def test_unix_rows(line: bytes, expected: tuple[object, ...]) -> None:
    (found,) = list_sockets(Section("unix", "ok", UNIX_HEADER + line + b"\n"))
    assert found[:7] == expected


def test_a_newline_in_a_unix_path_makes_no_row_of_its_own() -> None:
    row = b"0000000000000000: 00000002 00000000 00010000 0001 01 9 /run/a\nb\n"
    assert [found.path for found in list_sockets(Section("unix", "ok", UNIX_HEADER + row))] == ["/run/a\nb"]


@pytest.mark.parametrize(
    ("section", "reason"),
    [
        (("denied", b""), "the account may not read this table"),
        (b"", "this table is empty"),
        (UNIX_HEADER + b"0: 00000003 00000000 00000000 0002 03 7\n" * 79_999, "only the first 79999"),
        (UNIX_HEADER, ""),
        (("absent", b""), ""),
    ],
)
def test_unix_sockets_that_were_not_read_are_said_to_be_missing(section: Replaced, reason: str) -> None:
    gaps = [gap.reason for gap in parse(unix=section, passwd=b"0 root\n").gaps if gap.source == "unix"]
    assert [gap[: len(reason)] for gap in gaps] == ([reason] if reason else [])


def test_hosts_are_named_as_the_c_library_names_them() -> None:
    """glibc, nss/nss_files/files-hosts.c: seen with getent in tests/netstat/test_encoded.py through netstat."""
    names = names_of(
        hosts=b"::1 six\n127.0.0.1 four alias\n10.0.0.1 first # c\n10.0.0.1 second\n::ffff:10.0.0.2 mapped\n"
    )
    found = {str(address): name for address, name in names.hosts.items()}
    assert found["127.0.0.1"] == "six"
    assert (found["10.0.0.1"], found["10.0.0.2"]) == ("first", "mapped")
    assert names.name_address(ip_address("::ffff:10.0.0.1")) == "10.0.0.1"
    assert names.name_address(ip_address("::1.2.3.4")) == "::1.2.3.4"


@given(
    st.dictionaries(st.sampled_from(("hosts", "networks", "services", "protocols", "passwd")), st.binary(max_size=200))
)
def test_no_file_of_names_makes_it_raise(files: dict[str, bytes]) -> None:
    names_of(**files)


_WORDS = st.sampled_from(
    [b"\n", b" ", b":", b"0A", b"00000000", b"h 1 2", b"# 01 full 3", b"0: ", TCP_HEADER, UNIX_HEADER]
)
_STATUSES: tuple[ReadStatus, ...] = ("ok", "absent", "denied", "error", "truncated")


@given(
    st.dictionaries(
        st.sampled_from(SECTIONS), st.tuples(st.sampled_from(_STATUSES), st.lists(_WORDS | st.binary(max_size=20)))
    )
)
@settings(deadline=None)
def test_no_answer_makes_it_raise(sections: dict[str, tuple[ReadStatus, list[bytes]]]) -> None:
    snapshot = Snapshot({name: Section(name, status, b"".join(words)) for name, (status, words) in sections.items()})
    parse_connections(snapshot, a_transcript())
    parse_names(snapshot)
