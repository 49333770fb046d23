"""How many connections there are, held against how many a policy allows."""

from datetime import date
from typing import Any

import pytest

from auditor.evaluate import evaluate
from auditor.evaluate.explain import explain_listener
from auditor.model.facts import Coverage, HostFacts, Listener, System
from auditor.model.finding import Finding
from auditor.model.policy import Bound, Policy, Waiver
from tests.builders import NOW, a_bound, a_host, a_listener, a_policy, a_policy_set, a_waiver, an_entry, some_facts

WHOLE = (Coverage(source="tcp", status="ok"), Coverage(source="tcp6", status="ok"))


def some_states(*listeners: Listener, coverage: tuple[Coverage, ...] = WHOLE, **states: int) -> HostFacts:
    system = System(collected_at=NOW, byte_order="little", states={"tcp": dict(states), "udp": {"ESTABLISHED": 10_000}})
    return some_facts(*listeners, system=system, coverage=coverage)


def a_book(*bounds: Bound, waivers: tuple[Waiver, ...] = (), **fields: Any) -> Policy:
    return a_policy(an_entry("all", "1-65535/tcp"), bounds=bounds, waivers=waivers, **fields)


def find(facts: HostFacts, *policies: Policy) -> tuple[Finding, ...]:
    return evaluate(a_host(), facts, a_policy_set(*policies), NOW).findings


@pytest.mark.parametrize(("number", "found"), [(0, False), (500, False), (501, True)])
def test_one_more_than_allowed_is_a_finding(number: int, found: bool) -> None:
    findings = find(some_states(CLOSE_WAIT=number, ESTABLISHED=9999), a_book(a_bound("CLOSE_WAIT", 500)))
    assert [finding.subject for finding in findings] == (["tcp CLOSE_WAIT"] if found else [])


def test_the_finding_says_how_many_where_and_what_to_do() -> None:
    bound = a_bound("CLOSE_WAIT", 5, severity="low", reason="the pool")
    (finding,) = find(some_states(CLOSE_WAIT=6), a_book(bound, severity="critical", controls=("C-1",)))
    assert (finding.rule, finding.severity, finding.controls) == ("connection-states", "low", ("C-1",))
    assert finding.message == "6 sockets are in CLOSE_WAIT, and base allows 5: the pool"
    assert str(finding.origin) == "base.yaml:12"
    assert "restart" in finding.remediation
    (other,) = find(some_states(CLOSE_WAIT=66), a_book(a_bound("CLOSE_WAIT", 50, remediation="call the owner")))
    assert (other.id, other.severity, other.remediation) == (finding.id, "high", "call the owner")


def test_of_several_policies_every_bound_holds_and_the_worst_is_told() -> None:
    first = a_book(a_bound("SYN_RECV", 10, severity="low"), a_bound("TIME_WAIT", 10))
    second = a_book(a_bound("SYN_RECV", 20, severity="critical"), name="strict")
    findings = find(some_states(SYN_RECV=30, TIME_WAIT=11), first, second)
    assert [(finding.subject, finding.severity) for finding in findings] == [
        ("tcp SYN_RECV", "critical"),
        ("tcp TIME_WAIT", "high"),
    ]


@pytest.mark.parametrize("source", ["tcp", "tcp6"])
def test_rows_that_were_not_read_are_a_gap_where_it_matters(source: str) -> None:
    coverage = (*(one for one in WHOLE if one.source != source), Coverage(source=source, status="denied"))
    (gap,) = find(some_states(coverage=coverage, CLOSE_WAIT=4), a_book(a_bound("CLOSE_WAIT", 5)))
    assert (gap.rule, gap.subject) == ("evidence-gap", "states")
    assert f"{source} is denied" in gap.message
    assert "`CLOSE_WAIT` (base.yaml:12)" in gap.message
    (queue,) = find(some_states(coverage=coverage), a_book(a_bound(None, 5)))
    assert "`accept_queue`" in queue.message
    assert find(some_states(coverage=coverage, CLOSE_WAIT=4), a_book()) == ()


def test_too_many_are_too_many_however_many_were_not_seen() -> None:
    coverage = (WHOLE[0], Coverage(source="tcp6", status="truncated"))
    (finding,) = find(some_states(coverage=coverage, CLOSE_WAIT=6), a_book(a_bound("CLOSE_WAIT", 5)))
    assert finding.rule == "connection-states"


def test_a_host_without_ipv6_has_no_gap() -> None:
    coverage = (WHOLE[0], Coverage(source="tcp6", status="absent"))
    assert find(some_states(coverage=coverage), a_book(a_bound("CLOSE_WAIT", 5))) == ()


def test_queues_are_counted_for_each_listener_and_told_once_for_both_families() -> None:
    facts = some_states(
        a_listener("0.0.0.0", 443, pending_accepts=101),
        a_listener("::", 443, pending_accepts=300),
        a_listener("127.0.0.1", 443, pending_accepts=100),
        a_listener("10.0.0.1", 8080, pending_accepts=101),
        a_listener("0.0.0.0", 22),
    )
    findings = find(facts, a_book(a_bound(None, 100, severity="medium")))
    assert [(finding.rule, finding.subject) for finding in findings] == [
        ("accept-queue", "tcp 0.0.0.0:443 and [::]:443"),
        ("accept-queue", "tcp 10.0.0.1:8080"),
    ]
    assert findings[0].message == "300 connections wait to be accepted on 443/tcp, and base allows 100"
    assert {finding.severity for finding in findings} == {"medium"}


def test_one_is_not_several() -> None:
    facts = some_states(a_listener(port=443, pending_accepts=1), CLOSE_WAIT=1)
    assert {finding.message for finding in find(facts, a_book(a_bound(None, 0), a_bound("CLOSE_WAIT", 0)))} == {
        "1 connection waits to be accepted on 443/tcp, and base allows 0",
        "1 socket is in CLOSE_WAIT, and base allows 0",
    }


def test_waivers_cover_both_rules_and_expire() -> None:
    facts = some_states(a_listener(port=443, pending_accepts=7), a_listener(port=80, pending_accepts=7), CLOSE_WAIT=7)
    bounds = (a_bound(None, 5), a_bound("CLOSE_WAIT", 5))
    waivers = (a_waiver("q", "443/tcp", rule="accept-queue"), a_waiver("s", rule="connection-states"))
    findings = {finding.subject: finding for finding in find(facts, a_book(*bounds, waivers=waivers))}
    assert {subject: bool(finding.waived) for subject, finding in findings.items()} == {
        "tcp 0.0.0.0:443": True,
        "tcp 0.0.0.0:80": False,
        "tcp CLOSE_WAIT": True,
    }
    ended = (a_waiver("s", rule="connection-states", expires=date(2025, 1, 1)),)
    rules = [finding.rule for finding in find(some_states(CLOSE_WAIT=7), a_book(*bounds, waivers=ended))]
    assert sorted(rules) == ["connection-states", "expired-waiver"]


def test_a_waiver_for_what_one_policy_finds_is_not_in_the_way_of_what_another_finds() -> None:
    facts = some_states(
        a_listener("10.0.0.1", 8080, pending_accepts=5), a_listener("10.0.0.2", 8080, pending_accepts=3)
    )
    low = a_book(a_bound(None, 1, severity="low"), name="a")
    waiver = a_waiver("w", "8080/tcp", rule="accept-queue", bind="10.0.0.1/32")
    high = a_book(a_bound(None, 4, severity="high"), name="b", waivers=(waiver,))
    found = find(facts, low, high)
    assert [(finding.severity, finding.subject, finding.waived is not None) for finding in found] == [
        ("high", "tcp 10.0.0.1:8080", True),
        ("low", "tcp 10.0.0.1:8080 and 10.0.0.2:8080", False),
    ]
    assert found[1].id == find(facts, low)[0].id == find(facts, high)[0].id != found[0].id


def test_bounds_make_no_listener_worse_and_explain_tells_its_queue() -> None:
    listener = a_listener(port=443, pending_accepts=7)
    judged = evaluate(a_host(), some_states(listener), a_policy_set(a_book(a_bound(None, 5))), NOW)
    assert [row.verdict for row in judged.listeners] == ["allowed"]
    told = explain_listener(a_host(), listener, a_policy_set(a_book(a_bound(None, 5), a_bound("LISTEN", 0))), NOW)
    assert [finding.rule for finding in told.findings] == ["accept-queue"]
