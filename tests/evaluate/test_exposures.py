"""Ports that NAT or IPVS lead elsewhere: judged like listeners that the kernel holds."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.evaluate import evaluate
from auditor.model.facts import Exposure, HostFacts, System
from auditor.model.finding import Finding
from auditor.model.origin import Origin
from auditor.model.policy import Policy
from tests.builders import NOW, a_host, a_policy, a_policy_set, a_waiver, an_entry, some_facts
from tests.evaluate.strategies import policy_lists
from tests.parse.snapshots import parse


def an_exposure(port: int | None = 8080, **fields: Any) -> Exposure:
    values: dict[str, Any] = {
        "proto": "tcp",
        "family": "ipv4",
        "address": None,
        "target": "172.17.0.2:80",
        "source": "nftables",
        "raw": "tcp dport 8080 dnat to 172.17.0.2:80",
    }
    return Exposure(port=port, **{**values, **fields})


def findings(exposure: Exposure, *policies: Policy) -> tuple[Finding, ...]:
    return evaluate(a_host(), some_facts(exposures=(exposure,)), a_policy_set(*policies), NOW).findings


ALLOW = an_entry("shop", "8080/tcp")
TELNET = an_entry("telnet", "23/tcp", action="deny", severity="critical")


@pytest.mark.parametrize(("switch", "severities"), [("ignore", []), ("warn", ["info"]), ("deny", ["high"])])
def test_the_switch(switch: str, severities: list[str]) -> None:
    found = findings(an_exposure(), a_policy(exposures=switch), a_policy(name="other"))
    assert [finding.severity for finding in found] == severities
    for finding in found:
        assert (finding.rule, finding.subject) == ("unexpected-listener", "8080/tcp to 172.17.0.2:80 (nftables)")
        assert str(finding.origin) == "base.yaml:2"
        assert finding.message == (
            "8080/tcp leads to 172.17.0.2:80 without a socket, and no policy line allows all of it; "
            f"base has `exposures: {switch}`"
        )


@pytest.mark.parametrize("switch", ["ignore", "warn", "deny"])
def test_a_deny_speaks_always(switch: str) -> None:
    [finding] = findings(an_exposure(23), a_policy(TELNET, exposures=switch))
    assert (finding.rule, finding.severity) == ("forbidden-listener", "critical")
    assert finding.message.endswith("and base forbids 23/tcp (`telnet`)")
    assert str(finding.origin) == "base.yaml:7"


@pytest.mark.parametrize(
    ("entry", "exposure", "rule"),
    [
        (ALLOW, an_exposure(), None),
        (ALLOW, an_exposure(family=None), None),
        (ALLOW, an_exposure(8081), "unexpected-listener"),
        (ALLOW, an_exposure(proto="udp"), "unexpected-listener"),
        (ALLOW, an_exposure(proto="any"), "unexpected-listener"),
        (ALLOW, an_exposure(proto="icmp"), "unexpected-listener"),
        (ALLOW, an_exposure(8080, last_port=8081), "unexpected-listener"),
        (ALLOW, an_exposure(None), "unexpected-listener"),
        (an_entry("range", "8000-8100/tcp"), an_exposure(8000, last_port=8100), None),
        (an_entry("range", "8000-8100/tcp"), an_exposure(7999, last_port=8100), "unexpected-listener"),
        (an_entry("all", "1-65535/tcp"), an_exposure(None), None),
        (an_entry("inside", "8080/tcp", bind="private"), an_exposure(), "exposed-listener"),
        (an_entry("inside", "8080/tcp", bind="private"), an_exposure(address="10.0.0.5"), None),
        (an_entry("inside", "8080/tcp", bind="10.0.0.0/8"), an_exposure(address="203.0.113.5"), "exposed-listener"),
        (an_entry("inside", "8080/tcp", bind="10.0.0.0/8"), an_exposure(address="10.0.0.0/24"), "exposed-listener"),
        (an_entry("v6", "8080/tcp6"), an_exposure(), "unexpected-listener"),
        (an_entry("v4", "8080/tcp4"), an_exposure(family=None), "exposed-listener"),
        (an_entry("nginx", "8080/tcp", owner={"process": ("nginx",)}), an_exposure(), "wrong-owner"),
        (an_entry("kernel", "8080/tcp", owner={"classes": ("kernel",)}), an_exposure(), None),
    ],
)
def test_what_an_allow_accepts(entry: Any, exposure: Exposure, rule: str | None) -> None:
    found = findings(exposure, a_policy(entry, exposures="deny"))
    assert [finding.rule for finding in found] == ([rule] if rule else [])
    assert findings(exposure, a_policy(entry)) == ()


def test_a_range_over_a_denied_port_is_forbidden() -> None:
    [finding] = findings(an_exposure(None, proto="any"), a_policy(TELNET, an_entry("all", "1-65535/tcp")))
    assert (finding.rule, finding.subject) == ("forbidden-listener", "every port/any to 172.17.0.2:80 (nftables)")


def test_it_can_be_waived() -> None:
    policy = a_policy(exposures="deny", waivers=(a_waiver("w", "8080/tcp"),))
    [finding] = findings(an_exposure(), policy)
    assert finding.waived is not None
    [finding] = findings(an_exposure(8080, last_port=8090), policy)
    assert finding.waived is None


def test_a_host_cannot_make_itself_expensive() -> None:
    """It writes its own rules: thousands over every port, against a policy with many lines, are judged in part only."""
    policy = a_policy(*(an_entry(f"e{port}", f"{port}/tcp") for port in range(1000, 3000, 2)))
    many = tuple(an_exposure(None, address=f"10.0.{index // 250}.{index % 250}") for index in range(200))
    found = evaluate(a_host(), some_facts(exposures=many), a_policy_set(policy), NOW).findings
    judged = 20_000 // 2_001
    assert len(found) == 200 - judged
    assert {finding.rule for finding in found} == {"unexpected-listener"}
    assert found[0].message.endswith("and there are too many such rules for all to be judged")


RULES = b"+ begin iptables-save\n-A PREROUTING -p tcp -m tcp --dport 8888 -j REDIRECT --to-ports 80\n+ end %d\n"
ASKING = a_policy(exposures="deny", written={"exposures": Origin(file="base.yaml", line=4, column=1)})
TRUNCATED = "a program that tells of it, nft or iptables, is missing there, failed, or had more to say"
NOT_READ = "which ports NAT leads elsewhere was not read ({}), and `exposures: deny` (base.yaml:4) asks for it"


def judged(facts: HostFacts, *policies: Policy) -> list[tuple[str, str]]:
    found = evaluate(a_host(), facts, a_policy_set(*policies), NOW).findings
    return [(finding.rule, finding.message) for finding in found]


@pytest.mark.parametrize(
    ("nat", "why"),
    [
        (("denied", b""), "nat is denied"),
        (("error", b""), TRUNCATED),
        (b"", "connections are tracked there, but neither nft nor iptables tells of rules"),
        (b"+ begin nft\n+ end 1\n", TRUNCATED),
        (b"+ begin nft\n+ end 127\n+ begin iptables-nft-save\n+ end 0\n", TRUNCATED),
        (b"+ begin iptables-save\nno rule\n+ end 0\n", "nat has lines that were not understood"),
    ],
)
def test_nat_that_was_not_read_is_a_gap_where_a_policy_denies_what_is_unlisted(nat: Any, why: str) -> None:
    facts = parse(nat=nat)
    assert judged(facts, ASKING) == [("evidence-gap", NOT_READ.format(why))]
    for quiet in (a_policy(), a_policy(exposures="warn"), a_policy(exposures="ignore")):
        assert judged(facts, quiet) == []


def test_the_gap_names_every_policy_that_asks_and_the_next_step() -> None:
    others = a_policy(name="plain"), a_policy(name="web", exposures="deny")
    policies = a_policy_set(ASKING, *others)
    [gap] = evaluate(a_host(), parse(nat=("denied", b"")), policies, NOW).findings
    assert gap.message.endswith("and `exposures: deny` (base.yaml:4) and `exposures: deny` (web.yaml:2) ask for it")
    assert "root" in gap.remediation
    assert "`sudo: true`" in gap.remediation
    assert "leave `exposures` out" in gap.remediation


def test_what_was_read_of_rules_that_were_cut_is_judged_and_the_rest_a_gap() -> None:
    assert [rule for rule, _ in judged(parse(nat=RULES % 0), ASKING)] == ["unexpected-listener"]
    assert [rule for rule, _ in judged(parse(nat=RULES % 1), ASKING)] == ["evidence-gap", "unexpected-listener"]


def test_a_host_without_nat_has_no_gap() -> None:
    assert judged(parse(nat=("absent", b"")), ASKING) == []


def test_the_rules_of_another_namespace_say_nothing_of_the_host() -> None:
    facts = some_facts(system=System(collected_at=NOW, byte_order="little", reader_netns="other"))
    assert judged(facts, ASKING) == [("evidence-gap", NOT_READ.format("nat is another network namespace's"))]


V4 = an_exposure()
V6 = an_exposure(family="ipv6", target="[fd00::2]:80", raw="tcp dport 8080 dnat to [fd00::2]:80")
ONE_IS_WAIVED = a_policy(exposures="deny", waivers=(a_waiver("w-1", "8080/tcp4"),))


@pytest.mark.parametrize("seen", [(V4, V6), (V6, V4)])
def test_a_waiver_for_one_family_leaves_the_other_in_the_report(seen: tuple[Exposure, ...]) -> None:
    found = evaluate(a_host(), some_facts(exposures=seen), a_policy_set(ONE_IS_WAIVED), NOW).findings
    assert {(finding.subject, finding.waived is not None) for finding in found} == {
        ("8080/tcp to 172.17.0.2:80 (nftables)", True),
        ("8080/tcp over IPv6 to [fd00::2]:80 (nftables)", False),
    }
    assert len({finding.id for finding in found}) == 2


def test_a_place_is_known_by_the_same_id_whatever_appears_beside_it() -> None:
    [alone], [other] = findings(V4, ONE_IS_WAIVED), findings(V6, ONE_IS_WAIVED)
    both = evaluate(a_host(), some_facts(exposures=(V6, V4)), a_policy_set(ONE_IS_WAIVED), NOW).findings
    assert alone.id in {finding.id for finding in both}
    assert other.id == alone.id  # what is known by the place alone stays known by it


def test_the_targets_of_one_place_share_a_finding() -> None:
    seen = (an_exposure(target="10.0.0.9:80"), V4, an_exposure(raw="the same once more"))
    [finding] = evaluate(a_host(), some_facts(exposures=seen), a_policy_set(a_policy(exposures="deny")), NOW).findings
    assert finding.subject == "8080/tcp to 10.0.0.9:80 and 172.17.0.2:80 (nftables)"
    assert finding.id == findings(V4, a_policy(exposures="deny"))[0].id


EXPOSURES = st.builds(
    an_exposure,
    st.sampled_from([None, 1, 22, 443]),
    last_port=st.sampled_from([None, 500]),
    proto=st.sampled_from(["tcp", "udp", "any", "icmp", ""]),
    family=st.sampled_from(["ipv4", "ipv6", None]),
    address=st.one_of(st.none(), st.sampled_from(["10.0.0.5", "fd00::5", "10.0.0.0/8"]), st.text(max_size=5)),
)


@settings(max_examples=50)
@given(st.lists(EXPOSURES, max_size=4), policy_lists)
def test_any_rule_of_a_firewall_can_be_judged(seen: list[Exposure], policies: tuple[Policy, ...]) -> None:
    first = evaluate(a_host(), some_facts(exposures=tuple(seen)), a_policy_set(*policies), NOW)
    assert first == evaluate(a_host(), some_facts(exposures=tuple(reversed(seen))), a_policy_set(*policies), NOW)
