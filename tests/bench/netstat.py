"""`netaudit netstat` of a host with very many connections: what travels, and what it costs host and controller.

    python -m tests.bench.netstat [connections]

As root; everything happens in namespaces of its own, with real connections over loopback. `ss` and netstat are timed
beside it. Nothing here is a test.
"""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

from auditor.cli.netstat_answer import Wish
from auditor.cli.netstat_host import list_tables, show_host
from auditor.collect import build_script
from auditor.model.host import Host
from auditor.model.origin import Origin
from auditor.model.transcript import Evidence, Transcript
from auditor.netstat.view import View
from tests.bench.large_host import SEALED, connect
from tests.collect.answers import NONCE, a_transcript

Result = TypeVar("Result")
VIEWS = {
    "-tan": View(all=True, unix=False, numeric_hosts=True, numeric_ports=True),
    "-tanp": View(all=True, unix=False, numeric_hosts=True, numeric_ports=True, programs=True),
}


def cost(work: Callable[[], Result]) -> tuple[Result, float, float]:
    """Return what `work` returns, and its processor time here and in its children, in seconds."""
    before = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    result = work()
    after = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own, children = (
        now.ru_utime + now.ru_stime - then.ru_utime - then.ru_stime for then, now in zip(before, after, strict=True)
    )
    return result, own, children


def ask(wish: Wish) -> Transcript:
    script = build_script(NONCE, owners=wish.owners, tables=list_tables(wish)).text
    done = subprocess.run(["sh", "-s"], input=script, capture_output=True, check=True)
    return a_transcript(done.stdout)


def run(words: list[str]) -> bytes:
    return subprocess.run(words, capture_output=True, check=True).stdout


def measure(connections: int) -> None:
    os.environ["SSH_CONNECTION"] = connect(connections, 10)
    print(f"{'':<16} {'bytes':>12} {'host CPU':>10} {'our CPU':>10} {'rows':>8}")
    for name, view in VIEWS.items():
        wish = Wish("sockets", view, owners=view.programs)
        transcript, _, there = cost(partial(ask, wish))
        host = Host(name="here", address="here", origin=Origin(file="bench", line=1))
        evidence = Evidence(host=host, outcome=transcript, finished_at=transcript.finished_at)
        shown, here, _ = cost(partial(show_host, evidence, wish))
        rows = sum(len(block.rows) for block in shown.blocks)
        print(f"netaudit {name:<7} {len(transcript.stdout):>12,} {there:>9.2f}s {here:>9.2f}s {rows:>8,}")
        for gap in shown.gaps:
            print(f"  not known: {gap.source}: {gap.reason}")
    for words in (["ss", "-tan"], ["netstat", "-tan"], ["netstat", "-tanp"]):
        output, _, there = cost(partial(run, words))
        lines = output.count(b"\n")
        print(f"{' '.join(words):<16} {len(output):>12,} {there:>9.2f}s {'':>10} {lines:>8,}")


def main() -> None:
    if os.environ.get("NETAUDIT_BENCH_INSIDE"):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        measure(int(sys.argv[1]))
        return
    began = time.perf_counter()
    arguments = sys.argv[1:] or ["10000"]  # each has two ends here: 20,000 rows
    command = [*SEALED, sys.executable, "-m", "tests.bench.netstat", *arguments]
    done = subprocess.run(command, env={**os.environ, "NETAUDIT_BENCH_INSIDE": "1"}, check=False)
    print(f"{time.perf_counter() - began:.1f} s in all")
    raise SystemExit(done.returncode)


if __name__ == "__main__":
    main()
