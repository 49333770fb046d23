"""Real sockets in a network namespace, read by the real script in every shell, held against what ss(8) says."""

import json
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from auditor.collect import unframe
from auditor.model.address import unmap
from auditor.model.facts import HostFacts
from auditor.model.snapshot import Snapshot
from auditor.model.transcript import Session, Transcript
from auditor.parse import parse_snapshot
from tests.parse.inside import NONCE
from tests.parse.kernel import (
    PACKET_HEADER,
    RAW_HEADER,
    TCP6_HEADER,
    TCP_HEADER,
    UDP6_HEADER,
    UDP_HEADER,
    tcp_row,
)
from tests.requirements import require

SHELLS = ("dash", "bash --posix", "busybox sh")
ROOT = Path(__file__).parents[2]
SEALED = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture(scope="module")
def inside() -> dict[str, Any]:
    require("root", "unshare", "ip", "ss", "dash", "bash", "busybox")
    command = [*SEALED, sys.executable, "-m", "tests.parse.inside", *SHELLS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(inside: dict[str, Any], shell: str) -> tuple[Snapshot, HostFacts]:
    stdout, stderr, status = inside["answers"][shell]
    assert (stderr, status) == ("", 0)
    now = datetime.now(UTC)
    transcript = Transcript(
        nonce=NONCE,
        stdout=stdout.encode("latin-1"),
        exit_status=status,
        started_at=now,
        finished_at=now,
        session=Session(address="127.0.0.1"),
    )
    snapshot = unframe(transcript)
    return snapshot, parse_snapshot(snapshot, transcript)


def from_ss(text: str) -> Counter[tuple[str, str, int]]:
    """Return (protocol, address, port) of each line: `tcp LISTEN 0 5 127.0.0.53%lo:53 0.0.0.0:*`."""
    found: Counter[tuple[str, str, int]] = Counter()
    for line in text.splitlines():
        proto, _, _, _, local, *_ = line.split()
        address, _, port = local.rpartition(":")
        bare = "::" if address == "*" else address.strip("[]").partition("%")[0]
        found[proto, str(unmap(ip_address(bare))), int(port)] += 1
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_listeners_are_those_of_ss(inside: dict[str, Any], shell: str) -> None:
    _, facts = read(inside, shell)
    seen = Counter(
        {
            (found.proto, found.address, found.port): found.sockets
            for found in facts.listeners
            if found.proto in ("tcp", "udp")
        }
    )
    assert seen == from_ss(inside["inet"])
    assert len(seen) > 15


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_host_is_complete(inside: dict[str, Any], shell: str) -> None:
    snapshot, facts = read(inside, shell)
    assert facts.gaps == ()
    assert {entry.status for entry in facts.coverage} <= {"ok", "absent"}
    assert snapshot.noise == b""
    assert facts.system.byte_order == sys.byteorder
    assert facts.system.privileged
    assert facts.system.clock_skew_s is not None
    assert abs(facts.system.clock_skew_s) < 60
    assert (
        facts.system.arch == subprocess.run(["uname", "-m"], capture_output=True, text=True, check=True).stdout.strip()
    )


def test_what_the_kernel_tells_about_each(inside: dict[str, Any]) -> None:
    _, facts = read(inside, "dash")
    by_port = {(found.proto, found.address, found.port): found for found in facts.listeners}
    assert by_port["tcp", "0.0.0.0", 1001].pending_accepts == 3
    assert by_port["tcp", "0.0.0.0", 1009].sockets == 3
    assert by_port["tcp", "127.0.0.1", 1007].family == "ipv4"  # bound as ::ffff:127.0.0.1
    assert by_port["tcp", "::", 1005].dual_stack == "yes"
    assert by_port["tcp", "::", 1001].dual_stack == "no"
    assert by_port["udp", "::", 5353].dual_stack == "unknown"
    assert by_port["udp", "0.0.0.0", 5353].sockets == 2
    assert not [found for found in facts.listeners if found.port in (1010, 2005)]
    (client,) = [found for found in facts.listeners if found.proto == "udp" and found.port > 30000]
    assert client.kind == "ephemeral-udp"
    assert {found.uid for found in facts.listeners} == {0}
    assert all(found.seen == "all" for found in facts.listeners)


def test_raw_packet_and_udplite_sockets(inside: dict[str, Any]) -> None:
    _, facts = read(inside, "dash")
    others = [
        (found.proto, found.address, found.port) for found in facts.listeners if found.proto not in ("tcp", "udp")
    ]
    lite = [("udplite", "127.0.0.1", 2006)] if inside["udplite"] else []
    assert others == [
        *lite,
        ("raw", "0.0.0.0", 1),
        ("raw", "::", 58),
        ("packet", "*", 3),
        ("packet", "if1", 0x88CC),
    ]
    assert len(inside["raw"].splitlines()) == 2
    assert len(inside["packet"].splitlines()) == 2


def test_every_row_was_counted(inside: dict[str, Any]) -> None:
    _, facts = read(inside, "dash")
    lines = dict(reversed(line.split()) for line in inside["rows"].splitlines())
    rows = {entry.source: entry.rows for entry in facts.coverage}
    for table in ("tcp", "tcp6", "udp", "udp6", "raw", "raw6", "packet"):
        assert rows[table] == int(lines[table]) - 1, table


def test_the_printers_of_these_tests_print_the_kernels_headers(inside: dict[str, Any]) -> None:
    """Everything the other tests parse is made by tests/parse/kernel.py."""
    snapshot, _ = read(inside, "dash")
    headers = {
        "tcp": TCP_HEADER,
        "tcp6": TCP6_HEADER,
        "udp": UDP_HEADER,
        "udp6": UDP6_HEADER,
        "raw": RAW_HEADER,
        "raw6": UDP6_HEADER,
        "packet": PACKET_HEADER,
    }
    for name, header in headers.items():
        assert snapshot.sections[name].data.split(b"\n")[0] == header.rstrip(b"\n"), name
    row = snapshot.sections["tcp"].data.split(b"\n")[1]
    made = tcp_row("127.0.0.1", 1)
    assert len(made.split()) == len(row.split()) == 17
    assert len(made) == len(row) + 1


def test_a_forged_unix_row_changes_nothing(inside: dict[str, Any]) -> None:
    snapshot, facts = read(inside, "dash")
    assert b"docker.sock" in snapshot.sections["unix"].data
    assert not [found for found in facts.listeners if found.port == 666]


@pytest.mark.parametrize("shell", SHELLS[1:])
def test_every_shell_reads_the_same(inside: dict[str, Any], shell: str) -> None:
    assert _steady(read(inside, shell)[1]) == _steady(read(inside, "dash")[1])


def _steady(facts: HostFacts) -> HostFacts:
    """Without what a clock or a timer moves between two readings."""
    steady = {"clock_skew_s": None, "collected_at": datetime(2026, 1, 1, tzinfo=UTC)}
    coverage = tuple(entry.model_copy(update={"sha256": None}) for entry in facts.coverage)
    return facts.model_copy(update={"system": facts.system.model_copy(update=steady), "coverage": coverage})


@pytest.mark.parametrize("shell", SHELLS)
def test_raw_sockets_are_those_of_ss(inside: dict[str, Any], shell: str) -> None:
    _, facts = read(inside, shell)
    seen = {(found.address, found.port) for found in facts.listeners if found.proto == "raw"}
    listed = [line.split()[3].rpartition(":") for line in inside["raw"].splitlines()]
    assert seen == {("::" if address == "*" else address, int(port)) for address, _, port in listed}


@pytest.mark.parametrize("shell", SHELLS)
def test_packet_sockets_are_those_of_ss(inside: dict[str, Any], shell: str) -> None:
    """ss names the interface, and writes `*` for every protocol, which is 3 in the table (ETH_P_ALL)."""
    _, facts = read(inside, shell)
    seen = {(found.port, found.address) for found in facts.listeners if found.proto == "packet"}
    listed = [line.split()[4].rpartition(":") for line in inside["packet"].splitlines()]
    names = {"*": "*", "lo": "if1"}
    assert seen == {(3 if proto == "*" else int(proto.strip("[]")), names[device]) for proto, _, device in listed}


@pytest.mark.parametrize("shell", SHELLS)
def test_unix_listeners_are_those_of_ss_and_what_was_forged_into_a_name(inside: dict[str, Any], shell: str) -> None:
    """The kernel prints a name as it is, so the one with a newline in it reads as two rows; ss shows it whole."""
    _, facts = read(inside, shell)
    listed = re.findall(r"^u_(str|seq) +LISTEN +\d+ +\d+ +(@.+?) \d+ \* 0$", inside["unix"], re.MULTILINE | re.DOTALL)
    assert len(listed) == 3
    kinds = {"str": "stream", "seq": "seqpacket"}
    real = {(kinds[kind], name.partition("\n")[0]) for kind, name in listed}
    assert {(found.kind, found.path) for found in facts.unix} == real | {("stream", "/run/docker.sock")}
    assert not [found for found in facts.unix if found.path == "@silent"]


def test_states_are_those_of_ss(inside: dict[str, Any]) -> None:
    _, facts = read(inside, "dash")
    names = {"ESTAB": "ESTABLISHED", "UNCONN": "UNCONNECTED"}
    for proto in ("tcp", "udp"):
        words = Counter(
            names.get(line.split()[1], line.split()[1]).replace("-", "_").replace("FIN_WAIT_", "FIN_WAIT")
            for line in inside["states"].splitlines()
            if line.startswith(proto)
        )
        assert facts.system.states[proto] == words
