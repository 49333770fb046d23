"""Hosts that only a jump host can reach: real sshds, in namespaces the controller has no route to."""

import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.lab.fleet import LabFleet, Outcome
from tests.lab.namespace import LabHost

COUNT = 50
INNER = tuple(f"10.78.0.{number}" for number in range(10, 10 + COUNT))


@pytest.fixture
def chain(fleet: LabFleet) -> LabFleet:
    """A controller, b1 on its cable, b2 behind that, and behind b2 a machine with fifty addresses: fifty hosts."""
    fleet.add("b1")
    fleet.add("b2", behind="b1", options={"jump": ["b1"]})
    inner = fleet.add("inner", behind="b2", options={"jump": ["b2"]}, addresses=("10.77.3.2/30", "10.78.0.1/24"))
    enter = ["ip", "address", "add"]
    for address in INNER:
        done = inner.lab.run([*enter, f"{address}/24", "dev", "eth0"])
        assert done.returncode == 0, done.stderr
    done = fleet.members["b2"].lab.run([*enter, "10.78.0.2/24", "dev", "cable3"])
    assert done.returncode == 0, done.stderr
    return fleet


def run(fleet: LabFleet, jump: list[str], *arguments: str) -> Outcome:
    """Audit the fifty hosts, and only them, through `jump`."""
    member = fleet.members["inner"]
    known = "".join(f"{address} {member.public_key}\n" for address in INNER)
    hosts = {f"inner-{address}": {"address": address, "jump": jump} for address in INNER}
    return fleet.run("-l", "inner-*", *arguments, more_hosts=hosts, more_known=known)


def connections(fleet: LabFleet, name: str) -> int:
    return fleet.members[name].log.read_text().count("Connection from ")


def test_fifty_hosts_through_two_jump_hosts(chain: LabFleet) -> None:
    """Neither can be avoided, and each sees one connection."""
    outcome = run(chain, ["b1", "b2"])
    assert Counter(host["status"] for host in outcome.report["hosts"]) == {"compliant": COUNT}, outcome.stderr
    assert (connections(chain, "b1"), connections(chain, "b2")) == (1, 1)
    assert connections(chain, "inner") == COUNT
    assert {host["facts"]["hostname"] for host in outcome.report["hosts"]} == {"inner"}


def test_one_jump_host_and_what_it_does_not_lead_to(chain: LabFleet) -> None:
    """b1 leads to b2, and cannot reach the hosts behind b2; straight, nothing is reached at all."""
    outcome = chain.run("-l", "b2", hosts=["b1", "b2"])
    assert outcome.host("b2")["status"] == "compliant"
    assert connections(chain, "b1") == 1
    beyond = run(chain, ["b1"])
    assert {host["error"]["code"] for host in beyond.report["hosts"]} <= {"jump-failed", "tcp-unreachable"}
    assert connections(chain, "b1") == 2
    straight = run(chain, [])
    assert {host["error"]["code"] for host in straight.report["hosts"]} == {"tcp-unreachable"}
    assert connections(chain, "inner") == 0


def test_jump_host_killed_in_mid_run(chain: LabFleet) -> None:
    """What was not done by then has one error, about the jump host."""
    killer = threading.Thread(target=kill_sshd, args=(chain.members["b1"].lab, chain.members["inner"].log))
    killer.start()
    outcome = run(chain, ["b1", "b2"], "-j", "4")
    killer.join()
    statuses = Counter(host["status"] for host in outcome.report["hosts"])
    assert statuses["compliant"] >= 5
    assert statuses["unreachable"] >= 20
    assert statuses["incomplete"] <= 4, "only what was in flight may have been cut off in the middle"
    errors = [host["error"] for host in outcome.report["hosts"] if host["error"]]
    assert {error["code"] for error in errors} == {"jump-failed"}
    assert len({error["message"] for error in errors}) <= 2
    assert connections(chain, "b1") == 1, "its reconnection is refused by the kernel: nothing listens any more"


def kill_sshd(lab: LabHost, log: Path) -> None:
    """Kill every sshd of a host once another host's log shows that the run is under way."""
    end = time.monotonic() + 60
    while log.read_text().count("Accepted publickey ") < 12 and time.monotonic() < end:
        time.sleep(0.01)
    lab.run(["kill", "-KILL", *lab.run(["pgrep", "sshd"]).stdout.split()])  # in its own process namespace
