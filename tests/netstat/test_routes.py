"""Routes as net-tools shows them, from tables that encode what a laboratory has not, and from damaged ones."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.snapshot import Section
from auditor.netstat.routes import list_route, list_route6, show_routes
from auditor.parse.names import parse_names
from auditor.parse.routes import MAX_ROUTES, parse_routes
from tests.netstat.nettools import run_over
from tests.netstat.over import HOSTS, NETWORKS, a_snapshot, a_view, as_files, print_blocks
from tests.requirements import require

HEADER = b"Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT" + b" " * 55 + b"\n"
NOWHERE = "0" * 32
D9 = "20010db8000000000000000000000009"


def a_row(words: str) -> bytes:
    return "\t".join(words.split()).ljust(127).encode() + b"\n"


ROWS = b"".join(
    a_row(words)
    for words in (
        "eth0 00000000 010200C0 0003 0 0 0 00000000 0 0 0",
        "eth0 000200C0 00000000 0001 0 0 100 00FFFFFF 1500 3000 12",
        "eth0 090200C0 00000000 0005 2 7 100 FFFFFFFF 0 0 0",
        "averylongname12 0000010A 00000000 0001 0 0 4294967295 0000FFFF 0 0 0",
        "eth0 0000000A 00000000 0001 0 0 0 000000FF 65536 123456 12345678",
        "* 000010AC 00000000 0201 0 0 0 0000FFFF 0 0 0",
        "* 000010AC 010200C0 0203 0 12345678 7 0000FFFF 0 0 0",
        "eth0 01020304 00000000 0000 0 0 0 00FFFFFF 0 0 0",
        "eth0 0505050A 0000090A 0003 0 0 0 0000FFFF 0 0 0",
        "eth0 0404040A 0000090A 0007 0 0 0 FFFFFFFF 0 0 0",
        "eth0 0000060A 00000000 0001 0 0 0 0000FFFF 0 0 0",
        "eth0 0000090A 00000000 0001 0 0 0 FFFFFFFF 0 0 0",
        "eth0 00000000 00000000 0001 0 0 0 00000080 0 0 0",
        *(f"i{bit:x} 0101A8C0 0101A8C0 {bit | 1:04X} 0 0 0 FFFFFFFF 0 0 0" for bit in (1 << at for at in range(16))),
        "all 0101A8C0 0101A8C0 FFFF 0 0 0 FFFFFFFF 0 0 0",
    )
)
ROWS6 = "".join(
    f"{destination} {prefix} {NOWHERE} 00 {hop} {metric} {references} {use} {flags} {name:>8}\n"
    for destination, prefix, hop, metric, references, use, flags, name in (
        (NOWHERE, "00", "20010db8000000000000000000000001", "00000400", "00000001", "00000000", "00000003", "eth0"),
        (D9, "80", NOWHERE, "00000400", "7fffffff", "0fffffff", "00000005", "eth0"),
        (D9, "40", D9, "fffffff0", "00000001", "00000001", "00000003", "averylongname12"),
        ("20010db8123456789abcdef012345678", "7f", D9, "00000100", "00000001", "00000001", "00000003", "eth0"),
        ("0000000000000000000000000000ffff", "80", NOWHERE, "00000100", "00000001", "00000001", "00000001", "eth0"),
        ("00000000000000000000ffff01020304", "80", NOWHERE, "00000100", "00000001", "00000001", "00000001", "eth0"),
        ("00000000000000000000000001020304", "80", NOWHERE, "00000100", "00000001", "00000001", "00000001", "eth0"),
        (NOWHERE, "00", NOWHERE, "ffffffff", "00000001", "00000000", "00200200", "lo"),
        *((D9, "80", D9, "00000100", "00000001", "00000001", f"{1 << at:08x}", f"b{at}") for at in range(32)),
        (D9, "80", D9, "00000100", "00000001", "00000001", "feffffff", "all"),
    )
).encode()
FILES = {"route": HEADER + ROWS, "ipv6_route": ROWS6, "hosts": HOSTS, "networks": NETWORKS}


def show(*flags: str) -> str:
    snapshot = a_snapshot(FILES)
    routes = parse_routes(snapshot.sections, "little")
    assert routes.gaps == ()
    return print_blocks(show_routes(routes, parse_names(snapshot), a_view(*flags)))


@pytest.mark.parametrize("flags", ["", "n", "e", "ne", "ee", "nee", "4", "6", "n6", "6e", "n46"])
def test_every_kind_of_row_is_shown_as_net_tools_shows_it(flags: str) -> None:
    require("root", "namespaces", "netstat")
    expected = run_over(as_files(FILES), "netstat", "-r", *(f"-{letter}" for letter in flags))
    assert expected.count("\n") > 10
    assert show(*flags) == expected


def test_rows_for_programs_have_masks_as_prefixes_and_no_number_cut_short() -> None:
    routes = parse_routes(a_snapshot(FILES).sections, "little")
    by_name = [list_route(route) for route in routes.ipv4]
    assert [row["prefix"] for row in by_name[:5]] == [0, 24, 32, 16, 8]
    assert by_name[3]["metric"] == 4294967295
    last = list_route6(routes.ipv6[7])
    assert (last["destination"], last["prefix"], last["metric"], last["flags"]) == ("::", 0, 4294967295, "!n")


def test_the_byte_order_is_the_hosts() -> None:
    data = HEADER + a_row("eth0 C0000200 00000000 0001 0 0 0 FFFFFF00 0 0 0")
    (route,) = parse_routes(a_snapshot({"route": data}).sections, "big").ipv4
    assert (str(route.destination), str(route.mask)) == ("192.0.2.0", "255.255.255.0")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "empty"),
        (ROWS, "does not begin with the kernel's header"),
        (HEADER + ROWS + b"eth0\tGG\n", "not what a kernel prints"),
        (HEADER + ROWS[:-20], "not what a kernel prints"),
        (HEADER + b"\n" * 1_000_000, "10000 rows are not what a kernel prints"),
        (HEADER + ROWS[:128] * (MAX_ROUTES + 1), f"only the first {MAX_ROUTES}"),
    ],
)
def test_what_is_damaged_is_a_gap(data: bytes, said: str) -> None:
    (gap,) = parse_routes(a_snapshot({"route": data}).sections, "little").gaps
    assert gap.source == "route"
    assert said in gap.reason


def test_a_host_without_the_table_or_without_ipv6() -> None:
    routes = parse_routes({"route": Section("route", "denied")}, "little")
    assert [gap.source for gap in routes.gaps] == ["route", "ipv6_route"]
    assert parse_routes(a_snapshot({"route": HEADER}).sections, "little").gaps == ()


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_parse(first: bytes, second: bytes) -> None:
    for start in (b"", HEADER, HEADER + ROWS):
        routes = parse_routes(a_snapshot({"route": start + first, "ipv6_route": ROWS6 + second}).sections, "little")
        rows = first.count(b"\n") + start.count(b"\n")
        assert len(routes.ipv4) <= rows
        show_routes(routes, parse_names(a_snapshot({})), a_view("ne"))
