"""Why a listener is judged as it is: every step, and that it says the same as the verdict."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given

from auditor.evaluate import evaluate
from auditor.evaluate.explain import explain_listener
from auditor.model.explanation import Explanation, Reason
from auditor.model.facts import Listener, Owner, System
from auditor.model.policy import Policy, Selector
from tests.builders import (
    NOW,
    a_held_listener,
    a_host,
    a_listener,
    a_policy,
    a_policy_set,
    a_waiver,
    an_entry,
    some_facts,
)
from tests.evaluate.strategies import listeners, policy_lists

WEB = a_host("web-01", groups=("web",), labels={"env": "prod"})


def explain(listener: Listener, *policies: Policy, **more: Any) -> Explanation:
    return explain_listener(WEB, listener, a_policy_set(*policies), NOW, **more)


def told(reasons: tuple[Reason, ...]) -> list[str]:
    marks = {"yes": "+", "no": "-", "unknown": "?"}
    return [f"{marks[reason.answer]} {reason.words}" for reason in reasons]


def test_the_kernels_line_is_decoded() -> None:
    raw = "3: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000    33        0 4711"
    listener = a_listener(
        "127.0.0.1",
        8080,
        raw=raw,
        service="http-alt",
        uid=33,
        user="www-data",
        sockets=4,
        owner_status="known",
        owners=(Owner(pid=812, comm="nginx", exe="/usr/sbin/nginx", unit="nginx.service"),),
    )
    found = explain(listener, a_policy(), system=System(collected_at=NOW, byte_order="little"))
    assert found.decoded == (
        "0100007F:1F90 is 127.0.0.1:8080: its address in little-endian words, the port in hexadecimal",
        "tcp over IPv4, port 8080, address 127.0.0.1 (scope loopback)",
        "the host's own /etc/services calls it http-alt: a label, which decides nothing",
        "4 sockets of one user share it (by SO_REUSEPORT, SO_REUSEADDR or SO_BINDTODEVICE)",
        "the socket belongs to user 33 (www-data)",
        "held by nginx, pid 812 (/usr/sbin/nginx, unit nginx.service)",
    )


def test_which_policies_apply_and_why() -> None:
    chosen = a_policy(
        name="chosen",
        applies_to=Selector(groups=("web", "db"), labels={"env": "prod"}),
        excluded=Selector(hosts=("web-09",)),
    )
    others = a_policy(name="others", applies_to=Selector(groups=("db",)))
    spared = a_policy(name="spared", excluded=Selector(hosts=("web-*",)))
    found = explain(a_listener(), a_policy(name="all"), chosen, others, spared)
    assert [(one.policy, one.applies, told(one.reasons)) for one in found.policies] == [
        ("all", True, ["+ it has no applies_to that chooses: it holds for every host"]),
        (
            "chosen",
            True,
            [
                "+ applies_to groups web or db; the host has web",
                "+ applies_to labels env=prod; the host has env=prod",
                "+ except hosts web-09; the host has web-01",
            ],
        ),
        ("others", False, ["- applies_to groups db; the host has web"]),
        (
            "spared",
            False,
            [
                "+ it has no applies_to that chooses: it holds for every host",
                "- except hosts web-*; the host has web-01",
            ],
        ),
    ]


def test_every_line_that_names_the_port_is_tried_and_the_rest_is_counted() -> None:
    policy = a_policy(
        an_entry("no-nc", "1-65535/tcp", action="deny", owner={"process": ("nc",)}),
        an_entry("far", "9/udp"),
        an_entry("v6", "443/tcp6"),
        an_entry("inside", "443/tcp", bind="loopback,10.0.0.0/8"),
        an_entry("nginx", "443/tcp", owner={"process": ("nginx",)}),
        an_entry("boxed", "443/tcp", netns="containers"),
    )
    found = explain(a_held_listener("caddy"), policy)
    assert [(one.entry, one.result, told(one.reasons)) for one in found.lines] == [
        (
            "no-nc",
            "is not about it",
            ["+ it names 443/tcp", "- it is for process nc, and caddy (/usr/sbin/caddy) holds it"],
        ),
        ("v6", "is not about it", ["+ it names 443/tcp", "- it pins IPv6, and the listener takes IPv4 only"]),
        (
            "inside",
            "names its port, and does not hold all its addresses",
            ["+ it names 443/tcp", "- its bind loopback or 10.0.0.0/8 does not hold 0.0.0.0 (scope wildcard)"],
        ),
        (
            "nginx",
            "accepts its address, not who holds it",
            ["+ it names 443/tcp", "- it is for process nginx, and caddy (/usr/sbin/caddy) holds it"],
        ),
        (
            "boxed",
            "is not about it",
            ["+ it names 443/tcp", "- it is about other network namespaces, and this one is in the host's own"],
        ),
    ]
    assert found.others == 1
    assert found.conclusion == "`nginx` of base (base.yaml:7) comes near, and no line accepts it wholly"
    assert [finding.rule for finding in found.findings] == ["wrong-owner"]


@pytest.mark.parametrize(
    ("listener", "policy", "conclusion"),
    [
        (
            a_listener(),
            a_policy(an_entry("ssh", "22/tcp")),
            "`ssh` of base (base.yaml:7) accepts it wholly, and no deny",
        ),
        (
            a_listener(port=23),
            a_policy(an_entry("telnet", "23/tcp", action="deny"), an_entry("all", "1-65535/tcp")),
            "`telnet` of base (base.yaml:7) forbids it: a deny wins over every allow",
        ),
        (
            a_listener(),
            a_policy(an_entry("ssh", "22/tcp", owner={"process": ("sshd",)})),
            "`ssh` of base (base.yaml:7) asks who holds it, and that is not seen: the host has a gap",
        ),
        (
            a_listener(port=9),
            a_policy(default="warn"),
            "no line is about 9/tcp, and the strictest setting of the policies that apply is warn (base, base.yaml:2)",
        ),
        (
            a_listener(),
            a_policy(applies_to=Selector(groups=("db",))),
            "no policy applies to the host: nothing is checked there, and it is not compliant for that",
        ),
    ],
)
def test_the_conclusion(listener: Listener, policy: Policy, conclusion: str) -> None:
    assert explain(listener, policy).conclusion.startswith(conclusion)


def test_what_comes_nearest_is_shown_when_no_line_names_the_port() -> None:
    found = explain(a_listener(port=8443), a_policy(an_entry("https", "443/tcp"), an_entry("alt", "8444/tcp")))
    assert [(one.entry, one.result, told(one.reasons)) for one in found.lines] == [
        ("alt", "comes nearest", ["- it names 8444/tcp, not 8443/tcp"])
    ]
    assert "(the nearest is `alt`, 8444/tcp: base.yaml:7)" in found.findings[0].message


def test_every_waiver_for_the_rule_is_tried() -> None:
    waivers = (
        a_waiver("fits", "8443/tcp"),
        a_waiver("elsewhere", "8443/tcp", hosts=("db-*",)),
        a_waiver("other-port", "9/tcp"),
        a_waiver("ended", "8443/tcp", expires=date(2026, 1, 1)),
        a_waiver("narrow", "8443/tcp", bind="loopback"),
        a_waiver("other-rule", "8443/tcp", rule="wrong-owner"),
    )
    found = explain(a_listener(port=8443), a_policy(waivers=waivers))
    day = "+ it ends with 2026-12-31 (UTC); today is 2026-01-02"
    everywhere = "+ it is for hosts *"
    assert [(one.waiver, one.covers, told(one.reasons)) for one in found.waivers] == [
        ("fits", True, [everywhere, "+ it names 8443/tcp", day]),
        ("elsewhere", False, ["- it is for hosts db-*", "+ it names 8443/tcp", day]),
        ("other-port", False, [everywhere, "- it names 9/tcp, not 8443/tcp", day]),
        (
            "ended",
            False,
            [everywhere, "+ it names 8443/tcp", "- it ended with 2026-01-01 (UTC); today is 2026-01-02"],
        ),
        (
            "narrow",
            False,
            [everywhere, "+ it names 8443/tcp", "- its bind loopback does not hold 0.0.0.0 (scope wildcard)", day],
        ),
    ]
    assert found.listener.verdict == "waived"
    assert found.conclusion.endswith("; a waiver covers it")


@given(listeners(), policy_lists)
def test_an_explanation_agrees_with_the_verdict(listener: Listener, policies: tuple[Policy, ...]) -> None:
    found = explain(listener, *policies)
    [judged] = evaluate(WEB, some_facts(listener), a_policy_set(*policies), NOW).listeners
    assert found.listener == judged
    results = {one.entry for one in found.lines if one.result == "accepts it"}
    if judged.verdict == "allowed":
        assert judged.decided_by is not None
        assert judged.decided_by.entry in results
    if judged.verdict == "unexpected":
        assert not results
    for line in found.lines:
        whole = all(reason.answer == "yes" for reason in line.reasons)
        assert whole is (line.result in {"accepts it", "forbids it"})
