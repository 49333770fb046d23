"""Ten hosts or ten thousand: what one costs must not grow, and every host's own ports must be in its own result.

The server is the cheap responder, in a process of its own: each loopback address is a host with ports no other has.
"""

import json
from dataclasses import replace
from pathlib import Path

from tests.bench.fleet import COMMAND, NETAUDIT, POLICY, WIDTH, write_inventory
from tests.bench.peers.job import Job
from tests.bench.process import read_cpu, run
from tests.bench.table import Row, show
from tests.servers.responder import USER, Responder, ports_of, run_responder
from tests.servers.sshd import make_key

OPTIONS: dict[str, tuple[str, ...]] = {"one process": ("--procs", "1"), "as it chooses": ()}


def measure(folder: Path, sizes: tuple[int, ...]) -> tuple[list[Row], str]:
    """Return a row per number of hosts."""
    key = make_key(folder / "key")
    policy = folder / "bench.yaml"
    policy.write_text(POLICY)
    rows = []
    with run_responder("--version", "SSH-2.0-OpenSSH_9.2") as server:
        known = folder / "known_hosts"
        known.write_text(server.known_hosts_line())
        job = Job([], server.port, USER, str(key), str(known), COMMAND, WIDTH)
        for size in sizes:
            for way, options in OPTIONS.items():
                rows.append(_audit(folder, server, replace(job, hosts=list_addresses(size)), way, options))
    note = (
        "`netaudit run` with evidence, JSON and HTML; CPU in ms per host, start-up included. `server` is what the "
        "responder takes of the same cores. `MiB`: of all processes together (Pss, sampled). `wrong`: hosts whose "
        "listeners in the report are not exactly its own."
    )
    return rows, show("One host or ten thousand, against the cheap responder", rows, note)


def list_addresses(size: int) -> list[str]:
    return [f"127.{1 + (number >> 16)}.{number >> 8 & 255}.{number & 255}" for number in range(1, size + 1)]


def _audit(folder: Path, server: Responder, job: Job, way: str, options: tuple[str, ...]) -> Row:
    size = len(job.hosts)
    home = folder / f"{size}-{way.replace(' ', '-')}"
    home.mkdir()
    (home / "inventory.yaml").write_text(write_inventory(job))
    before = read_cpu(server.pid)
    command = [
        NETAUDIT,
        "run",
        "inventory.yaml",
        "-p",
        str(folder / "bench.yaml"),
        "-q",
        "--output-dir",
        "out",
        *options,
    ]
    cost = run(command, home)
    spent = read_cpu(server.pid) - before
    return {
        "hosts": f"{size:,}",
        "way": way,
        "client": 1000 * cost.cpu / size,
        "server": 1000 * spent / size,
        "wall s": cost.wall,
        "hosts/s": size / cost.wall,
        "MiB": cost.total / 2**20,
        "wrong": f"{_count_wrong(home / 'out' / 'report.json', job)}" if cost.code in {0, 1} else cost.output[-300:],
    }


def _count_wrong(path: Path, job: Job) -> int:
    """Return how many hosts are not in the report with exactly their own TCP ports."""
    report = json.loads(path.read_text())
    found = {
        host["address"]: sorted(row["port"] for row in host["listeners"] if row["proto"] == "tcp")
        for host in report["hosts"]
    }
    return sum(found.get(address) != sorted(ports_of(address)) for address in job.hosts)
