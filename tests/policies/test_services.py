"""The trusted services table: facts, held against the C library's own table where the machine has one."""

import re
import socket
from collections import Counter
from importlib.resources import files
from pathlib import Path

import pytest

from auditor.policies.services import bundled_services, resolve_service

TEXT = files("auditor.policies").joinpath("services.txt").read_text("utf-8")
ROWS = [line for line in TEXT.splitlines() if line and not line.startswith("#")]
SERVICES = bundled_services().services


def test_every_row_is_read() -> None:
    assert len(SERVICES) == len(ROWS) >= 350


def test_no_row_stands_twice() -> None:
    repeated = Counter((service.name, service.port, service.proto) for service in SERVICES)
    assert [row for row, count in repeated.items() if count > 1] == []


def test_a_name_means_one_port_whatever_the_protocol() -> None:
    meanings: dict[str, set[int]] = {}
    for service in SERVICES:
        for name in (service.name, *service.aliases):
            meanings.setdefault(name, set()).add(service.port)
    assert {name: ports for name, ports in meanings.items() if len(ports) > 1} == {}


def test_only_protocols_that_are_audited() -> None:
    assert {service.proto for service in SERVICES} == {"tcp", "udp"}


def test_names_can_be_written_in_a_policy() -> None:
    names = {name for service in SERVICES for name in (service.name, *service.aliases)}
    assert [name for name in names if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", name)] == []


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("ssh", "22/tcp"),
        ("http", "80/tcp"),
        ("www", "80/tcp"),
        ("https", "443/tcp 443/udp"),
        ("https/tcp", "443/tcp"),
        ("https/tcp6", "443/tcp6"),
        ("domain", "53/tcp 53/udp"),
        ("ntp", "123/udp"),
        ("telnet", "23/tcp"),
        ("rpcbind", "111/tcp 111/udp"),
        ("postgresql", "5432/tcp"),
        ("mysql", "3306/tcp"),
        ("redis", "6379/tcp"),
        ("mongodb", "27017/tcp"),
        ("docker", "2375/tcp"),
        ("docker-s", "2376/tcp"),
        ("elasticsearch", "9200/tcp"),
        ("prometheus", "9090/tcp"),
        ("node-exporter", "9100/tcp"),
        ("kube-apiserver", "6443/tcp"),
        ("syslog", "514/udp"),
    ],
)
def test_well_known_names(text: str, ports: str) -> None:
    assert " ".join(map(str, resolve_service(text, {}))) == ports


def test_a_policys_own_name_comes_first() -> None:
    (own,) = resolve_service("ssh", {})
    moved = own.model_copy(update={"first": 2222, "last": 2222})
    assert resolve_service("ssh", {"ssh": [moved]}) == (moved,)


def test_the_c_library_agrees_about_every_name_both_know() -> None:
    """getservbyname(3) reads the machine's own /etc/services. In Debian's, dicom is an old port's alias first."""
    compared = 0
    differing = {}
    for service in SERVICES:
        try:
            port = socket.getservbyname(service.name, service.proto)
        except OSError:
            continue
        compared += 1
        if port != service.port:
            differing[service.name] = (service.port, port)
    if compared < 50:
        pytest.skip("this machine has no services table to compare with")
    assert differing.items() <= {"dicom": (11112, 104)}.items()


def test_all_that_debian_names_is_here() -> None:
    table = Path("/etc/services")
    if not table.exists() or "Debian" not in table.read_text(errors="replace"):
        pytest.skip("not Debian's table")
    ours = {(service.name, service.port, service.proto) for service in SERVICES}
    found = re.findall(r"^([^\s#]+)\s+(\d+)/(tcp|udp)\b", table.read_text(), re.MULTILINE)
    assert [row for row in found if (row[0], int(row[1]), row[2]) not in ours] == []
