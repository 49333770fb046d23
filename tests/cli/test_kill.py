"""`kill -9` at any moment: every file is whole or not there, and `--resume` makes up for what was lost.

The number of moments is 50; KILL_ROUNDS asks for more.
"""

import json
import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from auditor.errors import EvidenceError
from auditor.reporters.json import load_report
from auditor.transport.evidence import TEMPORARY
from tests.cli.program import ROOT
from tests.cli.replays import list_hosts, make_fleet, strip_run

NAMES = [f"web-{number:02d}" for number in range(64)]
ROUNDS = int(os.environ.get("KILL_ROUNDS", "50"))


def kill_runs(site: Path, seed: int) -> list[dict[str, object]]:
    command = [sys.executable, "-m", "tests.cli.killing", str(site), str(ROUNDS), str(seed)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "SOURCE_DATE_EPOCH": "1767323045"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_kill_9_at_random_moments(tmp_path: Path) -> None:
    site = make_fleet(tmp_path, NAMES)
    seed = random.randrange(1 << 30)
    rounds = kill_runs(site, seed)
    left = [inspect(site / f"killed-{number}") for number in range(ROUNDS)]
    for one in rounds:
        folder = site / f"run-{one['round']}"
        assert one["resumed"] == 0, (seed, one)
        assert strip_run(folder / "report.json") == strip_run(site / "whole" / "report.json"), (seed, one)
        assert sorted(path.name for path in folder.iterdir()) == sorted(
            path.name for path in (site / "whole").iterdir()
        )
    assert enough_of_each(left), (seed, Counter(left))


def inspect(folder: Path) -> str:
    """Check every file that a killed run left; return how far it had come."""
    if not folder.exists():
        return "nothing"
    names = {path.name for path in folder.iterdir() if not path.name.startswith(TEMPORARY)}
    assert names <= {".netaudit.lock", "evidence.jsonl.gz", "evidence.jsonl.gz.part", "report.html", "report.json"}
    if "report.json" in names:
        assert len(load_report((folder / "report.json").read_bytes()).hosts) == len(NAMES)
    if "report.html" in names:
        assert (folder / "report.html").read_text().rstrip().endswith("</html>")
    if "evidence.jsonl.gz" in names:
        assert "evidence.jsonl.gz.part" not in names
        hosts, partial = list_hosts(folder / "evidence.jsonl.gz")
        assert (sorted(hosts), partial) == (NAMES, False)
        return "evidence whole"
    assert not {"report.json", "report.html"} & names
    return inspect_part(folder / "evidence.jsonl.gz.part") if "evidence.jsonl.gz.part" in names else "no evidence"


def inspect_part(path: Path) -> str:
    try:
        hosts, partial = list_hosts(path)
    except EvidenceError as error:
        assert "empty or cut off" in error.message  # noqa: PT017 - the one thing a file of no line may say
        return "no host"
    assert partial or sorted(hosts) == NAMES  # whole already, and killed before it got its name
    assert set(hosts) <= set(NAMES)
    return "some hosts" if 0 < len(hosts) < len(NAMES) else "all hosts" if hosts else "no host"


def enough_of_each(left: Sequence[str]) -> bool:
    """Return whether the moments were any good: several runs died over their hosts, and several over their reports."""
    counts = Counter(left)
    return counts["some hosts"] >= 3 and counts["evidence whole"] >= 1
