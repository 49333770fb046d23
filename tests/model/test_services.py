"""services(5) text, read as the C library reads it."""

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.services import ServiceTable
from tests.requirements import require

SERVICES = Path("/etc/services")


@pytest.fixture
def real_table() -> ServiceTable:
    """Return this machine's own table, which the C library answers from."""
    if not SERVICES.exists():
        require("netbase")
    return ServiceTable.parse(SERVICES.read_text(encoding="latin-1"))


def test_names_are_those_getservbyport_gives(real_table: ServiceTable) -> None:
    labels = real_table.labels()
    assert len(labels) > 20
    for place, name in labels.items():
        port, _, proto = place.partition("/")
        assert socket.getservbyport(int(port), proto) == name


def test_ports_are_those_getservbyname_gives_for_names_and_aliases(real_table: ServiceTable) -> None:
    for service in real_table.services:
        for name in (service.name, *service.aliases):
            found = [each.port for each in real_table.resolve(name) if each.proto == service.proto]
            assert socket.getservbyname(name, service.proto) == found[0]


@pytest.mark.parametrize(
    ("line", "labels"),
    [
        ("ssh 22/tcp", {"22/tcp": "ssh"}),
        ("http\t80/tcp\twww www-http # web", {"80/tcp": "http"}),
        ("# ssh 22/tcp", {}),
        ("ssh", {}),
        ("ssh 22", {}),
        ("ssh 0/tcp", {}),
        ("ssh 65536/tcp", {}),
        ("ssh ٢٢/tcp", {}),
        ("ssh 22/tcp\nother 22/tcp", {"22/tcp": "ssh"}),
    ],
)
def test_lines(line: str, labels: dict[str, str]) -> None:
    assert ServiceTable.parse(line).labels() == labels


def test_a_flood_of_lines_is_cut() -> None:
    assert len(ServiceTable.parse("a 1/tcp\n" * 50, max_lines=10).services) == 10


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    assert all(0 < service.port < 65536 for service in ServiceTable.parse(text).services)
