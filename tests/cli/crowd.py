"""Run in a network namespace of its own: sockets that pile up there, and an audit of them; prints its report.

A listener with three connections that nobody accepts, and seven that the peer has closed and this program has not.
"""

import socket
import subprocess
import sys
from contextlib import ExitStack

POLICY = """
version: 1
policy: crowd
allow: [{port: 1-65535/tcp}]
states:
  CLOSE_WAIT: {max: 6, severity: low, reason: seven are one too many}
  ESTABLISHED: {max: 100}
accept_queue: {max: 2, severity: medium}
"""
FORMATS = ("html", "sarif", "junit", "gitlab", "github", "markdown", "csv", "text", "jsonl")


def main() -> int:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with open("inventory.yaml", "w") as file:  # noqa: PTH123 - in the folder of the test
        file.write("version: 1\nhosts:\n  here: {connection: local}\n")
    with open("policy.yaml", "w") as file:  # noqa: PTH123
        file.write(POLICY)
    with ExitStack() as stack:
        slow = stack.enter_context(socket.create_server(("127.0.0.1", 7001), backlog=8))
        for _ in range(3):
            stack.enter_context(socket.create_connection(slow.getsockname()))
        lazy = stack.enter_context(socket.create_server(("127.0.0.1", 7002), backlog=8))
        for _ in range(7):
            with socket.create_connection(lazy.getsockname()):
                stack.enter_context(lazy.accept()[0])
        outputs = [word for name in FORMATS for word in ("-o", f"{name}=out.{name}")]
        command = ["run", "inventory.yaml", "-p", "policy.yaml", "-q", *outputs, "-o", "json=-"]
        return subprocess.run([sys.executable, "-m", "auditor", *command], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
