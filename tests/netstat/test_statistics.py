"""Counters as net-tools words them: every one it knows, and those it does not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.snapshot import Section
from auditor.netstat.counters import WORDING
from auditor.netstat.statistics import list_counters, show_statistics
from auditor.parse.statistics import MAX_COUNTERS, parse_statistics
from tests.netstat.nettools import run_over
from tests.netstat.over import a_snapshot, a_view, as_files, print_blocks
from tests.requirements import require

UNKNOWN = ["TCPLoss", "OutTransmits", "InOctets", "NewInSomeKernel"]
ORDER = ("Ip", "Icmp", "IcmpMsg", "Tcp", "Udp", "UdpLite")


def pair(title: str, value: int, step: int) -> str:
    names = [*WORDING.get(title, {}), *UNKNOWN]
    values = " ".join(str(value + step * at) for at in range(len(names)))
    return f"{title}: {' '.join(names)}\n{title}: {values}\n"


def files_of(value: int, step: int) -> dict[str, bytes]:
    """Return the three files with every counter that has words, and some that have none."""
    single = [name for title in ("Ip6", "Icmp6", "Udp6") for name in (*WORDING[title], f"{title}InOctets")]
    single += ["UdpLite6InDatagrams", "UdpLite6MemErrors"]
    return {
        "snmp": "".join(pair(title, value, step) for title in ORDER).encode(),
        "netstat": "".join(pair(title, value, step) for title in ("TcpExt", "IpExt", "MPTcpExt")).encode(),
        "snmp6": "".join(f"{name:<32}\t{value + step * at}\n" for at, name in enumerate(single)).encode(),
    }


def show(files: dict[str, bytes], flags: str) -> str:
    statistics = parse_statistics(a_snapshot(files).sections)
    assert statistics.gaps == ()
    return print_blocks([show_statistics(statistics, a_view("s", flags))])


@pytest.mark.parametrize("flags", ["", "t", "u", "w", "tu", "uw", "U", "4", "6", "6t", "6u", "6w", "an"])
@pytest.mark.parametrize(("value", "step"), [(1000, 1), (0, 0), (1, 0), (0, 12345678901234)])
def test_every_counter_is_worded_as_net_tools_words_it(flags: str, value: int, step: int) -> None:
    require("root", "namespaces", "netstat")
    files = files_of(value, step)
    expected = run_over(as_files(files), "netstat", "-s", *(f"-{letter}" for letter in flags))
    assert expected.count("\n") >= 4
    assert show(files, flags) == expected


def test_this_kernels_own_counters_are_worded_alike() -> None:
    require("root", "namespaces", "netstat")
    files = {}
    for name in ("snmp", "netstat", "snmp6"):
        with open(f"/proc/net/{name}", "rb") as file:  # noqa: PTH123 - one read of a file that changes
            files[name] = file.read()
    for flags in ("", "6"):
        expected = run_over(as_files(files), "netstat", "-s", *(f"-{letter}" for letter in flags))
        assert show(files, flags) == expected


def test_both_families_may_be_asked_for_at_once() -> None:
    """net-tools refuses."""
    files = files_of(1, 1)
    assert show(files, "46").startswith(show(files, "4"))
    assert "Ip6:\n" in show(files, "46")


def test_rows_for_programs_go_by_the_kernels_names() -> None:
    statistics = parse_statistics(a_snapshot({"snmp": b"Tcp: MaxConn InSegs\nTcp: -1 7\n"}).sections)
    assert [row for counters in statistics.rows for row in list_counters(counters)] == [
        {"protocol": "Tcp", "counter": "MaxConn", "value": -1},
        {"protocol": "Tcp", "counter": "InSegs", "value": 7},
    ]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("snmp", b""),
        ("snmp", b"Tcp: InSegs\n"),
        ("snmp", b"Tcp: InSegs\nUdp: 1\n"),
        ("snmp", b"Tcp: InSegs\nTcp: 1 2\n"),
        ("snmp", b"Tcp: InSegs\nTcp: 1"),
        ("netstat", b"TcpExt: \x1b[31m\nTcpExt: 1\n"),
        ("snmp6", b"Ip6InReceives 1\nIp6OutRequests"),
        ("snmp6", b"Ip6InReceives 1\nIp6OutRequests 1"),
    ],
)
def test_what_is_damaged_is_a_gap(name: str, data: bytes) -> None:
    whole = {"snmp": b"Tcp: InSegs\nTcp: 1\n"}
    statistics = parse_statistics(a_snapshot({**whole, "netstat": b"", "snmp6": b"", name: data}).sections)
    assert name in [gap.source for gap in statistics.gaps]


def test_more_counters_than_any_kernel_has_are_a_gap() -> None:
    many = "".join(f"Ip6X{at} 1\n" for at in range(MAX_COUNTERS + 1)).encode()
    statistics = parse_statistics(
        a_snapshot({"snmp": b"Tcp: InSegs\nTcp: 1\n", "netstat": b"", "snmp6": many}).sections
    )
    assert f"only the first {MAX_COUNTERS}" in next(gap.reason for gap in statistics.gaps if gap.source == "snmp6")


def test_old_kernels_have_one_file_and_a_host_that_refuses_has_a_gap() -> None:
    sections = {name: Section(name, "absent") for name in ("netstat", "snmp6")}
    whole = {"snmp": Section("snmp", "ok", b"Tcp: InSegs\nTcp: 1\n")}
    assert parse_statistics({**sections, **whole}).gaps == ()
    assert [gap.source for gap in parse_statistics(sections).gaps] == ["snmp"]


@given(st.binary(max_size=300), st.sampled_from(["snmp", "netstat", "snmp6"]))
def test_any_bytes_parse(data: bytes, name: str) -> None:
    files = files_of(1, 1)
    statistics = parse_statistics(a_snapshot({**files, name: files[name] + data}).sections)
    show_statistics(statistics, a_view("s"))
    assert len(statistics.rows) >= 9
