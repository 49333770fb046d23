"""How often a socket that never went away is not seen, while others come and go: netaudit, a single read, psutil.

    python -m tests.bench.udp_churn [snapshots] [churning sockets] [services]

As root; everything happens in namespaces of its own. psutil's figure needs psutil (`pip install psutil`). The exit
status is 1 when netaudit missed one. Nothing here is a test; tests/parse/test_busy.py is, on a smaller scale.
"""

import os
import random
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from auditor.collect import build_script, unframe
from auditor.parse import parse_snapshot
from tests.collect.answers import NONCE, a_transcript

SEALED = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
Look = Callable[[], set[int]]


def bind_udp(port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    return sock


def come_and_go(sockets: int) -> NoReturn:
    """Keep so many sockets, closing and opening one after the other as fast as it goes, until the namespace ends."""
    pool = [bind_udp() for _ in range(sockets)]
    while True:
        at = random.randrange(sockets)
        pool[at].close()
        pool[at] = bind_udp()


def look_once() -> set[int]:
    """Return the ports of one reading of the table."""
    rows = Path("/proc/net/udp").read_bytes().split(b"\n")[1:]
    return {int(row.split()[1].rpartition(b":")[2], 16) for row in rows if row}


def look_with_netaudit() -> set[int]:
    done = subprocess.run(["sh", "-s"], input=build_script(NONCE).text, capture_output=True, check=True)
    transcript = a_transcript(done.stdout)
    facts = parse_snapshot(unframe(transcript), transcript)
    return {found.port for found in facts.listeners if found.proto == "udp"}


def find_psutil() -> Look | None:
    try:
        import psutil
    except ImportError:
        return None
    return lambda: {found.laddr.port for found in psutil.net_connections("udp4") if found.laddr}


def measure(snapshots: int, churning: int, services: int) -> NoReturn:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    child = os.fork()
    if child == 0:
        come_and_go(churning)
    steady = [bind_udp(port) for port in random.sample(range(1000, 30000), services)]
    ports = {sock.getsockname()[1] for sock in steady}
    looks: dict[str, Look | None] = {
        "netaudit": look_with_netaudit,
        "single read": look_once,
        "psutil": find_psutil(),
    }
    missed = {name: [len(ports - look()) for _ in range(snapshots)] for name, look in looks.items() if look}
    print(f"{services} services among {churning} sockets that come and go, {snapshots} snapshots each:")
    for name in looks:
        if name not in missed:
            print(f"  {name:12} not installed")
            continue
        wrong = sum(map(bool, missed[name]))
        print(f"  {name:12} {wrong:4} miss one ({100 * wrong / snapshots:.1f} %), {sum(missed[name])} rows in all")
    sys.stdout.flush()
    os.kill(child, signal.SIGKILL)
    os._exit(1 if any(missed["netaudit"]) else 0)


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["inside"]:
        snapshots, churning, services = map(int, arguments[1:])
        measure(snapshots, churning, services)
    numbers = (*arguments, *("200", "3000", "20")[len(arguments) :])
    command = [*SEALED, sys.executable, "-m", "tests.bench.udp_churn", "inside", *numbers]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
