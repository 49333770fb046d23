"""Runs in namespaces of its own: opens sockets of every kind, then says how the script and ss(8) see them.

    unshare --net --pid --fork --mount-proc python -m tests.parse.inside <shell>...

Prints one JSON object. Everything here ends with the process.
"""

import contextlib
import json
import os
import socket
import subprocess
import sys

from auditor.collect import build_script

NONCE = "ab" * 16
FORGED = b"/x\n0000000000000000: 00000002 00000000 00010000 0001 01 666 /run/docker.sock"

Kept = list[socket.socket]


def open_tcp(kept: Kept) -> None:
    for family, address, port, v6only in (
        (socket.AF_INET, "0.0.0.0", 1001, None),
        (socket.AF_INET, "127.0.0.1", 1002, None),
        (socket.AF_INET, "127.0.0.53", 1003, None),
        (socket.AF_INET, "10.9.8.7", 1004, None),
        (socket.AF_INET6, "::", 1005, 0),
        (socket.AF_INET6, "::1", 1006, None),
        (socket.AF_INET6, "::ffff:127.0.0.1", 1007, 0),
        (socket.AF_INET6, "fd00:1:2:3:4:5:6:7", 1008, None),
        (socket.AF_INET6, "::", 1001, 1),
    ):
        sock = socket.socket(family, socket.SOCK_STREAM)
        if v6only is not None:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        sock.bind((address, port))
        sock.listen(5)
        kept.append(sock)
    for _ in range(3):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(("0.0.0.0", 1009))
        sock.listen(5)
        kept.append(sock)
    bound = socket.socket()
    bound.bind(("0.0.0.0", 1010))  # bound, and never listening
    kept.append(bound)


def open_connections(kept: Kept) -> None:
    """Three that nobody accepts on 1001, one half open, one closing, one over IPv4 to the dual-stack listener."""
    deferred = socket.socket()
    deferred.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
    deferred.bind(("127.0.0.1", 1011))
    deferred.listen(5)
    kept.append(deferred)
    for port in (1001, 1001, 1001, 1005, 1011):
        kept.append(socket.create_connection(("127.0.0.1", port)))
    server = socket.create_server(("127.0.0.1", 1012))
    with socket.create_connection(("127.0.0.1", 1012)) as client:
        accepted, _ = server.accept()
        accepted.close()
        client.recv(1)
    kept.append(server)


def open_udp(kept: Kept) -> None:
    for family, address, port in (
        (socket.AF_INET, "0.0.0.0", 2001),
        (socket.AF_INET, "127.0.0.53", 2002),
        (socket.AF_INET6, "::", 2003),
        (socket.AF_INET6, "::1", 2004),
        (socket.AF_INET, "0.0.0.0", 5353),
        (socket.AF_INET, "0.0.0.0", 5353),
        (socket.AF_INET6, "::", 5353),
    ):
        sock = socket.socket(family, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind((address, port))
        kept.append(sock)
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.sendto(b"?", ("127.0.0.1", 2001))
    connected = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    connected.bind(("127.0.0.1", 2005))
    connected.connect(("127.0.0.1", 2001))
    kept += [client, connected]


def open_others(kept: Kept) -> None:
    everything = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    one = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
    one.bind(("lo", 0x88CC))
    kept += [
        everything,
        one,
        socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
        socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6),
    ]
    for path in ("\0" + FORGED.decode(), "\0with space"):
        sock = socket.socket(socket.AF_UNIX)
        sock.bind(path)
        sock.listen(1)
        kept.append(sock)
    packets = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    packets.bind("\0packets <b>\x1b[31m")
    packets.listen(1)
    silent = socket.socket(socket.AF_UNIX)
    silent.bind("\0silent")
    kept += [packets, silent]
    with contextlib.suppress(OSError):  # kernels without UDP-Lite
        lite = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 136)
        lite.bind(("127.0.0.1", 2006))
        kept.append(lite)


def look(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def main(shells: list[str]) -> None:
    for command in (
        "ip link set lo up",
        "ip address add 10.9.8.7/32 dev lo",
        "ip address add fd00:1:2:3:4:5:6:7/128 dev lo nodad",
    ):
        subprocess.run(command.split(), check=True)
    kept: Kept = []
    for opener in (open_tcp, open_connections, open_udp, open_others):
        opener(kept)
    session = kept[next(at for at, sock in enumerate(kept) if _is_connected(sock))]
    (local, local_port), (peer, peer_port) = session.getsockname(), session.getpeername()
    environment = {**os.environ, "SSH_CONNECTION": f"{local} {local_port} {peer} {peer_port}"}
    answers = {}
    for shell in shells:
        script = build_script(NONCE).text
        done = subprocess.run([*shell.split(), "-s"], input=script, capture_output=True, env=environment, check=False)
        answers[shell] = [done.stdout.decode("latin-1"), done.stderr.decode("latin-1"), done.returncode]
    tools = {
        "inet": look("ss", "-H", "-lntu"),
        "raw": look("ss", "-H", "-lnw"),
        "packet": look("ss", "-H", "-ln0"),
        "states": look("ss", "-H", "-natu"),
        "unix": look("ss", "-H", "-lnx"),
        "rows": look("sh", "-c", "cd /proc/net && wc -l tcp tcp6 udp udp6 raw raw6 packet"),
    }
    json.dump({"answers": answers, **tools, "udplite": len(kept) and kept[-1].proto == 136}, sys.stdout)


def _is_connected(sock: socket.socket) -> bool:
    with contextlib.suppress(OSError):
        return sock.family == socket.AF_INET and sock.type == socket.SOCK_STREAM and bool(sock.getpeername())
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
