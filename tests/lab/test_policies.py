"""The shipped policies on real hosts: for each, one host it passes and one it does not."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.fleet import LabFleet, Outcome, lab_fleet
from tests.lab.namespace import ROOT
from tests.lab.sockets import Wanted

SHIPPED = sorted((ROOT / "policies").glob("*.yaml"))
LOCAL = Wanted("udp", "127.0.0.1", 323)
DNS = (Wanted("udp", "0.0.0.0", 53), Wanted("tcp", "0.0.0.0", 53))
KUBELET = Wanted("tcp", "::", 10250)

FLEET: dict[str, tuple[str, tuple[Wanted, ...]]] = {
    "plain-good": ("", (LOCAL, Wanted("udp", "127.0.0.53", 53), Wanted("udp", "0.0.0.0", 68))),
    "plain-bad": ("", (LOCAL, Wanted("tcp", "0.0.0.0", 23))),
    "bastion-good": ("bastion", (LOCAL,)),
    "bastion-bad": ("bastion", (Wanted("tcp", "0.0.0.0", 3128),)),
    "db-good": ("db", (Wanted("tcp", "10.77.5.2", 5432), Wanted("tcp", "127.0.0.1", 3306))),
    "db-bad": ("db", (Wanted("tcp", "0.0.0.0", 5432),)),
    "web-good": ("web", (Wanted("tcp", "::", 80), Wanted("tcp", "::", 443), Wanted("tcp", "10.77.7.2", 9100))),
    "web-bad": ("web", (Wanted("tcp", "0.0.0.0", 80), Wanted("tcp", "0.0.0.0", 9100))),
    "containers-good": ("containers", (LOCAL, Wanted("tcp", "0.0.0.0", 443), Wanted("tcp", "10.77.9.2", 2376))),
    "containers-bad": ("containers", (LOCAL, Wanted("tcp", "0.0.0.0", 2376))),
    "dns-good": ("dns", (*DNS, Wanted("tcp", "127.0.0.1", 953))),
    "dns-bad": ("dns", (*DNS, Wanted("udp", "0.0.0.0", 5353))),
    "kubernetes-good": ("kubernetes", (KUBELET, Wanted("tcp", "10.77.13.2", 2379), Wanted("udp", "0.0.0.0", 8472))),
    "kubernetes-bad": ("kubernetes", (KUBELET, Wanted("tcp", "::", 10255), Wanted("tcp", "0.0.0.0", 10259))),
    "mail-good": ("mail", (Wanted("tcp", "::", 25), Wanted("tcp", "::", 993), Wanted("tcp", "127.0.0.1", 11332))),
    "mail-bad": ("mail", (Wanted("tcp", "0.0.0.0", 143),)),
}
"""Host: its group, its sockets beside sshd's."""

BROKEN = {
    "plain-bad": ("base", {("forbidden-listener", "critical")}),
    "bastion-bad": ("bastion", {("unexpected-listener", "critical")}),
    "db-bad": ("database", {("exposed-listener", "critical")}),
    "containers-bad": ("container-host", {("exposed-listener", "critical")}),
    "dns-bad": ("dns", {("forbidden-listener", "low")}),
    "kubernetes-bad": ("kubernetes-node", {("forbidden-listener", "critical"), ("exposed-listener", "high")}),
    "mail-bad": ("mail", {("forbidden-listener", "medium"), ("missing-listener", "high")}),
    "web-bad": ("web", {("exposed-listener", "high"), ("missing-listener", "high")}),
}
"""Host: the policy it breaks, the rules and severities that say so."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    with lab_fleet(tmp_path_factory.mktemp("fleet")) as fleet:
        fill(fleet)
        yield fleet.run("-p", str(ROOT / "policies"))


def fill(fleet: LabFleet) -> None:
    for name, (group, sockets) in FLEET.items():
        fleet.add(name, *sockets, groups=[group] if group else [])


def test_every_shipped_policy_has_a_host_that_breaks_it(outcome: Outcome) -> None:
    assert {policy for policy, _ in BROKEN.values()} == {path.stem for path in SHIPPED}
    assert {policy["name"] for policy in outcome.report["run"]["policies"]} == {path.stem for path in SHIPPED}


@pytest.mark.parametrize("name", [name for name in FLEET if name.endswith("-good")])
def test_a_good_host_passes(outcome: Outcome, name: str) -> None:
    host = outcome.host(name)
    assert (host["status"], host["findings"]) == ("compliant", [])
    assert "base" in host["policies"]


@pytest.mark.parametrize("name", BROKEN)
def test_a_bad_host_fails_at_the_policys_own_line(outcome: Outcome, name: str) -> None:
    policy, expected = BROKEN[name]
    host = outcome.host(name)
    assert host["status"] == "violating"
    assert policy in host["policies"]
    assert {(finding["rule"], finding["severity"]) for finding in host["findings"]} == expected
    assert {Path(finding["origin"]["file"]).stem for finding in host["findings"]} == {policy}


def test_the_run_fails(outcome: Outcome) -> None:
    assert (outcome.code, outcome.report["verdict"]) == (1, "fail")
