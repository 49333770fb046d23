"""Runs in namespaces of its own, as a host: more network namespaces inside, firewall rules, and the script's answers.

    unshare --net --pid --fork --kill-child --mount --mount-proc python -m tests.parse.apart <control group> <shell>...

Prints one JSON object. Everything here ends with the process; the control group, of an imitated container, is the
caller's to make and to remove.
"""

import ctypes
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from auditor.collect import build_script
from tests.parse.inside import NONCE, look

CLONE_NEWNET = 0x40000000
NFT_RULES = """
table ip nat {
  map published { type inet_service : ipv4_addr . inet_service; elements = { 9001 : 10.1.0.9 . 80 } }
  chain prerouting {
    type nat hook prerouting priority dstnat; policy accept;
    ip daddr 198.51.100.7 tcp dport { 8443, 9000-9010 } dnat to 10.1.0.2:443
    udp dport 5353 redirect to :53
    tcp dport 7000 jump inner
    tcp dport != 7001 accept comment "dnat to nowhere"
    dnat ip to tcp dport map { 8001 : 10.1.0.5 . 81, 8002 : 10.1.0.6 . 82 }
    tcp dport vmap { 8003 : jump other }
    dnat ip to tcp dport map @published
  }
  chain inner {
    meta l4proto tcp dnat to 10.1.0.3:7
  }
  chain other {
    dnat to 10.1.0.4
  }
}
"""
IPTABLES_RULES = (
    "iptables -t nat -N DOCKER",
    "iptables -t nat -A PREROUTING -m addrtype --dst-type LOCAL -j DOCKER",
    "iptables -t nat -A DOCKER ! -i docker0 -p tcp -m tcp --dport 8080 -j DNAT --to-destination 172.17.0.2:80",
    "iptables -t nat -A PREROUTING -d 203.0.113.5 -p udp -m multiport --dports 500,4500:4510 -j DNAT --to 172.17.0.3",
    "iptables -t nat -A PREROUTING -p tcp --dport 25 -m comment --comment NAME -j REDIRECT --to-ports 2525",
    "ip6tables -t nat -A PREROUTING -p tcp --dport 8081 -j DNAT --to-destination [fd00::2]:80",
)


def live_apart(port: int, cgroup: Path | None, twin: bool = False) -> list[int]:
    """Start a process in a network namespace of its own, and in a control group, that listens on `port`.

    Return the processes that hold its sockets, two with a `twin`.
    """
    ready, told = os.pipe()
    if os.fork() == 0:
        if cgroup is not None:
            (cgroup / "cgroup.procs").write_text(str(os.getpid()))
        if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "unshare")
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        kept = [socket.create_server(("127.0.0.1", port)), socket.create_server(("0.0.0.0", port + 1))]
        udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp.bind(("0.0.0.0", 40000))
        if twin:
            os.fork()  # a second process there: the namespace is still read once
        os.write(told, b"%7d" % os.getpid())
        signal.pause()
        del kept
    return [int(os.read(ready, 7)) for _ in range(2 if twin else 1)]


def answer(shell: str, script: bytes, **how: object) -> str:
    done = subprocess.run([*shell.split(), "-s"], input=script, capture_output=True, check=True, **how)  # type: ignore[call-overload]  # how: user
    return str(done.stdout.decode("latin-1"))


def main(cgroup: Path, shells: list[str]) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    Path("/run/netns").mkdir()
    Path("/run/netns").chmod(0o755)
    kept = [socket.create_server(("127.0.0.1", 1000))]
    pids = {"2000": live_apart(2000, cgroup, twin=True), "3000": live_apart(3000, None)}
    for name in ("blue", "red one"):
        subprocess.run(["ip", "netns", "add", name], check=True)
    Path("/run/netns/leftover").touch()  # as `ip netns` leaves it when the machine was switched off
    Path("/run/netns/folder").mkdir()
    os.mkfifo("/run/netns/pipe")
    subprocess.run(["nft", "-f", "-"], input=NFT_RULES, text=True, check=True)
    native = look("nft", "list", "ruleset")
    found: dict[str, Any] = {
        "pids": pids,
        "namespaces": {
            shell: answer(shell, build_script(NONCE, namespaces=True, owners=True).text) for shell in shells
        },
        "plain": answer(shells[0], build_script(NONCE).text),
        "nobody": answer(shells[0], build_script(NONCE, namespaces=True).text, user=65534),
        "native": native,
    }
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    for rule in IPTABLES_RULES:
        words = [word if word != "NAME" else 'a "quoted" -j DNAT name' for word in rule.split()]
        subprocess.run(words, check=True)
    found["iptables"] = answer(shells[0], build_script(NONCE).text)
    subprocess.run(["nft", "flush", "ruleset"], check=True)
    legacy = "iptables-legacy -t nat -A PREROUTING -p tcp --dport 26 -j REDIRECT --to-ports 2526"
    if subprocess.run(legacy.split(), check=False, capture_output=True).returncode == 0:
        found["legacy"] = answer(shells[0], build_script(NONCE).text)
    found["elsewhere"] = subprocess.run(
        ["unshare", "--net", *shells[0].split(), "-s"],
        input=build_script(NONCE, namespaces=True).text,
        capture_output=True,
        check=True,
    ).stdout.decode("latin-1")
    del kept
    json.dump(found, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
