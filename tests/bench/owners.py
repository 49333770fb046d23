"""What the script costs a host, and what it costs to say who holds what: many processes, many sockets, every shell.

    python -m tests.bench.owners [processes] [descriptors of each] [sockets]

As root; everything happens in namespaces of its own. Beside it stand `cat` of the tables, which is what any look at
them costs, and ss(8), which asks the kernel for the listeners alone.
"""

import os
import re
import resource
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from auditor.collect import build_script
from tests.collect.answers import NONCE

SEALED = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
SHELLS = ("dash", "bash --posix", "busybox sh")
RUNS = 15
CAT = ["cat", "/proc/net/tcp", "/proc/net/tcp6", "/proc/net/udp", "/proc/net/udp6", "/etc/services"]
HOLD = """
import os, socket, sys, time
port, count = int(sys.argv[1]), int(sys.argv[2])
kept = [os.open("/dev/null", os.O_RDONLY) for _ in range(count)]
if port:
    kept.append(socket.create_server(("127.0.0.1", port)))
print("ready", flush=True)
time.sleep(3600)
"""


class Cost(NamedTuple):
    """Milliseconds by the clock and of the processors, and the bytes printed."""

    wall: float
    cpu: float
    size: int


def run_command(command: Sequence[str], script: bytes = b"") -> Cost:
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, input=script, capture_output=True, check=True)
    wall, after = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall * 1000, cpu * 1000, len(done.stdout))


def summarise(command: Sequence[str], script: bytes = b"") -> str:
    runs = [run_command(command, script) for _ in range(RUNS)]
    wall, cpu = (statistics.median(run[at] for run in runs) for at in (0, 1))
    return f"{wall:7.1f} ms (best {min(run.wall for run in runs):6.1f}), CPU {cpu:6.1f} ms, {runs[-1].size:9,} bytes"


def count_started(shell: str, script: bytes) -> tuple[int, int]:
    """Return how many processes were forked, and how many programs run."""
    calls = "trace=execve,fork,vfork,clone,clone3"
    command = ["strace", "-f", "-qq", "-e", calls, "-e", "signal=none", *shell.split(), "-s"]
    lines = subprocess.run(command, input=script, capture_output=True, check=True).stderr.splitlines()
    begun = [line for line in lines if b"resumed>" not in line]
    forks = sum(bool(re.search(rb"(fork|clone3?)\(", line)) for line in begun)
    return forks, sum(b"execve" in line and line.endswith(b" = 0") for line in lines)


def measure(title: str) -> None:
    print(title)
    for shell in SHELLS:
        for owners in (False, True):
            script = build_script(NONCE, owners=owners).text
            cost = summarise([*shell.split(), "-s"], script)
            forks, programs = count_started(shell, script)
            started = f"{forks} forks, {programs} programs, script {len(script):,} bytes"
            print(f"  {shell:13} owners {'on ' if owners else 'off'}  {cost}, {started}", flush=True)
    print(f"  cat                        {summarise(CAT)}", flush=True)


def main(processes: int, descriptors: int, sockets: int) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    holders = []
    for at in range(processes):
        port = 10_000 + at if at < 38 else 0
        command = [sys.executable, "-S", "-c", HOLD, str(port), str(descriptors)]
        holders.append(subprocess.Popen(command, stdout=subprocess.PIPE))
    for holder in holders:
        assert holder.stdout is not None
        holder.stdout.readline()
    total = sum(len(os.listdir(f"/proc/{holder.pid}/fd")) for holder in holders)  # noqa: PTH208
    measure(f"{processes} processes, {total:,} descriptors, {min(38, processes)} listeners of as many processes")
    print(f"  ss -Hltnp                  {summarise(['ss', '-Hltnp'])}")
    for holder in holders:
        holder.kill()
    for holder in holders:
        holder.wait()
    resource.setrlimit(resource.RLIMIT_NOFILE, (sockets + 1000, max(sockets + 1000, 4096)))
    kept = []
    for at in range(sockets):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.bind((f"127.0.{1 + at // 1000}.1", 20_000 + at % 1000))
        sock.listen(1)
        kept.append(sock)
    measure(f"{sockets:,} listening sockets of one process")
    print(f"  (/proc/net/tcp: {len(Path('/proc/net/tcp').read_bytes()):,} bytes)")


if __name__ == "__main__":
    numbers = [int(word) for word in sys.argv[1:]]
    if "INSIDE" in os.environ:
        main(*numbers)
    else:
        wanted = [str(number) for number in (numbers + [300, 20, 5000][len(numbers) :])]
        inside = [*SEALED, sys.executable, "-m", "tests.bench.owners", *wanted]
        sys.exit(subprocess.run(inside, env={**os.environ, "INSIDE": "1"}, check=False).returncode)
