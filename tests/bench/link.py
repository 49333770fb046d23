"""One host behind a link of 100 ms: how many round trips an audit takes, for netaudit and for others.

The kernel here may have no netem, so the link is made by hand: the server has a network namespace of its own, joined to
this one by two tun devices, and a thread carries the packets between them, each 50 ms later. TCP is the kernel's own on
both sides, with its windows, Nagle's algorithm and its delayed acknowledgements.
"""

import fcntl
import heapq
import os
import re
import selectors
import shlex
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from tests.bench.fleet import COMMAND, ROOT
from tests.bench.process import run
from tests.bench.table import Row, show
from tests.servers.sshd import Sshd, run_sshd

ONE_WAY_S = float(os.environ.get("NETAUDIT_BENCH_ONE_WAY_S", "0.05"))
"""A longer one shows through a busy machine's noise."""
NEAR, FAR = "10.213.0.1", "10.213.0.2"
_TUNSETIFF, _IFF_TUN, _IFF_NO_PI = 0x400454CA, 0x0001, 0x1000


def measure(folder: Path, rounds: int) -> tuple[list[Row], str]:
    """Return a row per way of asking one far host, with the one near host's time taken off: what is left is waiting."""
    with _far_namespace() as far:
        inside = ("nsenter", "--net", f"--target={far.pid}", "--")
        with (
            _link(inside),
            run_sshd(folder / "sshd", [f"ListenAddress {FAR}", "ListenAddress 127.0.0.1"], within=inside) as server,
        ):
            public = server.public_key()
            server.known_hosts.write_text("".join(f"[{host}]:{server.port} {public}\n" for host in (FAR, "127.0.0.1")))
            ways = _list_ways(folder, server)
            rows = [
                _time(way, far_command, near_command, inside, folder, rounds) for way, far_command, near_command in ways
            ]
    note = (
        "Round trips: the seconds that the same command takes longer over the link than beside the server, divided by "
        f"{2 * ONE_WAY_S:.1f}; medians of {rounds}. netaudit's are: TCP (1); version lines and key lists (1, or 2 when "
        "sshd's Nagle holds its key list back until its version line is acknowledged); key exchange (1); then login, "
        "channel, command and script in one flight (1, and 1 more for Nagle between sshd's first answer and the rest)."
    )
    return rows, show(f"One host over a link of {2000 * ONE_WAY_S:g} ms", rows, note)


def _list_ways(folder: Path, server: Sshd) -> list[tuple[str, list[str], list[str]]]:
    """Return name, command to the far address, command to the near one."""
    options = (
        f"Port {server.port}\nUser {server.user}\nIdentityFile {server.key}\nIdentitiesOnly yes\nIdentityAgent none\n"
    )
    (folder / "ssh_options").write_text(f"{options}UserKnownHostsFile {server.known_hosts}\nControlPath none\n")
    for name, address in (("far", FAR), ("near", "127.0.0.1")):
        (folder / f"{name}.yaml").write_text(
            f"version: 1\ndefaults: {{user: {server.user}, port: {server.port}, identity: {server.key}, "
            f"known_hosts: [{server.known_hosts}]}}\nhosts:\n  one: {{address: {address}}}\n"
        )

    def audit(name: str, *more: str) -> list[str]:
        return [sys.executable, "-m", "tests.bench.one_host", str(folder / f"{name}.yaml"), *more]

    def ssh(address: str) -> list[str]:
        return ["sh", "-c", f"ssh -F ssh_options {address} {shlex.quote(COMMAND)} >/dev/null"]

    return [
        ("netaudit, without owners", audit("far", "--no-owners"), audit("near", "--no-owners")),
        ("netaudit", audit("far"), audit("near")),
        ("ssh, cat", ssh(FAR), ssh("127.0.0.1")),
    ]


def _time(way: str, far: Sequence[str], near: Sequence[str], inside: Sequence[str], folder: Path, rounds: int) -> Row:
    """Time both commands in turn; the near one runs beside the server, inside its namespace."""
    over: list[float] = []
    beside: list[float] = []
    for _ in range(rounds + 1):
        for command, times in ((far, over), ([*inside, *near], beside)):
            cost = run(command, folder, env={"PYTHONPATH": str(ROOT)})
            if cost.code:
                return {"way": way, "round trips": "", "far s": "", "near s": "", "why not": cost.output[-200:]}
            spent = re.search(r"^seconds ([0-9.]+)", cost.output, re.MULTILINE)  # without the start of the process
            times.append(float(spent[1]) if spent else cost.wall)
    far_s, near_s = median(over[1:]), median(beside[1:])
    return {
        "way": way,
        "round trips": (far_s - near_s) / (2 * ONE_WAY_S),
        "far s": far_s,
        "near s": near_s,
        "why not": "",
    }


@contextmanager
def _far_namespace() -> Iterator["subprocess.Popen[bytes]"]:
    keeper = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "ip link set lo up && echo ready && exec cat"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert keeper.stdout is not None
    keeper.stdout.readline()
    try:
        yield keeper
    finally:
        keeper.kill()
        keeper.wait()


@contextmanager
def _link(inside: Sequence[str]) -> Iterator[None]:
    """Join this namespace and the far one for as long as the block lasts."""
    near, far = _open_tun("netaudit-near"), _open_tun("netaudit-far")
    pid = next(word for word in inside if word.startswith("--target=")).partition("=")[2]
    _ip("link", "set", "netaudit-far", "netns", pid)
    _ip("address", "add", NEAR, "peer", FAR, "dev", "netaudit-near")
    _ip("link", "set", "netaudit-near", "up")
    _ip("address", "add", FAR, "peer", NEAR, "dev", "netaudit-far", inside=inside)
    _ip("link", "set", "netaudit-far", "up", inside=inside)
    stop = threading.Event()
    carrier = threading.Thread(target=_carry, args=(near, far, stop))
    carrier.start()
    try:
        yield
    finally:
        stop.set()
        carrier.join()
        os.close(near)
        os.close(far)


def _ip(*words: str, inside: Sequence[str] = ()) -> None:
    subprocess.run([*inside, "ip", *words], check=True)


def _open_tun(name: str) -> int:
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _IFF_TUN | _IFF_NO_PI))
    return device


def _carry(near: int, far: int, stop: threading.Event) -> None:
    """Carry packets both ways, each a fixed time after it came."""
    waiting: list[tuple[float, int, int, bytes]] = []
    with selectors.DefaultSelector() as selector:
        selector.register(near, selectors.EVENT_READ, far)
        selector.register(far, selectors.EVENT_READ, near)
        count = 0
        while not stop.is_set():
            wait = max(0.0, waiting[0][0] - time.monotonic()) if waiting else 0.1
            for key, _ in selector.select(min(wait, 0.1)):
                packet = os.read(key.fd, 65536)
                count += 1
                heapq.heappush(waiting, (time.monotonic() + ONE_WAY_S, count, key.data, packet))
            while waiting and waiting[0][0] <= time.monotonic():
                _, _, device, packet = heapq.heappop(waiting)
                os.write(device, packet)
