"""How many seconds the audit of one host takes, from the first packet to the evidence, in a process that is warm.

python -m tests.bench.one_host INVENTORY [--no-owners]
"""

import sys
import time
from pathlib import Path

from auditor.audit import collect_host
from auditor.cli.clock import read_clock
from auditor.inventory import load_inventory
from auditor.model.transcript import Failure
from auditor.transport.ssh import SshTransport


def main() -> None:
    (host,) = load_inventory(Path(sys.argv[1])).hosts
    owners = "--no-owners" not in sys.argv
    with SshTransport(clock=read_clock) as transport:
        began = time.monotonic()
        evidence = collect_host(host, {"ssh": transport}, read_clock, owners=owners)
        spent = time.monotonic() - began
    if isinstance(evidence.outcome, Failure):
        sys.exit(f"{evidence.outcome.code}: {evidence.outcome.message}")
    print(f"seconds {spent:.4f} bytes {len(evidence.outcome.stdout)}")


if __name__ == "__main__":
    main()
