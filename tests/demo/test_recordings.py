"""The recorded hosts: whole, free of contradictions, and none of this machine's names in them."""

import ipaddress
import json
import re
import socket
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.demo.recording import HOSTS, Recording
from auditor.demo.samples import SAMPLES
from tests.lab.byteorder import TABLES, turn_table
from tests.lab.samples import SAMPLES as MACHINES

NAMES = sorted(path.name for path in HOSTS.iterdir() if path.is_dir())


def test_every_sample_is_recorded_and_every_recording_used() -> None:
    assert {sample.recording for sample in SAMPLES} == set(NAMES) == set(MACHINES)


@pytest.mark.parametrize("name", NAMES)
def test_the_sessions_own_row_is_in_the_table(name: str) -> None:
    """As a kernel of that byte order prints it: each word of the address is the number it is in memory."""
    client, client_port, server, server_port = Recording(HOSTS / name).session.ssh_connection.split()
    order = ">" if (HOSTS / name / "sys/kernel/cpu_byteorder").read_text() == "big\n" else "<"
    row = f"{spell(server, order)}:{int(server_port):04X} {spell(client, order)}:{int(client_port):04X} 01 "
    table = "tcp6" if ":" in server else "tcp"
    assert (row in (HOSTS / name / "proc/net" / table).read_text()) == (table not in MACHINES[name].empty)


def spell(address: str, order: str) -> str:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address)
    return "".join(f"{word:08X}" for word in struct.unpack(f"{order}{len(packed) // 4}I", packed))


@pytest.mark.parametrize("name", NAMES)
def test_the_kernels_count_is_the_number_of_rows(name: str) -> None:
    """sockstat counts what the tables list, except where the host hides a table."""
    net = HOSTS / name / "proc/net"
    counts = dict(
        re.findall(r"^(\w+): inuse (\d+)", (net / "sockstat").read_text() + (net / "sockstat6").read_text(), re.M)
    )
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6"):
        if table not in MACHINES[name].empty:
            rows = (net / table).read_text().splitlines()[1:]
            assert len([row for row in rows if len(row.split()) > 12]) == int(counts[table.upper()]), table


def test_addresses_are_those_kept_for_documentation_or_private() -> None:
    allowed = [ipaddress.ip_network(net) for net in ("10.20.0.0/24", "198.51.100.0/24", "2001:db8:20::/64")]
    for name in NAMES:
        client, _, server, _ = json.loads((HOSTS / name / "session.json").read_text())["ssh_connection"].split()
        for text in (client, server):
            address = ipaddress.ip_address(text)
            assert any(address.version == net.version and address in net for net in allowed), (name, text)


def test_nothing_of_the_recording_machine_shows() -> None:
    for path in HOSTS.rglob("*"):
        if path.is_file() and path.suffix != ".md":
            assert not re.search(rb"/tmp|/home|pytest|\.venv", path.read_bytes()), path


@given(st.ip_addresses())
def test_a_turned_table_is_what_the_other_byte_order_prints(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    text = str(address)
    row = "   0: {}:0016 {}:1F90 0A 00000000:00000000 00:00000000 00000000   990        0 4660 1\n"
    little, big = (row.format(spell(text, order), spell(text, order)) for order in "<>")
    assert turn_table(f"header\n{little}") == f"header\n{big}"
    assert turn_table(f"header\n{big}") == f"header\n{little}"


def test_only_addresses_of_the_big_endian_host_are_turned() -> None:
    for table in TABLES:
        text = Path(HOSTS / "mainframe-01/proc/net" / table).read_text()
        assert turn_table(turn_table(text)) == text
