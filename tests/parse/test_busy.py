"""A host whose sockets come and go while it is read: it is complete, and no listener of it is lost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from auditor.collect import unframe
from auditor.model.facts import HostFacts
from auditor.parse import parse_snapshot
from tests.collect.answers import a_transcript
from tests.parse.inside import NONCE
from tests.requirements import require

ROOT = Path(__file__).parents[2]
SEALED = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture(scope="module")
def busy() -> dict[str, Any]:
    require("root", "unshare", "ip")
    command = [*SEALED, sys.executable, "-m", "tests.parse.busy", "12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(answer: str) -> tuple[HostFacts, bytes]:
    transcript = a_transcript(answer.encode("latin-1"), nonce=NONCE)
    snapshot = unframe(transcript)
    return parse_snapshot(snapshot, transcript), snapshot.sections["udp"].data


def test_a_busy_host_is_complete(busy: dict[str, Any]) -> None:
    for answer in busy["answers"]:
        facts, _ = read(answer)
        assert facts.gaps == ()


def test_no_tcp_listener_is_lost(busy: dict[str, Any]) -> None:
    for answer in busy["answers"]:
        facts, _ = read(answer)
        assert set(busy["ports"]) <= {found.port for found in facts.listeners if found.proto == "tcp"}


def test_what_any_reading_of_udp_shows_is_there(busy: dict[str, Any]) -> None:
    """Readings do lose steady sockets here; the union loses nothing that one of them shows."""
    for answer in busy["answers"]:
        facts, table = read(answer)
        found = {listener.port: listener.seen for listener in facts.listeners if listener.proto == "udp"}
        readings = [_ports(reading) for reading in table.split(b"   sl  local_address")[1:]]
        assert len(readings) == 3
        for port in busy["ports"]:
            shown = [port in reading for reading in readings]
            assert (port in found) == any(shown)
            if port in found:
                assert (found[port] == "all") == all(shown)


def _ports(reading: bytes) -> set[int]:
    return {int(line.split()[1].rpartition(b":")[2], 16) for line in reading.split(b"\n")[1:] if line}
