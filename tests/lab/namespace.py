"""Network namespaces for the laboratory: a controller's, and hosts joined to it by a cable of two virtual interfaces.

Every namespace belongs to one child process and to nothing else: no name, no mount, no interface outlives it, so a test
run that is killed leaves nothing behind. The audit runs in the controller's namespace, never in the machine's own.
"""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from tests.lab.init import Machine

ROOT = Path(__file__).resolve().parents[2]
_SEALED = ("--net", "--uts", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc")


class Controller:
    """The namespace the audit runs in: loopback and one interface per host, nothing else."""

    def __init__(self) -> None:
        command = ["unshare", "--net", "sh", "-c", "ip link set lo up && echo born && exec cat"]
        self._keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        _expect(self._keeper, "born")

    @property
    def pid(self) -> int:
        return self._keeper.pid

    def run(
        self, command: Sequence[str], *, env: Mapping[str, str] | None = None, timeout: float = 120.0, stdin: str = ""
    ) -> subprocess.CompletedProcess[str]:
        """Run `command` in this network namespace (the files are the machine's own) and return how it ended."""
        return _enter(self.pid, command, ("--net",), env=env, timeout=timeout, stdin=stdin)

    def close(self) -> None:
        _end(self._keeper)


class LabHost:
    """A host in namespaces of its own, with its own sshd and sockets; alive from `start` to `close`."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        command = ["unshare", *_SEALED, sys.executable, "-m", "tests.lab.init"]
        self._keeper = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT)
        _expect(self._keeper, "born")

    @property
    def pid(self) -> int:
        """The process whose network namespace is the host's."""
        return self._keeper.pid

    def join(self, other: "Controller | LabHost", interface: str, addresses: Sequence[str]) -> None:
        """Lay a cable: `interface` with `addresses` at the other end, the machine's own interface here."""
        peer = ["peer", "name", self.machine.interface, "netns", str(self.pid)]
        _ip(other, "link", "add", interface, "type", "veth", *peer)
        for address in addresses:
            plain = ["nodad"] if ":" in address else []
            _ip(other, "address", "add", address, "dev", interface, *plain)
        _ip(other, "link", "set", interface, "addrgenmode", "none", "up")

    def start(self) -> Self:
        """Boot the machine; returns when its sshd listens and every socket is open."""
        _write(self._keeper.stdin, self.machine.to_json() + "\n")
        _expect(self._keeper, "ready")
        return self

    def run(self, command: Sequence[str], timeout: float = 60.0) -> subprocess.CompletedProcess[str]:
        """Run `command` inside, seeing the host's own processes and /proc."""
        init = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()[0]
        return _enter(int(init), command, ("--net", "--uts", "--mount", "--pid"), timeout=timeout)

    def close(self) -> None:
        _end(self._keeper)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _ip(place: Controller | LabHost, *words: str) -> None:
    done = _enter(place.pid, ["ip", *words], ("--net",), timeout=60.0)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"


def _enter(
    pid: int,
    command: Sequence[str],
    namespaces: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    timeout: float,
    stdin: str = "",
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["nsenter", f"--target={pid}", *namespaces, "--", *command],
        input=stdin,
        capture_output=True,
        text=True,
        env={**os.environ, **(env or {})},
        timeout=timeout,
        check=False,
    )


def _expect(process: subprocess.Popen[str], word: str) -> None:
    line = process.stdout.readline().strip() if process.stdout else ""
    if line != word:
        _end(process)
        raise RuntimeError(f"{process.args!r} said {line!r} instead of {word!r}")


def _write(stream: IO[str] | None, text: str) -> None:
    assert stream is not None
    stream.write(text)
    stream.flush()


def _end(process: subprocess.Popen[str]) -> None:
    """End a keeper by closing its stdin, and by force when that does not do."""
    if process.stdin is not None:
        with suppress(BrokenPipeError):
            process.stdin.close()
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout is not None:
        process.stdout.close()
