"""Every exit code from a real run, and the last line on standard error that says why."""

import pytest

from tests.lab.fleet import LabFleet
from tests.lab.sockets import Wanted

DENY_TELNET = """\
version: 1
policy: no-telnet
default: ignore
deny:
  - {id: telnet, port: 23/tcp, severity: critical, reason: clear-text login}
"""


def test_0_when_everything_is_audited_and_allowed(fleet: LabFleet) -> None:
    fleet.add("web-01")
    outcome = fleet.run()
    assert (outcome.code, outcome.report["verdict"]) == (0, "pass")
    assert outcome.last_line == "exit 0: 1 of 1 host audited, nothing at or above low"


def test_1_when_a_policy_is_broken(fleet: LabFleet) -> None:
    fleet.write_policy("no-telnet", DENY_TELNET)
    fleet.add("web-01", Wanted("tcp", "0.0.0.0", 23))
    fleet.add("web-02")
    outcome = fleet.run()
    assert (outcome.code, outcome.report["verdict"]) == (1, "fail")
    assert outcome.last_line == "exit 1: 1 finding at or above low on 1 host (1 critical)"
    assert [host["status"] for host in outcome.report["hosts"]] == ["violating", "compliant"]


@pytest.mark.parametrize("broken", ["policy", "inventory", "flag"])
def test_2_when_the_question_is_wrong_and_no_host_is_contacted(fleet: LabFleet, broken: str) -> None:
    member = fleet.add("web-01", options={"prot": 22} if broken == "inventory" else {})
    before = member.log.read_text()
    if broken == "policy":
        fleet.write_policy("broken", "version: 1\npolicy: broken\nallow:\n  - {id: web, port: 22:22}\n")
    outcome = fleet.run(*(["--fail-on", "terrible"] if broken == "flag" else []))
    assert (outcome.code, outcome.report) == (2, {})
    assert member.log.read_text() == before
    if broken != "flag":
        assert outcome.last_line.startswith("exit 2: ")
        assert outcome.last_line.endswith("no host was contacted")


def test_3_when_a_host_does_not_answer(fleet: LabFleet) -> None:
    fleet.add("web-01")
    fleet.add("web-02", options={"port": 2222})
    outcome = fleet.run()
    assert (outcome.code, outcome.report["verdict"]) == (3, "incomplete")
    assert outcome.last_line == "exit 3: 1 of 2 hosts not audited (1 tcp-refused)"


def test_3_when_no_policy_covers_a_host(fleet: LabFleet) -> None:
    fleet.write_policy(
        "anything", "version: 1\npolicy: web\napplies_to: {groups: [web]}\nallow:\n  - {id: ssh, port: 22/tcp}\n"
    )
    fleet.add("web-01", groups=["web"])
    fleet.add("odd-01", groups=["odd"])
    outcome = fleet.run()
    assert outcome.code == 3
    assert [(host["name"], host["status"]) for host in outcome.report["hosts"]] == [
        ("odd-01", "incomplete"),
        ("web-01", "compliant"),
    ]


def test_4_when_the_limit_leaves_no_host(fleet: LabFleet) -> None:
    member = fleet.add("web-01")
    before = member.log.read_text()
    outcome = fleet.run("--limit", "db-*")
    assert (outcome.code, outcome.report) == (4, {})
    assert outcome.last_line.startswith("exit 4: ")
    assert member.log.read_text() == before


def test_a_finding_outranks_a_host_that_does_not_answer(fleet: LabFleet) -> None:
    fleet.write_policy("no-telnet", DENY_TELNET)
    fleet.add("web-01", Wanted("tcp", "0.0.0.0", 23))
    fleet.add("web-02", options={"port": 2222})
    outcome = fleet.run()
    assert outcome.code == 1
    assert "1 of 2 hosts not audited (1 tcp-refused)" in outcome.last_line
