"""A command in, what it took out: wall time, CPU and memory of everything it started."""

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and CPU time, bytes of the largest process; `code` is the exit code, `output` what it printed."""

    wall: float
    cpu: float
    memory: int
    code: int
    output: str


def run(command: Sequence[str], folder: Path, *, env: Mapping[str, str] | None = None, seconds: float = 900) -> Cost:
    """Run a command and wait for all it started; its output is kept in a file of `folder`."""
    log = folder / "output.txt"
    with log.open("wb") as file:
        began = time.monotonic()
        process = subprocess.Popen(
            ["timeout", str(seconds), *command], cwd=folder, env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT,
        )  # fmt: skip
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    output = log.read_text(errors="replace")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, process.returncode, output)


def read_cpu(pid: int) -> float:
    """Return the CPU seconds of a process and of all its children that have ended (proc(5), /proc/pid/stat)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS
