"""How long it takes to begin: the help, and a run over one local host."""

from pathlib import Path
from statistics import median

from tests.bench.fleet import NETAUDIT, POLICY
from tests.bench.process import run
from tests.bench.table import Row, show


def measure(folder: Path, rounds: int) -> tuple[list[Row], str]:
    """Return a row per command."""
    (folder / "inventory.yaml").write_text("version: 1\nhosts:\n  here: {connection: local}\n")
    (folder / "bench.yaml").write_text(POLICY)
    audit = [NETAUDIT, "run", "inventory.yaml", "-p", "bench.yaml", "-q", "--output-dir", "out"]
    commands = {
        "netaudit --help": [NETAUDIT, "--help"],
        "netaudit run, one local host": audit,
        "netaudit run --no-owners, one local host": [*audit, "--no-owners"],
    }
    rows: list[Row] = []
    for name, command in commands.items():
        costs = [run(command, folder) for _ in range(rounds + 1)][1:]
        rows.append({"command": name, "wall s": median(c.wall for c in costs), "CPU s": median(c.cpu for c in costs)})
    note = f"Warm: medians of {rounds}, after a run that left its bytecode. CPU with that of the probe."
    return rows, show("Start-up", rows, note)
