"""What hosts have alike is read once: nothing of one host may show on another, and what is kept has a bound."""

from itertools import count

from auditor.model.facts import HostFacts
from auditor.model.snapshot import Section
from auditor.parse.table import SMALL, read_once
from tests.parse.kernel import TCP_HEADER, UDP_HEADER, tcp_row, udp_row
from tests.parse.snapshots import coverage_of, gaps_of, parse, places_of, sockstat


def test_what_one_host_counts_is_no_doubt_about_another_with_the_same_tables() -> None:
    def lacking() -> HostFacts:
        return parse(sockstat_1=sockstat(udp=2), sockstat_2=sockstat(udp=2))

    for facts in (parse(), lacking(), parse(), lacking()):
        lacks = "2 more sockets" in " ".join(gap.reason for gap in facts.gaps)
        assert gaps_of(facts) == ({"udp"} if lacks else set())
        assert coverage_of(facts, "udp").status == ("inconsistent" if lacks else "ok")
    assert lacking() == lacking() != parse()


def test_the_same_rows_mean_what_each_hosts_own_settings_say() -> None:
    rows = UDP_HEADER + udp_row("0.0.0.0", 40_000)

    def kind(**settings: bytes) -> str:
        (listener,) = parse(udp=rows * 3, **settings).listeners
        return listener.kind

    big, little = (
        parse(tcp=TCP_HEADER + tcp_row("127.0.0.1", 22), cpu_byteorder=order) for order in (b"big\n", b"little\n")
    )
    assert kind() == "ephemeral-udp"
    assert kind(ip_local_port_range=b"50000\t60999\n") == "listener"
    assert kind(ip_local_reserved_ports=b"39999-40001\n") == "listener"
    assert kind(ip_local_reserved_ports=b",".join(b"%d" % port for port in range(40_000, 40_100)) + b"\n") == "listener"
    assert kind() == "ephemeral-udp"
    assert (places_of(big), places_of(little)) == (["tcp 1.0.0.127 22"], ["tcp 127.0.0.1 22"])


def test_only_small_sections_are_remembered_and_only_some_of_them() -> None:
    numbers = count()
    read = read_once(kept=2)(lambda _: next(numbers))
    small, other, third = (Section("x", "ok", data * SMALL) for data in (b"1", b"2", b"3"))
    large = Section("x", "ok", b"1" * (SMALL + 1))
    assert [read(each) for each in (None, small, None, small)] == [0, 1, 0, 1]
    assert [read(each) for each in (large, large)] == [2, 3]
    assert [read(each) for each in (other, third, small)] == [4, 5, 6]
    assert read(Section("x", "denied", small.data)) == 7
