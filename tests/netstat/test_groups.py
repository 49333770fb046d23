"""Multicast groups as net-tools shows them, from tables that encode what a laboratory has not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.snapshot import Section
from auditor.netstat.groups import list_group, show_groups
from auditor.parse.groups import parse_groups
from auditor.parse.names import parse_names
from tests.netstat.nettools import run_over
from tests.netstat.over import HOSTS, a_snapshot, a_view, as_files, print_blocks
from tests.requirements import require

HEADER = b"Idx\tDevice    : Count Querier\tGroup    Users Timer\tReporter\n"
IGMP = HEADER + (
    b"1\tlo        :     1      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
    b"4\taverylongname12:     2      V3\n\t\t\t\t010000E0     1 0:00000000\t\t0\n"
    b"\t\t\t\t160000E0 123456 0:00000000\t\t0\n"
    b"5\teth1.100  :     1      V2\n\t\t\t\tFB0000E0     3 1:00000010\t\t1\n"
)
IGMP6 = (
    b"1    lo              ff020000000000000000000000000001     1 0000000C 0\n"
    b"2    averylongname12 ff0200000000000000000001ff000002     12 00000004 0\n"
    b"12   eth0            ff05000000000000000000000001abcd 1234567 00000004 0\n"
)
FILES = {"igmp": IGMP, "igmp6": IGMP6, "hosts": HOSTS}


def show(flags: str) -> str:
    snapshot = a_snapshot(FILES)
    groups = parse_groups(snapshot.sections, "little")
    assert groups.gaps == ()
    return print_blocks([show_groups(groups, parse_names(snapshot), a_view("g", flags))])


@pytest.mark.parametrize("flags", ["", "n", "4", "6", "n46"])
def test_every_kind_of_row_is_shown_as_net_tools_shows_it(flags: str) -> None:
    """With a family net-tools shows its connections too, above."""
    require("root", "namespaces", "netstat")
    tables = {"tcp": b"\n", "tcp6": b"\n", "udp": b"\n", "udp6": b"\n"}
    printed = run_over(as_files({**FILES, **tables}), "netstat", "-g", *(f"-{letter}" for letter in flags))
    expected = printed[printed.index("IPv6/IPv4") :]
    assert expected.count("\n") > 5
    assert show(flags) == expected


def test_rows_for_programs_keep_the_address_beside_its_name() -> None:
    groups = parse_groups(a_snapshot(FILES).sections, "little")
    names = parse_names(a_snapshot(FILES))
    assert list_group(groups.rows[0], names) == {
        "interface": "lo",
        "users": 1,
        "address": "224.0.0.1",
        "name": "all-hosts.mcast.example",
    }


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("igmp", b""),
        ("igmp", HEADER + b"\t\t\t\t010000E0     1 0:00000000\t\t0\n"),
        ("igmp", IGMP[:-5]),
        ("igmp6", IGMP6[:-5]),
        ("igmp6", b"1 lo ff02 1 0000000C 0\n"),
    ],
)
def test_what_is_damaged_is_a_gap(name: str, data: bytes) -> None:
    (gap,) = parse_groups(a_snapshot({name: data}).sections, "little").gaps
    assert gap.source == name


def test_a_kernel_without_multicast_and_one_without_ipv6_are_whole() -> None:
    assert parse_groups(a_snapshot({}).sections, "little").gaps == ()
    denied = {name: Section(name, "denied") for name in ("igmp", "igmp6")}
    assert len(parse_groups(denied, "little").gaps) == 2


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_parse(first: bytes, second: bytes) -> None:
    files = {"igmp": IGMP + first, "igmp6": second}
    assert len(parse_groups(a_snapshot(files).sections, "little").rows) >= 4
