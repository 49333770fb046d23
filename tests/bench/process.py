"""A command in, what it took out: wall time, CPU and memory of everything it started."""

import contextlib
import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.processes import children_of

_SAMPLE_S = 0.5
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and CPU time, bytes of the largest process, and the most seen of all of them at the same time.

    `total` is sampled; what processes share counts once (proc(5), Pss). `code` is the exit code, `output` what it
    printed.
    """

    wall: float
    cpu: float
    memory: int
    total: int
    code: int
    output: str


def run(command: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None, seconds: float = 900) -> Cost:
    """Run a command and wait for all it started; its output is kept in a file of `folder`.

    It may keep bytecode, as a user's would, whatever holds for whoever measures: later runs are warm.
    """
    log = folder / "output.txt"
    with log.open("wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(
            ["timeout", str(seconds), *command], cwd=folder, env={**_let_keep_bytecode(os.environ), **(env or {})},
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
        scale = _Scale(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        total = scale.stop()
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(errors="replace")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, total, process.returncode, output)


def _let_keep_bytecode(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}


class _Scale:
    """Weighs a process and all its descendants, now and then."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._most = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._weigh)
        self._thread.start()

    def stop(self) -> int:
        """Return the most it weighed."""
        self._over.set()
        self._thread.join()
        return self._most

    def _weigh(self) -> None:
        while not self._over.wait(_SAMPLE_S):
            self._most = max(self._most, sum(map(_read_share, _list_tree(self._pid))))


def _list_tree(pid: int) -> list[int]:
    found = [pid]
    for parent in found:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            found += children_of(parent)
    return found


def _read_share(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def read_cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of all its children that have ended (proc(5), /proc/pid/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS
