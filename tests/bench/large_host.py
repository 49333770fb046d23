"""A host with very many connections: how much travels and how long it takes, whole tables against filtered ones.

    python -m tests.bench.large_host [connections] [listeners]

As root; everything happens in namespaces of its own, with real connections over loopback. Nothing here is a test.
"""

import os
import signal
import socket
import subprocess
import sys
import time

from auditor.collect import build_script, unframe
from auditor.model.facts import HostFacts
from auditor.parse import parse_snapshot
from tests.collect.answers import NONCE, a_transcript

SEALED = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")
PER_PROCESS = 1_500
"""Connections whose two ends one process holds: fewer than it may have files open."""
KEPT: list[socket.socket] = []
THRESHOLD = b"\nMOST=20000\n"


def connect(connections: int, listeners: int) -> str:
    """Open the listeners and the connections, in processes that stay; return one of them as SSH_CONNECTION has it."""
    reading, writing = os.pipe()
    for first in range(0, connections, PER_PROCESS):
        if os.fork() == 0:
            session = hold(min(PER_PROCESS, connections - first), listeners if first == 0 else 1, first)
            os.write(writing, f"{session}\n".encode())
            signal.pause()
    with os.fdopen(reading) as told:
        sessions = [told.readline() for _ in range(0, connections, PER_PROCESS)]
    return sessions[0].strip()


def hold(connections: int, listeners: int, first: int) -> str:
    port = 1000 + first // PER_PROCESS
    KEPT.extend(socket.create_server(("127.0.0.1", port + 100 * at), backlog=1024) for at in range(listeners))
    for _ in range(connections):
        KEPT.append(socket.create_connection(("127.0.0.1", port)))
        KEPT.append(KEPT[0].accept()[0])
    (peer, peer_port), (local, local_port) = KEPT[-2].getsockname(), KEPT[-2].getpeername()
    return f"{peer} {peer_port} {local} {local_port}"


def time_answer(script: bytes, session: str) -> tuple[bytes, float]:
    """Return the answer, and the best of five times in seconds."""
    best = float("inf")
    stdout = b""
    for _ in range(5):
        began = time.perf_counter()
        done = subprocess.run(
            ["sh", "-s"], input=script, capture_output=True, check=True, env={**os.environ, "SSH_CONNECTION": session}
        )
        best = min(best, time.perf_counter() - began)
        stdout = done.stdout
    return stdout, best


def read(stdout: bytes) -> tuple[HostFacts, float]:
    transcript = a_transcript(stdout)
    began = time.perf_counter()
    facts = parse_snapshot(unframe(transcript), transcript)
    return facts, time.perf_counter() - began


def measure(connections: int, listeners: int) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    session = connect(connections, listeners - (connections - 1) // PER_PROCESS)
    script = build_script(NONCE).text
    assert script.count(THRESHOLD) == 1
    print(f"{connections} connections, {listeners} listeners: {2 * connections + listeners} rows")
    for name, text in (("whole", script.replace(THRESHOLD, b"\nMOST=900000000\n")), ("filtered", script)):
        stdout, took = time_answer(text, session)
        facts, parsed = read(stdout)
        found = sum(one.proto == "tcp" for one in facts.listeners)
        print(
            f"  {name:9} {len(stdout):>10} bytes   {1000 * took:6.1f} ms on the host   {1000 * parsed:6.1f} ms to parse"
            f"   {found} listeners, gaps: {[gap.source for gap in facts.gaps]}, {facts.system.states['tcp']}"
        )
    sys.stdout.flush()
    os._exit(0)


def main(arguments: list[str]) -> None:
    if arguments[:1] == ["inside"]:
        measure(int(arguments[1]), int(arguments[2]))
    numbers = (*arguments, *("20000", "30")[len(arguments) :])
    subprocess.run([*SEALED, sys.executable, "-m", "tests.bench.large_host", "inside", *numbers], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
