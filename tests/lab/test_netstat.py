"""`netaudit netstat` over SSH: what netstat says on each host, and which hosts could not be asked."""

import json

from tests.lab.fleet import LabFleet
from tests.lab.sockets import Wanted
from tests.netstat.host import normalise
from tests.requirements import require


def test_every_host_shows_what_netstat_shows_there(fleet: LabFleet) -> None:
    require("netstat")
    fleet.add("web-01", Wanted("tcp", "0.0.0.0", 8080), Wanted("udp", "0.0.0.0", 5353), Wanted("tcp", "::1", 631))
    fleet.add("web-02", Wanted("tcp", "127.0.0.1", 3306, uid=33))
    gone = fleet.add("web-03")
    gone.lab.close()
    shown = fleet.show("-tuln", "--timeout", "10")
    assert shown.code == 3
    assert "web-03: " in shown.stderr
    assert shown.last_line == "exit 3: 1 of 3 hosts not read"
    for name in ("web-01", "web-02"):
        own = [line.removeprefix(f"{name} ") for line in shown.stdout.splitlines() if line.startswith(name)]
        theirs = fleet.members[name].lab.run(["netstat", "-tuln"]).stdout.splitlines()
        assert sorted(own) == sorted(theirs[2:])
    wide = fleet.show("-rn", "--limit", "web-01")
    assert (wide.code, wide.stderr) == (0, "")
    theirs = fleet.members["web-01"].lab.run(["netstat", "-rn"]).stdout.splitlines()
    assert normalise(wide.stdout.splitlines()) == normalise(theirs)


def test_whose_processes_cannot_be_seen_without_root_is_said(fleet: LabFleet) -> None:
    fleet.add("web-01", Wanted("tcp", "0.0.0.0", 8080))
    shown = fleet.show("-tlnp")
    assert shown.code == 0
    assert "not all processes could be identified" in shown.stderr
    (row,) = (line for line in shown.stdout.splitlines() if ":8080 " in line)
    assert row.split()[-1] == "-"
    asked = fleet.show("--where", "process python*", "--json")
    assert asked.code == 3
    (host,) = json.loads(asked.stdout)["hosts"]
    assert (host["status"], [gap["source"] for gap in host["gaps"]]) == ("incomplete", ["owners"])
