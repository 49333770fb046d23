"""`python -m tests.cli.killing SITE ROUNDS SEED`: runs that are killed at random moments, and then gone on from.

Every run is a fork of this process, which has everything imported and no threads, so that a round takes a fraction of a
second. What a killed run left is copied to SITE/killed-N before another goes on from it. Prints a JSON line a round.
"""

import contextlib
import io
import json
import os
import random
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

ARGUMENTS = ("run", "inventory.yaml", "-j", "4")


def start(*arguments: str) -> int:
    """Start netaudit in a fork and return its pid."""
    pid = os.fork()
    if pid:
        return pid
    with Path(os.devnull).open("r+b", buffering=0) as nothing:
        for descriptor in range(3):
            os.dup2(nothing.fileno(), descriptor)
    from auditor.cli import app

    try:
        app([*ARGUMENTS, *arguments])
    except SystemExit as end:
        os._exit(end.code if isinstance(end.code, int) else 99)
    finally:
        os._exit(98)


def finish(pid: int) -> int:
    """Wait for a run to end; return its exit code, or minus the signal that ended it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def warm_up() -> float:
    """Run once here, so that everything is imported; return the seconds that a run then takes in a fork."""
    from auditor.cli import app

    with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
        app([*ARGUMENTS, "-q", "--output-dir", "here"])
    while threading.active_count() > 1:
        time.sleep(0.01)
    taken = []
    for name in ("whole", "again", "third"):
        began = time.monotonic()
        assert finish(start("--output-dir", name)) == 0
        taken.append(time.monotonic() - began)
    return sorted(taken)[1]


def kill_one(number: int, chance: random.Random, usual: float) -> dict[str, object]:
    """Kill a run, keep what it left, and go on from there.

    Two rounds of three wait until the hosts are being worked through, or are done: most of a run is over before that.
    """
    name = f"run-{number}"
    pid = start("--output-dir", name)
    awaited, share = ((None, 1.0), ("evidence.jsonl.gz.part", 0.25), ("evidence.jsonl.gz", 0.125))[number % 3]
    if awaited is not None:
        wait_for(Path(name) / awaited)
    time.sleep(chance.uniform(0.0, usual * share))
    os.kill(pid, signal.SIGKILL)
    ended = finish(pid)
    left = Path(f"killed-{number}")
    if Path(name).exists():
        shutil.copytree(name, left)
    evidence = any(left.glob("evidence.jsonl.gz*"))
    resumed = finish(start("--output-dir", name, *(["--resume", name] if evidence else [])))
    return {"round": number, "ended": ended, "evidence": evidence, "resumed": resumed}


def wait_for(path: Path) -> None:
    end = time.monotonic() + 10
    while not path.exists() and time.monotonic() < end:
        time.sleep(0.001)


def main() -> None:
    """Do all rounds."""
    site, rounds, seed = sys.argv[1:]
    os.chdir(site)
    usual = warm_up()
    chance = random.Random(int(seed))
    for number in range(int(rounds)):
        sys.stdout.write(json.dumps(kill_one(number, chance, usual)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
