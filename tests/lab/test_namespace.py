"""The laboratory itself: its hosts are apart from this machine, and end with the process that made them."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.lab.fleet import NEEDS, LabFleet
from tests.lab.namespace import ROOT
from tests.lab.sockets import Wanted
from tests.processes import is_alive
from tests.requirements import require

ABANDONED = """
import sys, time
from pathlib import Path
from tests.lab.fleet import NEEDS, LabFleet
with LabFleet(Path(sys.argv[1])) as fleet:
    member = fleet.add("web-01")
    print(fleet.controller.pid, member.lab.pid, flush=True)
    time.sleep(600)
"""


def test_a_host_is_apart_from_this_machine_and_from_the_others(fleet: LabFleet) -> None:
    one = fleet.add("web-01", Wanted("tcp", "0.0.0.0", 7))
    two = fleet.add("web-02")
    places = {
        Path(f"/proc/{pid}/ns/net").readlink() for pid in (os.getpid(), fleet.controller.pid, one.lab.pid, two.lab.pid)
    }
    assert len(places) == 4
    assert one.lab.run(["hostname"]).stdout == "web-01\n"
    assert ":7 " in one.lab.run(["ss", "-Hlnt"]).stdout
    assert ":7 " not in two.lab.run(["ss", "-Hlnt"]).stdout


def test_nothing_outlives_a_killed_test_run(tmp_path: Path) -> None:
    require(*NEEDS)
    command = [sys.executable, "-c", ABANDONED, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as run:
        assert run.stdout is not None
        pids = [int(word) for word in run.stdout.readline().split()]
        assert all(is_alive(pid) for pid in pids)
        run.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while any(is_alive(pid) for pid in pids):
        assert time.monotonic() < deadline, "the laboratory is still there"
        time.sleep(0.02)
