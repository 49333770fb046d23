"""All that is measured, in one run: `make bench`, or `make bench QUICK=1` for an impression in two minutes.

Runs in a network namespace of its own, in which nothing but loopback exists. Prints tables as Markdown, and writes the
figures to build/bench.json.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import fleet, link, offline, scale, start
from tests.bench.table import Row

ROOT = Path(__file__).resolve().parents[2]
Part = Callable[[Path], tuple[list[Row], str]]


def list_parts(quick: bool) -> dict[str, Part]:
    """Return what is measured, by name."""
    hosts, rounds = (20, 1) if quick else (100, 3)
    return {
        "start": lambda folder: start.measure(folder, 3 if quick else 9),
        "link": lambda folder: link.measure(folder, 3 if quick else 7),
        "offline": lambda folder: offline.measure(folder, 200 if quick else 10_000),
        "tools": lambda folder: fleet.measure(folder, hosts, rounds),
        "many": lambda folder: fleet.measure(folder, 30 if quick else 300, rounds, slow=False),
        "jump": lambda folder: fleet.measure_behind(folder, 30 if quick else 300, rounds),
        "fleet": lambda folder: fleet.measure_cheap(folder, 30 if quick else 1_000, rounds),
        "scale": lambda folder: scale.measure(folder, (10, 100) if quick else (10, 100, 1_000, 10_000)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", help="which parts (default: all)")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    _enter_namespace()
    figures: dict[str, object] = {"machine": _describe_machine(), "quick": arguments.quick}
    print(f"{figures['machine']}\n", flush=True)
    if os.getloadavg()[0] > 0.5:
        print("The machine is busy with something else: times are noise, ratios within a table a hint.\n", flush=True)
    for name, part in list_parts(arguments.quick).items():
        if arguments.parts and name not in arguments.parts:
            continue
        with tempfile.TemporaryDirectory(prefix="netaudit-bench-") as folder:
            rows, text = part(Path(folder))
        figures[name] = rows
        print(text, flush=True)
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(figures, indent=1) + "\n")
    print(f"figures: {target.relative_to(ROOT)}")


def _enter_namespace() -> None:
    """Start again where there is no network but loopback, and where the account's shell is sh without start files:
    what a login shell reads at its start (bash sources ~/.bashrc under sshd) can cost more than all else.

    No closed connection is remembered there (TIME_WAIT, tcp(7) tcp_max_tw_buckets): all hosts share one table here, and
    the thousands of connections a round leaves behind would be in the answer of every host of the next.
    """
    if os.geteuid() != 0:
        sys.exit("the benchmark makes namespaces and starts sshd: run it as root")
    if not os.environ.get("NETAUDIT_BENCH_INSIDE"):
        os.environ["NETAUDIT_BENCH_INSIDE"] = "1"
        command = ["unshare", "--net", "--mount", sys.executable, "-m", "tests.bench", *sys.argv[1:]]
        os.execvp(command[0], command)  # noqa: S606  # this very program, inside
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    Path("/proc/sys/net/ipv4/tcp_max_tw_buckets").write_text("0")
    accounts = ROOT / "build" / "passwd"
    accounts.parent.mkdir(exist_ok=True)
    accounts.write_text("root:x:0:0:root:/nonexistent:/bin/sh\nsshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n")
    subprocess.run(["mount", "--bind", accounts, "/etc/passwd"], check=True)


def _describe_machine() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    cores, load = len(os.sched_getaffinity(0)), os.getloadavg()[0]
    what = f"{cores} cores of {next(models, 'an unknown CPU')}, Linux {platform.release()}"
    python = f"Python {platform.python_version()} of {Path(sys.base_prefix, 'bin', 'python3')}"
    return f"{what}, {python}; load at the start {load:.1f}"


if __name__ == "__main__":
    main()
