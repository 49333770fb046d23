"""What rots in the policies, seen from a fleet."""

from collections.abc import Sequence
from datetime import date
from random import Random
from typing import Any

import pytest

from auditor.evaluate import evaluate, review_policies
from auditor.model.facts import Gap, HostFacts, Listener
from auditor.model.origin import Origin
from auditor.model.policy import Entry, Policy, PolicySet, Selector
from auditor.model.report import HostReport, judge_host
from auditor.model.transcript import Failure
from tests.builders import NOW, a_host, a_listener, a_policy, a_policy_set, a_waiver, an_entry, some_facts


def at(line: int, name: str, *ports: str, **fields: Any) -> Entry:
    return an_entry(name, *ports, origin=Origin(file="base.yaml", line=line), **fields)


def report_on(name: str, facts: HostFacts | None, policies: PolicySet) -> HostReport:
    host = a_host(name)
    if facts is None:
        error = Failure(phase="tcp", code="tcp-refused", message="refused")
        names = tuple(policy.name for policy in policies.policies)
        return HostReport(
            name=name, address=name, groups=(), status="unreachable", policies=names, error=error, facts=None
        )
    judgement = evaluate(host, facts, policies, NOW)
    return HostReport(
        name=name,
        address=name,
        groups=(),
        status=judge_host(judgement.findings, None, "low"),
        policies=judgement.policies,
        error=None,
        facts=facts.system,
        gaps=facts.gaps,
        listeners=judgement.listeners,
        findings=judgement.findings,
    )


def review(policies: Policy | Sequence[Policy], *seen: HostFacts | Listener | None) -> list[tuple[str, str, int]]:
    """Return (kind, message, line) for a fleet of hosts web-01, web-02 …; None: one that did not answer."""
    every = a_policy_set(policies) if isinstance(policies, Policy) else a_policy_set(*policies)
    facts = [some_facts(one) if isinstance(one, Listener) else one for one in seen]
    reports = [report_on(f"web-{number:02}", one, every) for number, one in enumerate(facts, 1)]
    notes = review_policies(every, reports, NOW)
    shuffled = Random(1).sample(reports, len(reports))
    assert review_policies(every, shuffled, NOW) == notes
    return [(note.kind, note.message, note.origin.line) for note in notes]


SSH = at(7, "ssh", "22/tcp")
HTTP = at(8, "http", "80/tcp", bind="any")


def test_a_fleet_that_needs_every_line_has_nothing_to_tidy() -> None:
    assert review(a_policy(SSH, HTTP), a_listener(port=22), a_listener(port=80)) == []


def test_an_allow_that_nothing_needed() -> None:
    assert review(a_policy(SSH, HTTP), a_listener(port=22), a_listener(port=22)) == [
        ("unused-allow", "`http` (80/tcp) was needed by nothing on 2 hosts", 8)
    ]


def test_hosts_that_could_not_be_read_are_counted_apart() -> None:
    gap = some_facts(gaps=(Gap(source="tcp", reason="denied"),))
    assert review(a_policy(HTTP), some_facts(), gap, None) == [
        ("unused-allow", "`http` (80/tcp) was needed by nothing on 1 host (2 more hosts not fully read)", 8)
    ]
    assert review(a_policy(HTTP), gap, None) == []


def test_a_line_that_holds_on_no_host_of_the_run_is_left_alone() -> None:
    policy = a_policy(HTTP, applies_to=Selector(groups=("db",)))
    found = review((policy, a_policy(SSH, name="all")), a_listener(port=22))
    assert [kind for kind, _, _ in found] == ["unused-policy"]


def test_a_policy_that_holds_nowhere_is_told_for_its_denials_are_gone_unseen() -> None:
    misspelt = a_policy(HTTP, name="web", applies_to=Selector(groups=("wbe",)))
    found = review((misspelt, a_policy(SSH, name="all")), a_listener(port=22))
    assert found == [("unused-policy", "the policy web applies to none of the 1 host of this run", found[0][2])]


def test_a_required_line_is_never_unused() -> None:
    assert review(a_policy(at(7, "ssh", "22/tcp", required=True)), some_facts()) == []


@pytest.mark.parametrize(
    ("first", "second", "idle"),
    [
        (at(7, "wide", "1-100/tcp"), at(8, "narrow", "22/tcp"), "narrow"),
        (at(7, "narrow", "22/tcp"), at(8, "wide", "1-100/tcp"), "narrow"),
        (at(7, "a", "22/tcp"), at(8, "b", "22/tcp"), "b"),
        (at(7, "a", "22/tcp"), at(8, "b", "22/tcp4"), "b"),
        (at(7, "a", "22/tcp4"), at(8, "b", "22/tcp6"), None),
        (at(7, "a", "22/tcp"), at(8, "b", "22/udp"), None),
        (at(7, "a", "22/tcp"), at(8, "b", "22/tcp", "23/tcp"), "a"),
        (at(7, "a", "22/tcp", bind="10.0.0.0/8"), at(8, "b", "22/tcp", bind="10.1.0.0/16"), "b"),
        (at(7, "a", "22/tcp", bind="private"), at(8, "b", "22/tcp", bind="loopback"), None),
        (at(7, "a", "22/tcp", bind="private"), at(8, "b", "22/tcp"), "a"),
        (at(7, "a", "22/tcp", owner={"process": ("sshd",)}), at(8, "b", "22/tcp"), "a"),
        (at(7, "a", "22/tcp", owner={"process": ("sshd",)}), at(8, "b", "22/tcp", owner={"user": ("0",)}), None),
        (at(7, "a", "22/tcp", netns="any"), at(8, "b", "22/tcp", netns="containers"), "b"),
        (at(7, "a", "22/tcp"), at(8, "b", "22/tcp", netns="containers"), None),
        (at(7, "a", "22/tcp"), at(8, "b", "22/tcp", required=True), "a"),
        (at(7, "no", "1-100/tcp", action="deny"), at(8, "b", "22/tcp"), "b"),
        (at(7, "no", "1-100/tcp", action="deny", bind="loopback"), at(8, "b", "22/tcp"), None),
        (at(7, "a", "22/tcp", action="deny"), at(8, "b", "22/tcp", action="deny"), "b"),
        (at(7, "a", "22/tcp", action="deny"), at(8, "b", "22/tcp", action="deny", severity="critical"), "a"),
    ],
)
def test_a_line_that_another_one_makes_idle(first: Entry, second: Entry, idle: str | None) -> None:
    notes = review(a_policy(first, second), a_listener(port=22))
    assert [message.split("`")[1] for kind, message, _ in notes if kind == "shadowed-entry"] == ([idle] if idle else [])
    assert [note for note in notes if note[0] == "unused-allow" and f"`{idle}`" in note[1]] == []


def test_what_is_in_the_way_is_named() -> None:
    deny = at(9, "no-telnet", "23/tcp", action="deny")
    assert review(a_policy(at(7, "telnet", "23/tcp"), deny), some_facts()) == [
        ("shadowed-entry", "`telnet` decides nothing: `no-telnet` (base.yaml:9) forbids all it is about", 7)
    ]


def test_a_line_is_idle_only_when_it_is_on_every_host_of_the_run() -> None:
    everywhere = a_policy(SSH, name="base")
    some = a_policy(an_entry("ssh-too", "22/tcp", origin=Origin(file="some.yaml", line=3)), name="some")
    limited = everywhere.model_copy(update={"excluded": Selector(hosts=("web-02",))})
    kinds = [kind for kind, _, _ in review((everywhere, some), a_listener(port=22), a_listener(port=22))]
    assert kinds == ["shadowed-entry"]
    assert review((limited, some), a_listener(port=22), a_listener(port=22)) == []


def test_an_included_line_is_told_once_and_does_not_shadow_itself() -> None:
    base, web = a_policy(SSH, name="base"), a_policy(SSH, name="web")
    assert review((base, web), a_listener(port=22)) == []
    assert len(review((base, web), some_facts())) == 1


OPEN = a_listener("0.0.0.0", 8443)


@pytest.mark.parametrize(
    ("waiver", "told"),
    [
        (a_waiver("w", "8443/tcp", hosts=("web-01",)), []),
        (a_waiver("w", "8443/tcp", hosts=("web-02",)), ["unused-waiver: covers nothing on the 1 host it is for"]),
        (
            a_waiver("w", "8443/tcp", hosts=("db-*",)),
            ["unused-waiver: covers nothing as it is for no host of this run"],
        ),
        (a_waiver("w", "9/tcp"), ["unused-waiver: covers nothing on the 2 hosts it is for"]),
        (
            a_waiver("w", "9/tcp", expires=date(2025, 12, 31)),
            ["unused-waiver: ended on 2025-12-31, and covers nothing on the 2 hosts it is for"],
        ),
        (a_waiver("w", "8443/tcp"), ["broad-waiver: is for 2 hosts, and needed on web-01 only"]),
        (a_waiver("w", hosts=("web-01",)), ["broad-waiver: is for every port, and needed for 8443/tcp only"]),
        (
            a_waiver("w", "8000-8999/tcp", hosts=("web-01",)),
            ["broad-waiver: is for 8000-8999/tcp, and needed for 8443/tcp only"],
        ),
        # NOW is 2026-01-02: thirty days on it is 2026-02-01.
        (
            a_waiver("w", "8443/tcp", hosts=("web-01",), expires=date(2026, 2, 1)),
            ["expiring-waiver: ends on 2026-02-01, in 30 days, and covers 1 finding on 1 host"],
        ),
        (a_waiver("w", "8443/tcp", hosts=("web-01",), expires=date(2026, 2, 2)), []),
        (
            a_waiver("w", "8443/tcp", hosts=("web-01",), expires=date(2026, 1, 2)),
            ["expiring-waiver: ends on 2026-01-02, today, and covers 1 finding on 1 host"],
        ),
        # One that ended and would be needed is a finding on its host, not a note.
        (a_waiver("w", "8443/tcp", hosts=("web-01",), expires=date(2026, 1, 1)), []),
    ],
)
def test_waivers(waiver: Any, told: list[str]) -> None:
    notes = review(a_policy(waivers=(waiver,)), OPEN, some_facts())
    assert [f"{kind}: {message.removeprefix('the waiver w ')}" for kind, message, _ in notes] == told


def test_a_name_that_means_another_port_somewhere() -> None:
    https = at(7, "https", "443/tcp", service="https")
    there = some_facts(a_listener(port=443), services={"4444/tcp": "https"})
    [(kind, message, line)] = review(a_policy(https), there, a_listener(port=443), *[there] * 9)
    assert (kind, line) == ("service-name-differs", 7)
    first = "web-01, web-03, web-04, web-05, web-06, web-07, web-08, web-09"
    assert message == f"https/tcp means another port in /etc/services on 10 hosts: {first} and 2 more"


def test_a_waiver_for_what_no_listener_shows_is_reviewed_without_ports() -> None:
    """What is missing has no listener whose ports could be counted, and a waiver for it may name none."""
    gone = at(9, "gone", "9999/tcp", required=True)
    waiver = a_waiver("w", rule="missing-listener", hosts=("web-01",))
    policy = a_policy(gone, waivers=(waiver,))
    assert review(policy, some_facts()) == []


def test_a_waiver_that_covers_more_than_listeners_is_not_called_too_broad_for_them() -> None:
    gone = at(9, "gone", "9999/tcp", required=True)
    rules = ("unexpected-listener", "missing-listener")
    waiver = a_waiver("w", rules=rules, hosts=("web-01",))
    assert review(a_policy(gone, waivers=(waiver,)), a_listener(port=8080)) == []
    assert review(a_policy(waivers=(waiver,)), a_listener(port=8080)) == [
        ("broad-waiver", "the waiver w is for every port, and needed for 8080/tcp only", 20)
    ]


def test_what_another_waiver_covers_makes_none_look_broad() -> None:
    wide = a_waiver("wide", rule="unexpected-listener", hosts=("web-01",))
    telnet = a_waiver("telnet", "23/tcp", rule="forbidden-listener", hosts=("web-01",))
    policy = a_policy(at(3, "no-telnet", "23/tcp", action="deny"), waivers=(wide, telnet))
    notes = review(policy, some_facts(OPEN, a_listener(port=23)))
    broad = [message for kind, message, _ in notes if kind == "broad-waiver"]
    assert broad == ["the waiver wide is for every port, and needed for 8443/tcp only"]
