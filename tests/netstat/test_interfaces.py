"""Interfaces and links from tables that are damaged, odd, or of hosts that tell little; test_live has the others."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.snapshot import Section
from auditor.netstat.interfaces import list_interface, show_interfaces, write_flags
from auditor.netstat.links import detect_link, list_link, show_links
from auditor.parse.interfaces import MAX_INTERFACES, parse_interfaces, parse_links
from tests.netstat.over import a_snapshot, a_view

HEADER = (
    b"Inter-|   Receive                                                |  Transmit\n"
    b" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier"
    b" compressed\n"
)
DEV = HEADER + (
    b"    lo:    1000      10    0    0    0     0          0         0     1000      10    0    0    0     0       0"
    b"          0\n"
    b"  eth0:12345678901 2000000000 1    2    3     4          5         6      700      80    9   10   11    12   13"
    b"         14\n"
    b"eth0.100:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0"
    b"          0\n"
)
LINKS = (
    b"eth0 2 0x1003 1500 up 1 1000 full 52:54:00:12:34:56 1 e1000e\n"
    b"eth0.100 3 0x1002 1500 down - - - 52:54:00:12:34:56 1 -\n"
    b"lo 1 0x9 65536 unknown 1 - - 00:00:00:00:00:00 772 -\n"
)
FILES = {"dev": DEV, "links": LINKS}


def test_counters_are_of_the_right_columns_and_wide_numbers_shift_the_row() -> None:
    interfaces = parse_interfaces(a_snapshot(FILES).sections)
    assert interfaces.gaps == ()
    row = list_interface(interfaces.rows[1])
    assert list(row.values()) == ["eth0", 1500, "BMRU", 2000000000, 1, 2, 3, 12345678901, 80, 9, 10, 11, 700]
    shown = show_interfaces(interfaces, a_view("i")).rows
    assert shown[0] == "eth0             1500 2000000000      1      2 3            80      9     10     11 BMRU"
    assert [line.split()[0] for line in shown] == ["eth0", "lo"]
    assert [line.split()[0] for line in show_interfaces(interfaces, a_view("ia")).rows] == ["eth0", "eth0.100", "lo"]


def test_flags_are_letters_in_their_order() -> None:
    """netdevice(7); the order is that of net-tools, which test_live sees for those a namespace can have."""
    assert write_flags(0) == "[NO FLAGS]"
    assert write_flags(None) == "-"
    assert write_flags(0xFFFF) == "ABDLMdPNOPsmRU"


@pytest.mark.parametrize(
    ("files", "source", "said"),
    [
        ({"dev": b"", "links": LINKS}, "dev", "empty"),
        ({"dev": DEV[20:], "links": LINKS}, "dev", "does not begin"),
        ({"dev": DEV[:-10], "links": LINKS}, "dev", "not what a kernel prints"),
        ({"dev": DEV + b"x: 1 2\n", "links": LINKS}, "dev", "not what a kernel prints"),
        ({"dev": DEV, "links": LINKS.replace(b"eth0 ", b"eth9 ")}, "dev", "two network namespaces"),
        ({"dev": DEV, "links": LINKS[:-10]}, "links", "not what a kernel prints"),
        ({"dev": DEV}, "links", "no such table"),
    ],
)
def test_what_is_damaged_is_a_gap(files: dict[str, bytes], source: str, said: str) -> None:
    gaps = parse_interfaces(a_snapshot(files).sections).gaps
    assert [gap.source for gap in gaps if said in gap.reason] == [source]


def test_without_sys_every_interface_is_shown_and_what_is_not_known_is_a_dash() -> None:
    sections = {**a_snapshot({"dev": DEV}).sections, "links": Section("links", "absent")}
    interfaces = parse_interfaces(sections)
    assert [gap.source for gap in interfaces.gaps] == ["links"]
    rows = show_interfaces(interfaces, a_view("i")).rows
    assert [(row.split()[0], row.split()[1], row.split()[-1]) for row in rows] == [
        ("eth0", "-", "-"),
        ("eth0.100", "-", "-"),
        ("lo", "-", "-"),
    ]


def test_a_real_card_a_driver_that_does_not_know_and_one_that_is_down() -> None:
    more = LINKS + b"eth1 7 0x1003 1500 up 1 -1 unknown 52:54:00:12:34:57 1 virtio_net\n"
    links = parse_links(a_snapshot({"links": more}).sections)
    blocks = {block.head[0]: block.rows for block in show_links(links)}
    assert blocks["Settings for eth0:"] == [
        "\tSpeed: 1000Mb/s",
        "\tDuplex: Full",
        "\tLink detected: yes",
        "\tDriver: e1000e",
        "\tMAC address: 52:54:00:12:34:56",
    ]
    assert blocks["Settings for eth1:"][:2] == ["\tSpeed: Unknown!", "\tDuplex: Unknown! (255)"]
    assert blocks["Settings for eth0.100:"][:3] == ["\tSpeed: Unknown!", "\tDuplex: Unknown!", "\tLink detected: no"]
    assert blocks["Settings for lo:"][0] == "\tLink detected: yes"
    by_name = {link.name: list_link(link) for link in links.rows}
    assert (by_name["eth1"]["speed"], by_name["eth0"]["speed"], by_name["eth0.100"]["link"]) == (None, 1000, "no")


def test_what_nobody_tells_is_not_made_up() -> None:
    (link,) = parse_links(a_snapshot({"links": b"odd - - - - - - - - - -\n"}).sections).rows
    assert detect_link(link) is None
    assert {value for value in list_link(link).values() if value != "odd"} == {None}
    (block,) = show_links(parse_links(a_snapshot({"links": b"odd - - - - - - - - - -\n"}).sections))
    assert all(row.endswith("Unknown!") for row in block.rows)


def test_more_interfaces_than_are_read_are_a_gap() -> None:
    rows = b"".join(b"v%d %d 0x1003 1500 up 1 - - - 1 -\n" % (at, at) for at in range(MAX_INTERFACES))
    assert "only the first" in parse_links(a_snapshot({"links": rows}).sections).gaps[0].reason
    many = HEADER + b"".join(b"v%d:%s\n" % (at, b" 1" * 16) for at in range(MAX_INTERFACES + 1))
    interfaces = parse_interfaces(a_snapshot({"dev": many, "links": b""}).sections)
    assert len(interfaces.rows) == MAX_INTERFACES
    assert "only the first" in interfaces.gaps[0].reason


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_parse(first: bytes, second: bytes) -> None:
    interfaces = parse_interfaces(a_snapshot({"dev": DEV + first, "links": LINKS + second}).sections)
    show_interfaces(interfaces, a_view("ia"))
    show_links(parse_links(a_snapshot({"links": second}).sections))
    assert len(interfaces.rows) >= 3
