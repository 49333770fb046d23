"""A namespace of this kernel's as netaudit shows it, held line by line against net-tools and ethtool inside it."""

from collections.abc import Iterator

import pytest

from auditor.netstat.groups import show_groups
from auditor.netstat.interfaces import show_interfaces
from auditor.netstat.links import show_links
from auditor.netstat.routes import show_routes
from auditor.netstat.statistics import show_statistics
from auditor.parse.groups import parse_groups
from auditor.parse.interfaces import parse_interfaces, parse_links
from auditor.parse.names import parse_names
from auditor.parse.routes import parse_routes
from auditor.parse.statistics import parse_statistics
from tests.netstat.over import a_view, print_blocks
from tests.netstat.place import Place, a_place
from tests.requirements import require


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    require("root", "namespaces", "ip", "netstat", "ethtool")
    with a_place() as made:
        assert "veth" in made.kinds
        yield made


@pytest.mark.parametrize("flags", ["rn", "r", "rne", "rnee", "rn6", "r6", "rn46"])
def test_routes(place: Place, flags: str) -> None:
    expected, snapshot = place.compare("netstat", *(f"-{letter}" for letter in flags))
    routes = parse_routes(snapshot.sections, "little")
    assert routes.gaps == ()
    assert expected.count("\n") > 6
    assert print_blocks(show_routes(routes, parse_names(snapshot), a_view(flags))) == expected


@pytest.mark.parametrize("flags", ["i", "ia"])
def test_interfaces(place: Place, flags: str) -> None:
    expected, snapshot = place.compare("netstat", *(f"-{letter}" for letter in flags))
    interfaces = parse_interfaces(snapshot.sections)
    assert interfaces.gaps == ()
    assert "eth10" in expected
    assert print_blocks([show_interfaces(interfaces, a_view(flags))]) == expected


@pytest.mark.parametrize("flags", ["g", "gn"])
def test_groups(place: Place, flags: str) -> None:
    expected, snapshot = place.compare("netstat", *(f"-{letter}" for letter in flags))
    groups = parse_groups(snapshot.sections, "little")
    assert groups.gaps == ()
    assert "239.1.2.3" in expected
    assert "ff05::77" in expected
    assert print_blocks([show_groups(groups, parse_names(snapshot), a_view(flags))]) == expected


@pytest.mark.parametrize("flags", ["s", "st", "su", "sw", "s6"])
def test_statistics(place: Place, flags: str) -> None:
    expected, snapshot = place.compare("netstat", *(f"-{letter}" for letter in flags))
    statistics = parse_statistics(snapshot.sections)
    assert statistics.gaps == ()
    assert print_blocks([show_statistics(statistics, a_view(flags))]) == expected


def test_links_are_what_ethtool_says_of_those_that_are_up(place: Place) -> None:
    """Of one that is down the kernel tells ethtool a speed, and /sys nothing."""
    snapshot = place.collect()
    links = parse_links(snapshot.sections)
    assert links.gaps == ()
    blocks = {block.head[0]: block.rows for block in show_links(links)}
    names = {"eth2", "eth10", "br0", "lo", "dummy0", "tun0"} & {link.name for link in links.rows}
    for name in names:
        said = place.run("ethtool", name).splitlines()
        told = [line for line in said if line.startswith(("\tSpeed:", "\tDuplex:", "\tLink detected:"))]
        rows = blocks[f"Settings for {name}:"]
        assert [row for row in rows if row.startswith(("\tSpeed:", "\tDuplex:", "\tLink"))] == told
        address = place.run("cat", f"/sys/class/net/{name}/address").strip()
        assert f"\tMAC address: {address or 'Unknown!'}" in rows
    assert {"eth2", "lo"} <= names
    assert "\tSpeed: 10000Mb/s" in blocks["Settings for eth2:"]
    down = blocks["Settings for averylongname12:"]
    assert down[:3] == ["\tSpeed: Unknown!", "\tDuplex: Unknown!", "\tLink detected: no"]
    assert "\tLink detected: no" in place.run("ethtool", "averylongname12").splitlines()


def test_a_view_of_sys_from_another_namespace_is_not_believed(place: Place) -> None:
    snapshot = place.collect()
    machine = snapshot.sections["links"].data.replace(b"eth2 ", b"eth3 ", 1)
    sections = {**snapshot.sections, "links": type(snapshot.sections["links"])("links", "ok", machine)}
    interfaces = parse_interfaces(sections)
    assert "two network namespaces" in interfaces.gaps[0].reason
    assert {each.mtu for each in interfaces.rows} == {None}
    shown = show_interfaces(interfaces, a_view("i")).rows
    assert len(shown) == len(interfaces.rows)
    assert all(row.split()[1] == "-" and row.endswith(" -") for row in shown)
