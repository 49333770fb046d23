"""What is decided on a host: who wins, what becomes a finding, how bad it is, and which line says so."""

from typing import Any

import pytest

from auditor.evaluate import evaluate
from auditor.model.facts import Coverage, CoverageStatus, Gap, HostFacts, Listener
from auditor.model.finding import Finding
from auditor.model.origin import Origin
from auditor.model.policy import Default, Policy, Selector, Severity
from auditor.model.report import Decision, Judgement
from tests.builders import NOW, a_host, a_listener, a_policy, a_policy_set, an_entry, some_facts

HTTPS = an_entry("https", "443/tcp", service="https")
WIDE = " (no policy that is for fewer applies here):"
TELNET = an_entry("telnet", "23/tcp", action="deny", service="telnet", severity="critical", reason="clear text")


def judge(facts: HostFacts | Listener, *policies: Policy) -> Judgement:
    seen = some_facts(facts) if isinstance(facts, Listener) else facts
    return evaluate(a_host(), seen, a_policy_set(*policies), NOW)


def summary(findings: tuple[Finding, ...]) -> list[tuple[str, str, str]]:
    return [(finding.severity, finding.rule, finding.subject) for finding in findings]


def test_a_listener_that_is_allowed() -> None:
    judgement = judge(a_listener("0.0.0.0", 443), a_policy(HTTPS))
    assert judgement.policies == ("base",)
    assert judgement.findings == ()
    assert judgement.listeners[0].verdict == "allowed"
    assert judgement.listeners[0].decided_by == Decision(policy="base", entry="https", file="base.yaml", line=7)


def test_one_policy_that_allows_is_enough() -> None:
    judgement = judge(a_listener("0.0.0.0", 443), a_policy(name="strict"), a_policy(HTTPS, name="web"))
    assert judgement.findings == ()


def test_a_deny_wins_over_every_allow() -> None:
    allowing = a_policy(an_entry("all", "1-65535/tcp"), name="a")
    judgement = judge(a_listener("0.0.0.0", 23), allowing, a_policy(TELNET, name="b", controls=("CIS-2.1",)))
    [finding] = judgement.findings
    assert summary(judgement.findings) == [("critical", "forbidden-listener", "tcp 0.0.0.0:23")]
    assert finding.message == "b forbids telnet (23/tcp): clear text"
    assert finding.controls == ("CIS-2.1",)
    assert str(finding.origin) == "base.yaml:7"
    assert judgement.listeners[0].verdict == "denied"
    assert judgement.listeners[0].decided_by == Decision(policy="b", entry="telnet", file="base.yaml", line=7)


def test_of_several_denies_the_worst_speaks() -> None:
    mild = an_entry("mild", "1-100/tcp", action="deny", severity="low")
    [finding] = judge(a_listener("0.0.0.0", 23), a_policy(mild, TELNET)).findings
    assert finding.severity == "critical"


def test_an_entry_without_a_severity_has_its_policys() -> None:
    plain = an_entry("x", "23/tcp", action="deny")
    [finding] = judge(a_listener("0.0.0.0", 23), a_policy(plain, severity="medium")).findings
    assert finding.severity == "medium"


def test_the_text_of_the_policy_is_kept() -> None:
    entry = an_entry("t", "23/tcp", action="deny", remediation="disable telnet.socket", controls=("A", "B"))
    [finding] = judge(a_listener("0.0.0.0", 23), a_policy(entry, controls=("B", "C"))).findings
    assert finding.remediation == "disable telnet.socket"
    assert finding.controls == ("A", "B", "C")


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ("0.0.0.0", "found on 0.0.0.0"),
        ("::", "found on :: (:: may take IPv4 too)"),
        ("203.0.113.5", "found on 203.0.113.5"),
    ],
)
def test_a_bind_that_is_wider_than_allowed_is_exposed(address: str, found: str) -> None:
    entry = an_entry("metrics", "9100/tcp", bind="loopback,10.0.0.0/8", severity="low")
    judgement = judge(a_listener(address, 9100), a_policy(entry))
    [finding] = judgement.findings
    assert (finding.rule, finding.severity) == ("exposed-listener", "low")
    assert finding.message == f"9100/tcp is allowed on loopback or 10.0.0.0/8, {found}"
    assert judgement.listeners[0].verdict == "unexpected"
    assert judgement.listeners[0].decided_by == Decision(policy="base", entry="metrics", file="base.yaml", line=7)


def test_a_pinned_family_is_said_in_words() -> None:
    pinned = an_entry("https6", "443/tcp6")
    [finding] = judge(a_listener("::", 443, dual_stack="unknown"), a_policy(pinned)).findings
    assert finding.message == "443/tcp is allowed on IPv6 only, found on :: (:: may take IPv4 too)"
    assert judge(a_listener("::", 443, dual_stack="no"), a_policy(pinned)).findings == ()
    [finding] = judge(a_listener("0.0.0.0", 443), a_policy(pinned)).findings
    assert finding.rule == "unexpected-listener"


def test_two_lines_that_fit_in_part_do_not_fit_together() -> None:
    first = an_entry("a", "443/tcp4")
    second = an_entry("b", "443/tcp6", severity="critical")
    [finding] = judge(a_listener("::", 443), a_policy(first, second)).findings
    assert (finding.rule, finding.severity) == ("exposed-listener", "critical")
    assert "allowed on IPv4 only or IPv6 only" in finding.message


@pytest.mark.parametrize(
    ("default", "verdict", "findings"),
    [
        ("deny", "unexpected", [("medium", "unexpected-listener", "tcp 0.0.0.0:9100")]),
        ("warn", "unexpected", [("info", "unexpected-listener", "tcp 0.0.0.0:9100")]),
        ("ignore", "ignored", []),
    ],
)
def test_what_no_line_names_is_for_the_default(
    default: Default, verdict: str, findings: list[tuple[str, str, str]]
) -> None:
    judgement = judge(a_listener("0.0.0.0", 9100), a_policy(default=default, severity="medium"))
    assert summary(judgement.findings) == findings
    assert judgement.listeners[0].verdict == verdict
    assert judgement.listeners[0].decided_by == Decision(policy="base", entry=None, file="base.yaml", line=2)


@pytest.mark.parametrize(
    ("switch", "listener"),
    [
        ("default", a_listener("0.0.0.0", 9100)),
        ("ephemeral_udp", a_listener("0.0.0.0", 40000, proto="udp", kind="ephemeral-udp")),
        ("raw_sockets", a_listener("0.0.0.0", 1, proto="raw")),
    ],
)
def test_a_finding_by_default_points_to_the_line_of_its_switch(switch: str, listener: Listener) -> None:
    """Where it is not written, to the policy; and that is still the same finding."""
    plain = judge(listener, a_policy().model_copy(update={switch: "deny"}))
    written = {switch: Origin(file="base.yaml", line=9, column=3)}
    judgement = judge(listener, a_policy().model_copy(update={switch: "deny", "written": written}))
    assert str(judgement.findings[0].origin) == "base.yaml:9"
    assert judgement.listeners[0].decided_by == Decision(policy="base", entry=None, file="base.yaml", line=9)
    assert str(plain.findings[0].origin) == "base.yaml:2"
    assert plain.findings[0].id == judgement.findings[0].id


def test_the_strictest_default_holds_and_of_equal_ones_the_worst_severity() -> None:
    policies = (
        a_policy(name="a", default="ignore", severity="critical"),
        a_policy(name="b", default="deny", severity="low"),
        a_policy(name="c", default="deny", severity="medium"),
        a_policy(name="d", default="warn", severity="critical"),
    )
    judgement = judge(a_listener("0.0.0.0", 9100), *policies)
    [finding] = judgement.findings
    assert finding.severity == "medium"
    assert (
        finding.message
        == "no policy line allows 9100/tcp, and c has `default: deny`, which holds where none is written"
    )
    assert str(finding.origin) == "c.yaml:2"


@pytest.mark.parametrize(
    ("listeners", "bind"),
    [
        ([("0.0.0.0", "yes"), ("::", "no")], "any"),
        ([("127.0.0.1", None), ("::1", None)], "loopback"),
        ([("10.0.0.5", None)], "[10.0.0.5]"),
        ([("fd00::5", None), ("10.0.0.5", None), ("10.0.0.12", None)], '[10.0.0.5, 10.0.0.12, "fd00::5"]'),
    ],
)
def test_the_line_to_paste_accepts_what_was_found(listeners: list[tuple[str, str | None]], bind: str) -> None:
    facts = some_facts(*(a_listener(address, 9100, dual_stack=dual) for address, dual in listeners))
    [finding] = judge(facts, a_policy()).findings
    prose, entry = finding.remediation.split("\n")
    assert prose.startswith("Stop the service; or, if it belongs there, add this under `allow:` in base.yaml, which ")
    scope = {"any": "", "loopback": "-loopback"}.get(bind, "-private")
    assert entry == f"  - {{id: tcp-9100{scope}, port: 9100/tcp, bind: {bind}, reason: say who needs it}}"


@pytest.mark.parametrize(
    ("applying", "home"),
    [
        ([{}], f"base.yaml, which holds for every host{WIDE}"),
        (
            [{}, {"excluded": Selector(groups=("edge",), hosts=("lab-*",))}],
            f"b.yaml, which holds for every host, except hosts named lab-* or of group edge{WIDE}",
        ),
        ([{}, {"applies_to": Selector(groups=("web",))}], "b.yaml, which holds for hosts of group web:"),
        (
            [{}, {"applies_to": Selector(groups=("web",))}, {"applies_to": Selector(hosts=("w*",), labels={"a": "1"})}],
            "c.yaml, which holds for hosts named w* and with label a=1:",
        ),
    ],
)
def test_the_line_to_paste_goes_where_it_holds_for_the_fewest(applying: list[dict[str, Any]], home: str) -> None:
    policies = [a_policy(name=name, **fields) for name, fields in zip(("base", "b", "c"), applying, strict=False)]
    host = a_host("web-01", groups=("web",), labels={"a": "1"})
    found = evaluate(host, some_facts(a_listener(port=9100)), a_policy_set(*policies), NOW).findings
    assert found[0].remediation.split("\n")[0].endswith(f"add this under `allow:` in {home}")


@pytest.mark.parametrize(
    ("status", "step"),
    [("empty", "It could be read, and held nothing"), ("malformed", "Audit it again"), ("denied", "Make it readable")],
)
def test_a_gap_names_its_table_and_asks_for_nothing_that_is_already_so(status: CoverageStatus, step: str) -> None:
    gap = Gap(source="udp", reason="this table is not whole")
    facts = some_facts(gaps=(gap,), coverage=(Coverage(source="udp", status=status),))
    [finding] = judge(facts, a_policy()).findings
    assert (finding.subject, finding.message) == ("udp", "/proc/net/udp: this table is not whole")
    assert finding.remediation.startswith(step)


def test_thousands_of_addresses_on_one_port_are_counted() -> None:
    facts = some_facts(*(a_listener(f"10.0.{index // 250}.{index % 250}", 9100) for index in range(1, 1001)))
    [finding] = judge(facts, a_policy()).findings
    assert finding.subject.startswith("tcp 10.0.0.1:9100, 10.0.0.2:9100, ")
    assert finding.subject.endswith(", 10.0.0.20:9100 and 980 more")
    assert "bind: private," in finding.remediation


@pytest.mark.parametrize(
    ("switch", "expected"),
    [
        ("ignore", []),
        ("warn", [("info", "unexpected-listener", "udp 0.0.0.0:40000")]),
        ("deny", [("high", "unexpected-listener", "udp 0.0.0.0:40000")]),
    ],
)
def test_an_ephemeral_udp_port_has_its_own_switch(switch: Default, expected: list[tuple[str, str, str]]) -> None:
    client = a_listener("0.0.0.0", 40000, proto="udp", kind="ephemeral-udp")
    judgement = judge(client, a_policy(default="deny", ephemeral_udp=switch))
    assert summary(judgement.findings) == expected
    assert judgement.listeners[0].verdict == ("unexpected" if expected else "ignored")


def test_the_strictest_ephemeral_switch_holds() -> None:
    client = a_listener("0.0.0.0", 40000, proto="udp", kind="ephemeral-udp")
    [finding] = judge(client, a_policy(name="a"), a_policy(name="b", ephemeral_udp="deny")).findings
    assert finding.message == "no policy line allows 40000/udp, and b has `ephemeral_udp: deny`"


def test_a_line_for_the_port_wins_over_the_ephemeral_switch() -> None:
    client = a_listener("0.0.0.0", 40000, proto="udp", kind="ephemeral-udp")
    denied = a_policy(an_entry("x", "40000/udp", action="deny"))
    allowed = a_policy(an_entry("x", "40000/udp"), ephemeral_udp="deny")
    assert [finding.rule for finding in judge(client, denied).findings] == ["forbidden-listener"]
    assert judge(client, allowed).findings == ()
    assert judge(client, allowed).listeners[0].verdict == "allowed"


def test_raw_and_packet_sockets_are_judged_by_lines_alone() -> None:
    sniffer = Listener(proto="packet", family=None, address="*", port=3, scope="wildcard", raw="row")
    assert judge(sniffer, a_policy()).listeners[0].verdict == "ignored"
    denied = a_policy(an_entry("sniffers", "3/packet", action="deny"))
    assert [finding.rule for finding in judge(sniffer, denied).findings] == ["forbidden-listener"]


SNIFFER = Listener(proto="packet", family=None, address="*", port=3, scope="wildcard", raw="row")
PING = Listener(proto="raw", family="ipv4", address="0.0.0.0", port=1, scope="wildcard", raw="row")


@pytest.mark.parametrize("socket", [SNIFFER, PING])
@pytest.mark.parametrize(
    ("switch", "findings"),
    [("ignore", []), ("warn", [("info", "unexpected-listener")]), ("deny", [("high", "unexpected-listener")])],
)
def test_raw_and_packet_sockets_have_their_own_switch(
    socket: Listener, switch: Default, findings: list[tuple[str, str]]
) -> None:
    judgement = judge(socket, a_policy(raw_sockets=switch), a_policy(name="other", default="deny"))
    assert [(one.severity, one.rule) for one in judgement.findings] == findings
    assert judgement.listeners[0].verdict == ("unexpected" if findings else "ignored")
    if findings:
        assert judgement.findings[0].message.endswith(f", and base has `raw_sockets: {switch}`")
    allowed = a_policy(an_entry("lldpd", "3/packet"), an_entry("vrrp", "1/raw"), raw_sockets=switch)
    assert judge(socket, allowed).findings == ()


@pytest.mark.parametrize("proto", ["sctp", "udplite"])
def test_every_protocol_has_its_own_lines(proto: str) -> None:
    listener = a_listener(port=2905, proto=proto)
    assert judge(listener, a_policy(an_entry("own", f"2905/{proto}"))).findings == ()
    [finding] = judge(listener, a_policy(an_entry("other", "2905/tcp"))).findings
    assert finding.rule == "unexpected-listener"


@pytest.mark.parametrize(
    ("port", "proto", "nearest"),
    [
        (53, "tcp", "dns"),  # the same number, another protocol
        (8453, "tcp", "alt"),  # ten off
        (8454, "tcp", None),
        (8433, "tcp", "alt"),
        (8432, "tcp", None),
        (8110, "tcp", "range"),  # ten behind the end of the range
        (8111, "tcp", None),
        (2379, "tcp", "boxed"),  # the port itself, in other namespaces
    ],
)
def test_the_line_that_comes_nearest_is_named(port: int, proto: str, nearest: str | None) -> None:
    policy = a_policy(
        an_entry("dns", "53/udp"),
        an_entry("alt", "8443/tcp"),
        an_entry("range", "8000-8100/tcp"),
        an_entry("boxed", "2379/tcp", netns="containers"),
    )
    [finding] = judge(a_listener(port=port, proto=proto), policy).findings
    assert finding.rule == "unexpected-listener"
    assert (f"(the nearest is `{nearest}`, " in finding.message) is (nearest is not None)
    assert ("the nearest" in finding.message) is (nearest is not None)


def test_raw_sockets_have_no_numbers_that_are_near() -> None:
    lines = a_policy(an_entry("vrrp", "112/raw"), an_entry("tcp-1", "1/tcp"), raw_sockets="deny")
    assert "nearest" not in judge(PING, lines).findings[0].message


def test_what_is_in_another_namespace_needs_a_line_for_it() -> None:
    inside = a_listener(port=443, netns="net:[4026532281]")
    [finding] = judge(inside, a_policy(HTTPS)).findings
    assert finding.rule == "unexpected-listener"
    assert "(the nearest is `https`, 443/tcp in the host's own network namespace: base.yaml:7)" in finding.message
    assert "port: 443/tcp, netns: containers, bind: any" in finding.remediation
    assert judge(inside, a_policy(an_entry("x", "443/tcp", netns="containers"))).findings == ()


def test_the_rows_of_one_service_are_one_finding_and_two_listeners() -> None:
    facts = some_facts(a_listener("::", 23, service="telnet"), a_listener("0.0.0.0", 23, service="telnet"))
    judgement = judge(facts, a_policy(TELNET))
    assert summary(judgement.findings) == [
        ("critical", "forbidden-listener", "tcp 0.0.0.0:23 and [::]:23 (telnet)"),
    ]
    assert [listener.verdict for listener in judgement.listeners] == ["denied", "denied"]


def test_other_scopes_and_namespaces_are_other_findings() -> None:
    facts = some_facts(
        a_listener("0.0.0.0", 23),
        a_listener("127.0.0.1", 23),
        a_listener("0.0.0.0", 23, netns="4026532281"),
    )
    everywhere = TELNET.model_copy(update={"netns": "any"})
    findings = judge(facts, a_policy(everywhere)).findings
    assert [finding.subject for finding in findings] == [
        "tcp 0.0.0.0:23",
        "tcp 0.0.0.0:23 in netns 4026532281",
        "tcp 127.0.0.1:23",
    ]
    assert len({finding.id for finding in findings}) == 3


def test_listeners_are_sorted() -> None:
    facts = some_facts(
        a_listener("10.0.0.9", 80),
        a_listener("0.0.0.0", 53, proto="udp"),
        a_listener("::", 80),
        a_listener("10.0.0.10", 80),
        a_listener("0.0.0.0", 443),
        a_listener("0.0.0.0", 22, netns="another"),
    )
    placed = [(one.netns, one.proto, one.port, one.address) for one in judge(facts, a_policy()).listeners]
    assert placed == [
        ("another", "tcp", 22, "0.0.0.0"),
        ("host", "tcp", 80, "10.0.0.10"),
        ("host", "tcp", 80, "10.0.0.9"),
        ("host", "tcp", 80, "::"),
        ("host", "tcp", 443, "0.0.0.0"),
        ("host", "udp", 53, "0.0.0.0"),
    ]


def required(*ports: str, bind: str = "any", severity: Severity | None = None) -> Policy:
    return a_policy(an_entry("web", *ports, bind=bind, required=True, severity=severity, reason="public site"))


def test_a_required_listener_that_is_not_there_is_missing() -> None:
    judgement = judge(some_facts(), required("443/tcp", severity="critical"))
    [finding] = judgement.findings
    assert summary(judgement.findings) == [("critical", "missing-listener", "443/tcp")]
    assert finding.message == "nothing listens on 443/tcp, and base requires it: public site"
    assert str(finding.origin) == "base.yaml:7"


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "127.0.0.1", "2001:db8::1"])
def test_a_required_listener_that_is_there_on_any_address(address: str) -> None:
    assert judge(a_listener(address, 443), required("443/tcp")).findings == ()


def test_every_port_of_a_required_line_must_be_there_and_one_of_a_range() -> None:
    findings = judge(a_listener("0.0.0.0", 8042), required("80/tcp", "8000-8100/tcp", "443/tcp")).findings
    assert [finding.subject for finding in findings] == ["443/tcp", "80/tcp"]


def test_what_listens_too_wide_is_exposed_and_not_missing() -> None:
    policy = required("443/tcp", bind="10.0.0.0/8")
    assert [each.rule for each in judge(a_listener("0.0.0.0", 443), policy).findings] == ["exposed-listener"]
    # On an address outside the bind the service is not where it must be, and it is where it may not be.
    assert {each.rule for each in judge(a_listener("127.0.0.1", 443), policy).findings} == {
        "exposed-listener",
        "missing-listener",
    }


def test_a_required_listener_in_another_namespace_is_not_the_hosts() -> None:
    findings = judge(a_listener("0.0.0.0", 443, netns="4026532281"), required("443/tcp")).findings
    assert {finding.rule for finding in findings} == {"missing-listener", "unexpected-listener"}


@pytest.mark.parametrize(
    ("source", "claimed"),
    [
        ("tcp", False),
        ("tcp6", False),  # a v6 wildcard there may serve IPv4 too
        ("stream", False),  # no table at all: every one is in doubt
        ("udp", True),
        ("services", True),
    ],
)
def test_what_could_not_be_read_is_not_called_missing(source: str, claimed: bool) -> None:
    tables = tuple(Coverage(source=name, status="ok") for name in ("tcp", "tcp6", "udp", "udp6", "services"))
    facts = some_facts(coverage=tables, gaps=(Gap(source=source, reason="cut off"),))
    rules = {finding.rule for finding in judge(facts, required("443/tcp")).findings}
    assert rules == ({"evidence-gap", "missing-listener"} if claimed else {"evidence-gap"})


READ = tuple(Coverage(source=name, status="ok") for name in ("tcp", "tcp6", "udp", "udp6"))
INPOD = an_entry("inpod", "9999/tcp", netns="containers", required=True)


@pytest.mark.parametrize("netns", ["containers", "any"])
def test_what_may_be_in_another_namespace_is_not_called_missing_unread(netns: str) -> None:
    policy = a_policy(INPOD.model_copy(update={"netns": netns}))
    [finding] = judge(some_facts(coverage=READ), policy).findings
    assert (finding.rule, finding.subject) == ("evidence-gap", "namespaces")
    assert "`inpod` (base.yaml:7) requires" in finding.message
    assert "`namespaces: true`" in finding.message


def test_a_line_for_any_namespace_is_content_with_the_hosts_own() -> None:
    policy = a_policy(INPOD.model_copy(update={"netns": "any"}))
    assert judge(some_facts(a_listener(port=9999), coverage=READ), policy).findings == ()


def test_what_was_asked_for_and_not_read_is_one_gap() -> None:
    facts = some_facts(coverage=READ, gaps=(Gap(source="namespaces", reason="as root only"),))
    assert [each.message for each in judge(facts, a_policy(INPOD)).findings] == ["as root only"]


def test_what_is_missing_in_other_namespaces_that_were_read_is_said_to_be_meant_there() -> None:
    facts = some_facts(coverage=(*READ, Coverage(source="namespaces", status="ok")))
    host = an_entry("here", "9999/tcp", required=True)
    found = {each.message: each.rule for each in judge(facts, a_policy(INPOD, host)).findings}
    assert found == {
        "nothing listens on 9999/tcp in a container's network namespace, and base requires it": "missing-listener",
        "nothing listens on 9999/tcp, and base requires it": "missing-listener",
    }
    inside = some_facts(a_listener(port=9999, netns="docker:0123456789ab"), coverage=facts.coverage)
    assert judge(inside, a_policy(INPOD)).findings == ()


@pytest.mark.parametrize(
    ("services", "said"),
    [
        ({"4444/tcp": "https"}, "calls 4444/tcp https; the policies mean 443/tcp"),
        ({"4444/tcp": "https", "443/tcp": "snake", "9/tcp": "https"}, "calls 9/tcp and 4444/tcp https"),
        ({"443/tcp": "https", "4444/tcp": "https"}, None),  # the trusted port has the name too
        ({"4444/udp": "https"}, None),  # another protocol
        ({"443/tcp": "www"}, None),  # the name is not used at all
        ({}, None),
    ],
)
def test_a_service_name_that_means_another_port_there(services: dict[str, str], said: str | None) -> None:
    judgement = judge(some_facts(a_listener("0.0.0.0", 4444), services=services), a_policy(HTTPS))
    conflicts = [finding for finding in judgement.findings if finding.rule == "service-name-conflict"]
    assert [(each.severity, each.subject) for each in conflicts] == ([("low", "https/tcp")] if said else [])
    assert said is None or said in conflicts[0].message
    # Whatever the host calls it, 4444 is judged by its number.
    assert judgement.listeners[0].verdict == "unexpected"


def test_a_name_two_policies_use_is_one_finding() -> None:
    facts = some_facts(services={"24/tcp": "telnet"})
    assert len(judge(facts, a_policy(TELNET, name="a"), a_policy(TELNET, name="b")).findings) == 1


def test_every_gap_is_a_finding_whatever_the_policies() -> None:
    gaps = (Gap(source="udp", reason="b"), Gap(source="tcp", reason="denied"), Gap(source="udp", reason="a"))
    for policies in ((a_policy(),), ()):
        findings = judge(some_facts(gaps=gaps), *policies).findings
        found = [(each.subject, each.message) for each in findings if each.rule == "evidence-gap"]
        assert found == [("tcp", "/proc/net/tcp: denied"), ("udp", "/proc/net/udp: a"), ("udp", "/proc/net/udp: b")]
        assert len({finding.id for finding in findings}) == len(findings)


def test_a_host_without_a_policy_is_not_compliant_and_its_listeners_are_shown() -> None:
    judgement = judge(a_listener("0.0.0.0", 23))
    assert [finding.rule for finding in judgement.findings] == ["no-policy"]
    assert [(each.verdict, each.decided_by) for each in judgement.listeners] == [("ignored", None)]


def test_findings_come_worst_first() -> None:
    facts = some_facts(a_listener("0.0.0.0", 9100), a_listener("0.0.0.0", 23), services={"24/tcp": "telnet"})
    severities = [finding.severity for finding in judge(facts, a_policy(TELNET)).findings]
    assert severities == ["critical", "high", "low"]
