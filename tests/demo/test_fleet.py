"""The demo's servers, seen by OpenSSH's own client: whom they let in, what they run, and that nothing of them stays."""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.demo import start_fleet
from auditor.demo.layout import find_policies
from auditor.demo.places import take_places
from auditor.demo.samples import SAMPLES
from tests.requirements import require

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SCRIPT = f"N={'0' * 32}\nP=/proc\nE=/etc\nS=/sys\n"
VISIT = """
import socket, sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from auditor.demo import start_fleet
from tests.demo.test_fleet import find_place
with start_fleet(Path(sys.argv[1]), datetime.now(UTC)) as inventory:
    address, port = find_place(inventory, "web-01")
    for words in (b"GET / HTTP/1.0\\r\\n\\r\\n", b"SSH-2.0-visitor\\r\\n" + bytes([255]) * 500):
        with socket.create_connection((address, int(port)), timeout=20) as visitor:
            visitor.sendall(words)
            with suppress(ConnectionResetError):
                while visitor.recv(4096):
                    pass
print("visited")
"""


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with start_fleet(tmp_path_factory.mktemp("demo"), NOW) as inventory:
        yield inventory


def find_place(inventory: Path, name: str) -> tuple[str, str]:
    """Return a host's address and port as the inventory's reader would read them off."""
    line = next(line for line in inventory.read_text().splitlines() if line.startswith(f"  {name}:"))
    defaults = next(line for line in inventory.read_text().splitlines() if line.startswith("defaults:"))
    address = line.partition("address: ")[2].partition(",")[0]
    ports = line if "port: " in line else defaults
    return address, ports.partition("port: ")[2].partition(",")[0]


def ssh(
    inventory: Path, name: str, script: str, *, command: str = "exec /bin/sh -s", key: str = "client_key"
) -> subprocess.CompletedProcess[str]:
    require("ssh")
    address, port = find_place(inventory, name)
    folder = inventory.parent
    options = [f"UserKnownHostsFile={folder}/known_hosts", "StrictHostKeyChecking=yes", "IdentitiesOnly=yes"]
    options += ["BatchMode=yes", "GlobalKnownHostsFile=none", "LogLevel=ERROR"]
    words = [word for option in options for word in ("-o", option)]
    place = ["-F", "none", "-i", str(folder / key), *words, "-p", port, f"audit@{address}", command]
    return subprocess.run(["ssh", *place], input=script, capture_output=True, text=True, timeout=60, check=False)


def test_a_host_answers_from_its_recording(inventory: Path) -> None:
    script = SCRIPT + "cat $P/sys/kernel/hostname; cat $S/kernel/cpu_byteorder; uname -srm; date +%s; id -u\n"
    done = ssh(inventory, "mainframe-01", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "mainframe-01",
        "big",
        "Linux 5.14.21-150500.55.39-default s390x",
        str(int(NOW.timestamp())),
        "990",
    ]


def test_status_and_standard_error_come_through(inventory: Path) -> None:
    done = ssh(inventory, "web-01", SCRIPT + "echo trouble >&2\nexit 7\n")
    assert (done.returncode, done.stdout, done.stderr) == (7, "", "trouble\n")


def test_a_script_without_the_roots_is_not_run(inventory: Path) -> None:
    done = ssh(inventory, "web-01", "echo ran\n")
    assert (done.returncode, done.stdout) == (1, "")
    assert "P=/proc" in done.stderr


def test_no_other_command_is_run(inventory: Path) -> None:
    assert ssh(inventory, "web-01", SCRIPT, command="echo ran").stdout == ""


def test_no_other_key_is_let_in(inventory: Path) -> None:
    require("ssh-keygen")
    key = inventory.parent / "stranger"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    done = ssh(inventory, "web-01", SCRIPT + "echo ran\n", key="stranger")
    assert (done.returncode, done.stdout) == (255, "")
    assert "Permission denied" in done.stderr


def test_the_rebuilt_host_shows_another_key(inventory: Path) -> None:
    done = ssh(inventory, "web-04", SCRIPT)
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_the_missing_host_refuses(inventory: Path) -> None:
    address, port = find_place(inventory, "cache-01")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, int(port)), timeout=10)


def test_a_visitor_who_speaks_nonsense_is_not_printed(tmp_path: Path) -> None:
    """In a process of its own: here pytest takes every log record, and nothing would reach standard error anyway."""
    command = [sys.executable, "-c", VISIT, str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "visited\n", "")


def test_the_client_key_is_private_and_new_each_time(tmp_path: Path) -> None:
    keys = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        with start_fleet(tmp_path / name, NOW):
            key = tmp_path / name / "client_key"
            keys.append(key.read_bytes())
            assert key.stat().st_mode & 0o777 == 0o600
    assert keys[0] != keys[1]


def test_a_folder_used_before_is_used_again(tmp_path: Path) -> None:
    for _ in range(2):
        with start_fleet(tmp_path, NOW) as inventory:
            assert ssh(inventory, "db-01", SCRIPT + "echo ran\n").stdout == "ran\n"


def test_policies_are_the_shipped_ones(inventory: Path) -> None:
    """Byte for byte, and only those that are for a sample host."""
    copied = sorted((inventory.parent / "policies").iterdir())
    assert [path.name for path in copied] == ["base.yaml", "bastion.yaml", "database.yaml", "web.yaml"]
    assert [path.read_bytes() for path in copied] == [(find_policies() / path.name).read_bytes() for path in copied]


def test_two_fleets_do_not_meet(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    with start_fleet(tmp_path / "one", NOW) as one, start_fleet(tmp_path / "two", NOW) as two:
        places = {find_place(inventory, sample.name) for inventory in (one, two) for sample in SAMPLES}
        assert len(places) == 2 * len(SAMPLES)
        assert ssh(one, "db-01", SCRIPT + "cat $P/sys/kernel/hostname\n").stdout == "db-01\n"
        assert ssh(two, "db-02", SCRIPT + "cat $P/sys/kernel/hostname\n").stdout == "db-02\n"


def test_nothing_stays_behind(tmp_path: Path) -> None:
    """Not after a finished session, nor one that stopped at the host key, nor one that never says a word."""
    before = (count_descriptors(), set(threading.enumerate()))
    children = list_children()
    with start_fleet(tmp_path, NOW) as inventory:
        ssh(inventory, "web-01", SCRIPT + "echo ran\n")
        ssh(inventory, "web-04", SCRIPT)
        address, port = find_place(inventory, "web-02")
        silent = socket.create_connection((address, int(port)))
        assert silent.recv(8)
    silent.close()
    deadline = time.monotonic() + 10  # a cancelled timer of paramiko's takes a moment to end
    while set(threading.enumerate()) != before[1] and time.monotonic() < deadline:
        time.sleep(0.01)
    assert (count_descriptors(), set(threading.enumerate())) == before
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((address, int(port)), timeout=10)
    assert list_children() <= children


def list_children() -> set[str]:
    """Return the processes that threads of this one have started and nobody has waited for: proc(5), `children`."""
    return {
        pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text(encoding="ascii").split()
    }


def count_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_places_fall_back_to_ports_of_one_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.demo.places._NETWORKS", range(0))
    taken = take_places([11, 12], silent=[12])
    places = [bound.getsockname() for bound in taken]
    for bound in taken:
        bound.close()
    assert [address for address, _ in places] == ["127.0.0.1", "127.0.0.1"]
    assert places[0] != places[1]


def test_servers_on_ports_of_one_address_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.demo.places._NETWORKS", range(0))
    with start_fleet(tmp_path, NOW) as inventory:
        assert ssh(inventory, "v6-01", SCRIPT + "cat $P/sys/kernel/hostname\n").stdout == "v6-01\n"
