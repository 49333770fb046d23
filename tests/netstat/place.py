"""A network namespace with interfaces, routes and multicast groups of many kinds; run by itself, it is that place.

It belongs to one process and ends with it. The kernel need not know every kind of interface: `kinds` says which there
are.
"""

import json
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from auditor.collect import build_script, unframe
from auditor.collect.sections import TableGroup
from auditor.model.snapshot import Snapshot
from tests.collect.answers import NONCE, a_transcript

ROOT = Path(__file__).resolve().parents[2]
EVERY: frozenset[TableGroup] = frozenset(("names", "routes", "interfaces", "groups", "statistics", "links"))
LINKS = {
    "veth": "link add eth2 type veth peer name eth10",
    "down": "link add averylongname12 type veth peer name far",
    "bridge": "link add br0 type bridge",
    "ifb": "link add ifb7 type ifb",
    "dummy": "link add dummy0 type dummy",
    "tun": "tuntap add mode tun name tun0",
}
STEPS = """
link set lo up
link set eth2 mtu 1400 up
link set eth10 up
link set far up
link set br0 promisc on up
link set ifb7 up
link set dummy0 arp off up
link set tun0 up
link set eth10 allmulticast on
address add 10.77.0.1/24 dev eth2
address add fd77::1/64 dev eth2 nodad
address add 10.78.0.1/24 dev dummy0
address add 10.79.0.1 peer 10.79.0.2 dev tun0
route add 10.88.0.0/16 via 10.77.0.9 metric 50 mtu 1300 window 3000
route add default via 10.77.0.254
route add 10.77.0.8 via 10.77.0.9
route add unreachable 10.99.0.0/16
route add 192.0.2.0/25 dev eth2 metric 7
-6 route add 2001:db8:88::/48 via fd77::9 metric 50 dev eth2
-6 route add unreachable 2001:db8:99::/48
-6 route add default via fd77::fe dev eth2
"""


class Place:
    """The namespace from outside."""

    def __init__(self, pid: int, kinds: list[str]) -> None:
        self._pid = pid
        self.kinds = kinds

    def run(self, *command: str) -> str:
        """Return what a program prints there."""
        enter = ["nsenter", f"--target={self._pid}", "--net", "--mount", "--", *command]
        done = subprocess.run(enter, capture_output=True, timeout=60, check=False, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def collect(self) -> Snapshot:
        """Return what our script prints there."""
        enter = ["nsenter", f"--target={self._pid}", "--net", "--mount", "--", "sh", "-s"]
        text = build_script(NONCE, tables=EVERY).text
        done = subprocess.run(enter, input=text, capture_output=True, timeout=60, check=True)
        snapshot = unframe(a_transcript(done.stdout))
        assert snapshot.gaps == ()
        return snapshot

    def compare(self, *command: str) -> tuple[str, Snapshot]:
        """Return what a program prints and what our script does, while nothing changes."""
        before = self.run(*command)
        for _ in range(30):
            snapshot = self.collect()
            after = self.run(*command)
            if after == before:
                return after, snapshot
            before = after
        raise AssertionError(f"{command} never prints the same twice")


@contextmanager
def a_place() -> Iterator[Place]:
    command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.netstat.place"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as keeper:
        assert keeper.stdout is not None
        yield Place(keeper.pid, json.loads(keeper.stdout.readline()))
        assert keeper.stdin is not None
        keeper.stdin.close()


def main() -> None:
    subprocess.run(["mount", "-t", "sysfs", "sysfs", "/sys"], check=True)
    with NamedTemporaryFile("w") as file:  # names come from files: there is nobody to ask
        file.write("hosts: files\nnetworks: files\n")
        file.flush()
        subprocess.run(["mount", "--bind", file.name, "/etc/nsswitch.conf"], check=True)
    kinds = [kind for kind, words in LINKS.items() if _ip(words)]
    for step in STEPS.strip().splitlines():
        _ip(step)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as v4,
        socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as v6,
    ):
        if "veth" in kinds:
            there = socket.inet_aton("239.1.2.3") + socket.inet_aton("10.77.0.1")
            v4.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, there)
            there6 = socket.inet_pton(socket.AF_INET6, "ff05::77") + struct.pack("=i", socket.if_nametoindex("eth2"))
            v6.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, there6)
        for _ in range(3):
            v4.sendto(b"to nobody", ("127.0.0.1", 9))
        sys.stdout.write(json.dumps(kinds) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


def _ip(words: str) -> bool:
    return subprocess.run(["ip", *words.split()], capture_output=True, check=False).returncode == 0


if __name__ == "__main__":
    main()
