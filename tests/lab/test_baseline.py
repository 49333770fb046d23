"""A baseline of real hosts: policies a person would have written, which the hosts pass but for what is left out."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.lab.fleet import LabFleet, Outcome, lab_fleet
from tests.lab.namespace import ROOT
from tests.lab.sockets import Wanted

CHRONY = (Wanted("udp", "127.0.0.1", 323), Wanted("udp", "::1", 323))
WEB = (
    Wanted("tcp", "0.0.0.0", 443),
    Wanted("tcp", "::", 443, v6only=True),
    Wanted("tcp", "0.0.0.0", 80, copies=2),
    Wanted("udp", "0.0.0.0", 0, sendto=("127.0.0.1", 53)),
)

EXPECTED = {
    "base": """\
allow:
  - {id: ssh, service: ssh}  # 5 of 5 hosts
  - {id: chrony-command, service: chrony-command, bind: loopback}  # 5 of 5 hosts
""",
    "db": """\
applies_to:
  groups: [db]
raw_sockets: warn

allow:
  - {id: postgresql, service: postgresql, bind: [loopback, private]}  # 2 of 2 hosts
""",
    "web": """\
applies_to:
  groups: [web]
raw_sockets: warn

allow:
  - {id: http, service: http}  # 3 of 3 hosts
  - {id: https-tcp, service: https/tcp}  # 3 of 3 hosts
  - {id: node-exporter, service: node-exporter, bind: private}  # 3 of 3 hosts

# Seen on few of the 3 hosts, and left out:
#   http-alt at any: web-3
""",
}


@dataclass(frozen=True)
class Drawn:
    """The policies that were drawn up, and how the same hosts fare under them."""

    texts: dict[str, str]
    outcome: Outcome
    added: Outcome


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Drawn]:
    folder = tmp_path_factory.mktemp("baseline")
    with lab_fleet(folder) as fleet:
        fill(fleet)
        first = fleet.run()
        assert first.report, first.stderr
        command = [sys.executable, "-m", "auditor", "baseline", str(folder / "run-1/evidence.jsonl.gz"), "-o", "drawn"]
        subprocess.run(command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
        texts = {path.stem: path.read_text() for path in (folder / "drawn").glob("*.yaml")}
        outcome = fleet.run("-p", str(folder / "drawn"))
        fleet.add("web-4", *CHRONY, *WEB, Wanted("tcp", "0.0.0.0", 4444), groups=["prod", "web"])
        yield Drawn(texts, outcome, fleet.run("-p", str(folder / "drawn"), hosts=["web-4"]))


def fill(fleet: LabFleet) -> None:
    for number in (1, 2, 3):
        more = (Wanted("tcp", "0.0.0.0", 8080),) if number == 3 else ()
        metrics = Wanted("tcp", f"10.77.{number}.2", 9100)
        fleet.add(f"web-{number}", *CHRONY, *WEB, metrics, *more, groups=["prod", "web"])
    for number in (4, 5):
        places = (Wanted("tcp", f"10.77.{number}.2", 5432), Wanted("tcp", "127.0.0.1", 5432))
        fleet.add(f"db-{number}", *CHRONY, *places, groups=["prod", "db"])


@pytest.mark.parametrize("name", EXPECTED)
def test_a_person_could_have_written_it(drawn: Drawn, name: str) -> None:
    assert set(drawn.texts) == set(EXPECTED)
    assert drawn.texts[name].endswith(f"\n{EXPECTED[name]}")


def test_the_hosts_pass_but_for_what_was_left_out(drawn: Drawn) -> None:
    findings = {host["name"]: host["findings"] for host in drawn.outcome.report["hosts"]}
    assert [name for name, found in findings.items() if found] == ["web-3"]
    assert places(findings["web-3"]) == ["tcp 0.0.0.0:8080"]


def test_what_is_added_is_found(drawn: Drawn) -> None:
    assert places(drawn.added.host("web-4")["findings"]) == ["tcp 0.0.0.0:4444"]


def places(findings: list[dict[str, Any]]) -> list[str]:
    """Return what the findings are about, without the names that this machine's /etc/services has for the ports."""
    return [found["subject"].partition(" (")[0] for found in findings]
