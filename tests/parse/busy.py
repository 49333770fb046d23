"""Runs in namespaces of its own: steady listeners among sockets that come and go, and the script over and over.

    unshare --net --pid --fork --kill-child --mount-proc python -m tests.parse.busy <runs>

Prints one JSON object: the ports that are steady, and what each run of the script printed.
"""

import json
import os
import random
import socket
import subprocess
import sys
from typing import NoReturn

from auditor.collect import build_script
from tests.parse.inside import NONCE

SERVER = ("127.0.0.1", 900)


def come_and_go() -> NoReturn:
    """Open and close UDP sockets and TCP connections as fast as it goes, until the namespace ends."""
    pool = [_udp() for _ in range(500)]
    while True:
        for _ in range(20):
            at = random.randrange(len(pool))
            pool[at].close()
            pool[at] = _udp()
        with socket.create_connection(SERVER) as client:
            client.recv(1)


def serve(server: socket.socket) -> NoReturn:
    while True:
        server.accept()[0].close()


def _udp(port: int = 0) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", port))
    return sock


def main(runs: int) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = socket.create_server(SERVER, backlog=1024)
    if os.fork() == 0:
        serve(server)
    if os.fork() == 0:
        come_and_go()
    ports = random.sample(range(1000, 30000), 20)
    steady = [(_udp(port), socket.create_server(("127.0.0.1", port))) for port in ports]
    script = build_script(NONCE).text
    answers = [
        subprocess.run(["sh", "-s"], input=script, capture_output=True, check=True).stdout.decode("latin-1")
        for _ in range(runs)
    ]
    json.dump({"ports": [udp.getsockname()[1] for udp, _ in steady], "answers": answers}, sys.stdout)
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
