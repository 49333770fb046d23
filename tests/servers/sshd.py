"""A real OpenSSH sshd on the loopback, for one test: its own host keys, one authorized key, and a log to look into.

It runs as whoever runs the tests (as root it may start login shells of other users too) and knows nothing of the
machine's own configuration.
"""

import contextlib
import functools
import getpass
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.model.host import Host
from tests.builders import a_host
from tests.requirements import require

HOST_KEY_TYPES = ("ed25519", "ecdsa", "rsa")


@dataclass(frozen=True)
class Sshd:
    """A running server. `key` is a private key its user may log in with, `log` its log at level VERBOSE."""

    directory: Path
    port: int
    user: str
    key: Path
    log: Path
    pid: int

    @property
    def known_hosts(self) -> Path:
        return self.directory / "known_hosts"

    def public_key(self, key_type: str = "ed25519") -> str:
        """Return `type base64` of a host key."""
        return " ".join((self.directory / f"host_{key_type}.pub").read_text().split()[:2])

    def host(self, name: str = "real", **fields: Any) -> Host:
        """Return an inventory host that reaches this server with its key and its known_hosts."""
        defaults: dict[str, Any] = {
            "address": "127.0.0.1",
            "port": self.port,
            "user": self.user,
            "identity": (str(self.key),),
            "known_hosts": (str(self.known_hosts),),
            "timeout": 20.0,
        }
        return a_host(name, **{**defaults, **fields})

    def log_text(self) -> str:
        return self.log.read_text(errors="replace")

    def login_attempts(self) -> int:
        """Return how many authentication requests the server saw (`Failed`, `Accepted`, `Partial`, `Postponed`)."""
        return len(re.findall(r"^(?:Failed|Accepted|Partial|Postponed) [a-z/-]+ for ", self.log_text(), re.MULTILINE))

    def wait_for_log(self, text: str, seconds: float = 5.0) -> bool:
        """Wait until the log holds `text`; sshd writes it a moment after the client has moved on."""
        return self._wait(re.compile(re.escape(text)), seconds)

    def wait_for_close(self) -> bool:
        """Wait until the log tells that a client has gone before it was let in.

        Either sshd reads the end of the connection, or it fails to write to it before it comes to that.
        """
        gone = "^Connection (closed|reset) by |^.*Connection from .*: (Broken pipe|Connection reset by peer)"
        return self._wait(re.compile(gone, re.MULTILINE), 5.0)

    def _wait(self, pattern: re.Pattern[str], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if pattern.search(self.log_text()):
                return True
            time.sleep(0.02)
        sys.stderr.write(self.log_text())  # pytest shows it with the failure
        return False


def sshd_program() -> str:
    require("sshd", "ssh-keygen")
    program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    assert program is not None
    return program


def make_key(path: Path, key_type: str = "ed25519", passphrase: str = "", *options: str) -> Path:
    """Write a private key and its public half with ssh-keygen. RSA keys are all the same one: primes take time."""
    if key_type == "rsa":
        private, public = _rsa_key()
        path.touch(mode=0o600)
        path.write_text(private)
        path.with_name(f"{path.name}.pub").write_text(public)
        if passphrase or options:
            change = ["ssh-keygen", "-q", "-p", "-P", "", "-N", passphrase, "-f", str(path), *options]
            subprocess.run(change, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return path
    command = ["ssh-keygen", "-q", "-t", key_type, "-N", passphrase, "-C", "test", "-f", str(path), *options]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


@functools.cache
def _rsa_key() -> tuple[str, str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rsa"
        command = ["ssh-keygen", "-q", "-t", "rsa", "-b", "2048", "-N", "", "-C", "test", "-f", str(path)]
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        return path.read_text(), path.with_suffix(".pub").read_text()


def free_port() -> int:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@contextlib.contextmanager
def run_sshd(
    directory: Path,
    options: Sequence[str] = (),
    *,
    host_keys: Sequence[str] = ("ed25519",),
    authorized_options: str = "",
    user: str | None = None,
    within: Sequence[str] = (),
) -> Iterator[Sshd]:
    """Run sshd with extra `options` (sshd_config lines) until the block ends; `within`: a command to start it with.

    It listens on 127.0.0.1 unless the options say where.
    """
    program = sshd_program()
    directory.mkdir(parents=True, exist_ok=True)
    key = make_key(directory / "login_key")
    for key_type in host_keys:
        make_key(directory / f"host_{key_type}", key_type)
    prefix = f"{authorized_options} " if authorized_options else ""
    (directory / "authorized_keys").write_text(prefix + key.with_suffix(".pub").read_text())
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(
            mode=0o755, exist_ok=True
        )  # the privilege separation directory Debian's sshd insists on
    for _ in range(5):
        port = free_port()
        server = _start([*within, program], directory, port, host_keys, options)
        if server is not None:
            break
    else:
        raise AssertionError(f"sshd does not start:\n{(directory / 'sshd.log').read_text()}")
    running = Sshd(directory, port, user or getpass.getuser(), key, directory / "sshd.log", server.pid)
    name = f"[127.0.0.1]:{port}"
    running.known_hosts.write_text("".join(f"{name} {running.public_key(kind)}\n" for kind in host_keys))
    try:
        yield running
    finally:
        if within:
            server.kill()  # unshare(1) ignores anything gentler
        else:
            server.terminate()
        server.wait(10)


def _start(
    program: Sequence[str], directory: Path, port: int, host_keys: Sequence[str], options: Sequence[str]
) -> "subprocess.Popen[bytes] | None":
    # sshd takes the first value it meets, so the test's own options come first.
    lines = [
        *options,
        f"Port {port}",
        *([] if any(option.startswith("ListenAddress") for option in options) else ["ListenAddress 127.0.0.1"]),
        *(f"HostKey {directory / f'host_{key_type}'}" for key_type in host_keys),
        f"AuthorizedKeysFile {directory / 'authorized_keys'}",
        "PidFile none",
        "LogLevel VERBOSE",
        "StrictModes no",
        "UsePAM no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin yes",
        "UseDNS no",
        f"SetEnv HOME={directory}",  # what the tester's own .bashrc does is no business of a test
    ]
    config = directory / "sshd_config"
    config.write_text("\n".join(lines) + "\n")
    log = directory / "sshd.log"
    server = subprocess.Popen([*program, "-D", "-f", str(config), "-E", str(log)], stdin=subprocess.DEVNULL)
    end = time.monotonic() + 10
    while time.monotonic() < end:
        if server.poll() is not None:
            return None
        if log.exists() and "Server listening on" in log.read_text():
            return server
        time.sleep(0.02)
    server.terminate()
    server.wait(10)
    return None
