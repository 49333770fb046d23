"""A host whose key is not known to be its own is unreachable, and nothing that could log in is ever sent to it."""

import pytest

from tests.lab.fleet import LabFleet
from tests.lab.sshd import make_key


def test_known_key_logs_in(fleet: LabFleet) -> None:
    """The twin of the tests below: with the right key the same count is not zero."""
    member = fleet.add("web-01")
    outcome = fleet.run()
    assert outcome.host("web-01")["status"] == "compliant"
    assert member.count_logins() > 0


@pytest.mark.parametrize("case", ["unknown", "mismatch", "revoked"])
def test_untrusted_key_stops_before_login(fleet: LabFleet, case: str) -> None:
    member = fleet.add("web-01")
    other = make_key(fleet.folder / "other")
    known = {"unknown": "", "mismatch": other, "revoked": f"@revoked {member.public_key}"}[case]
    outcome = fleet.run(known={"web-01": known})
    host = outcome.host("web-01")
    assert (host["status"], host["error"]["phase"], host["error"]["code"]) == (
        "unreachable",
        "hostkey",
        f"hostkey-{case}",
    )
    assert host["error"]["hint"]
    assert outcome.code == 3
    assert outcome.last_line == f"exit 3: 1 of 1 host not audited (1 hostkey-{case})"
    assert member.log.read_text(), "sshd noted nothing at all: the log proves nothing"
    assert member.count_logins() == 0


def test_one_untrusted_host_leaves_the_others_alone(fleet: LabFleet) -> None:
    fleet.add("web-01")
    fleet.add("web-02")
    outcome = fleet.run(known={"web-01": ""})
    assert [host["status"] for host in outcome.report["hosts"]] == ["unreachable", "compliant"]
