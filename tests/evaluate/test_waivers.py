"""Waivers: what one covers, until when to the second, and what is said when it has ended."""

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest

from auditor.evaluate import evaluate
from auditor.model.facts import Gap, HostFacts, Listener
from auditor.model.finding import INCOMPLETE_RULES, RULES
from auditor.model.policy import WAIVABLE_RULES, Selector, Waiver
from auditor.model.report import Judgement, decides, judge_host
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

LISTENER = a_listener("0.0.0.0", 8443)
LAST_DAY = date(2026, 12, 31)
END = datetime(2027, 1, 1, tzinfo=UTC)


def judge(facts: HostFacts | Listener, *waivers: Waiver, now: datetime = NOW, **policy: Any) -> Judgement:
    seen = some_facts(facts) if isinstance(facts, Listener) else facts
    entries = policy.pop("entries", ())
    return evaluate(a_host("web-03"), seen, a_policy_set(a_policy(*entries, waivers=waivers, **policy)), now)


def test_a_waived_finding_stays_and_fails_nothing() -> None:
    judgement = judge(LISTENER, a_waiver("w-17", "8443/tcp"))
    [finding] = judgement.findings
    assert (finding.rule, finding.severity) == ("unexpected-listener", "high")
    assert finding.waived is not None
    assert finding.waived.model_dump(exclude={"origin"}) == {
        "waiver": "w-17",
        "reason": "migration",
        "owner": "ops@example.com",
        "expires": "2026-12-31",
        "ticket": "OPS-17",
    }
    assert str(finding.waived.origin) == "base.yaml:20"
    assert not decides(finding, "info")
    assert judgement.listeners[0].verdict == "waived"
    assert judge_host(judgement.findings, None, "low") == "compliant"


@pytest.mark.parametrize(
    ("now", "waived"),
    [
        pytest.param(END - timedelta(days=1, seconds=1), True, id="the day before"),
        pytest.param(END - timedelta(seconds=1), True, id="one second before the end of its last day"),
        pytest.param(END - timedelta(microseconds=1), True, id="one microsecond before"),
        pytest.param(END, False, id="24:00 UTC"),
        pytest.param(END + timedelta(seconds=1), False, id="one second after"),
        # The same second by other clocks: the end is that of the day in UTC, wherever the auditor is.
        pytest.param((END - timedelta(seconds=1)).astimezone(timezone(timedelta(hours=14))), True, id="Kiritimati"),
        pytest.param((END + timedelta(seconds=1)).astimezone(timezone(timedelta(hours=-11))), False, id="Pago Pago"),
    ],
)
def test_it_ends_with_the_last_second_of_its_last_day_in_utc(now: datetime, waived: bool) -> None:
    judgement = judge(LISTENER, a_waiver("w-17", "8443/tcp", expires=LAST_DAY), now=now)
    rules = {finding.rule: finding for finding in judgement.findings}
    assert (rules["unexpected-listener"].waived is not None) is waived
    assert ("expired-waiver" in rules) is not waived
    assert judgement.listeners[0].verdict == ("waived" if waived else "unexpected")
    assert judge_host(judgement.findings, None, "low") == ("compliant" if waived else "violating")


def test_what_an_ended_waiver_covered_is_back_and_says_so() -> None:
    after = END + timedelta(seconds=1)
    judgement = judge(LISTENER, a_waiver("w-17", "8443/tcp"), now=after, severity="medium")
    expired, unexpected = judgement.findings
    assert unexpected.message.endswith("; the waiver w-17 ended on 2026-12-31")
    assert (expired.rule, expired.severity, expired.subject) == (
        "expired-waiver",
        "medium",
        "w-17 (unexpected-listener)",
    )
    assert expired.message == (
        "the waiver ended on 2026-12-31 (ops@example.com, OPS-17: migration), "
        "and there is still unexpected-listener tcp 0.0.0.0:8443"
    )
    assert str(expired.origin) == "base.yaml:20"
    # The finding is the same one as before the waiver: its fingerprint does not change.
    assert unexpected.id == judge(LISTENER).findings[0].id


def test_an_ended_waiver_that_covers_nothing_is_no_finding() -> None:
    assert judge(some_facts(), a_waiver("w-17", "8443/tcp"), now=END).findings == ()


def test_a_renewed_waiver_silences_the_ended_one() -> None:
    old, new = a_waiver("old", "8443/tcp"), a_waiver("new", "8443/tcp", expires=date(2027, 6, 30))
    [finding] = judge(LISTENER, old, new, now=END).findings
    assert finding.waived is not None
    assert finding.waived.waiver == "new"


@pytest.mark.parametrize(
    ("waiver", "covered"),
    [
        (a_waiver("w"), True),
        (a_waiver("w", "8000-9000/tcp"), True),
        (a_waiver("w", "8443/udp"), False),
        (a_waiver("w", "8444/tcp"), False),
        (a_waiver("w", "8443/tcp6"), False),
        (a_waiver("w", "8443/tcp4"), True),
        (a_waiver("w", "8443/tcp", bind="loopback"), False),
        (a_waiver("w", "8443/tcp", bind="wildcard"), True),
        (a_waiver("w", "8443/tcp", hosts=("web-*",)), True),
        (a_waiver("w", "8443/tcp", hosts=("db-*", "web-03")), True),
        (a_waiver("w", "8443/tcp", hosts=("web-0",)), False),
        (a_waiver("w", "8443/tcp", rule="forbidden-listener"), False),
        (a_waiver("w", "8443/tcp", rules=("forbidden-listener", "unexpected-listener")), True),
        (a_waiver("w", "8443/tcp", netns="containers"), False),
        (a_waiver("w", "8443/tcp", netns="any"), True),
        (a_waiver("w", "8443/tcp", held_by={"process": ("java",)}), True),
        (a_waiver("w", "8443/tcp", held_by={"process": ("nc",)}), False),
    ],
    ids=lambda value: value.model_dump_json(include={"ports", "bind", "hosts"}) if isinstance(value, Waiver) else None,
)
def test_what_a_waiver_covers(waiver: Waiver, covered: bool) -> None:
    [finding] = judge(a_held_listener("java", port=8443), waiver).findings
    assert (finding.waived is not None) is covered


def test_a_waiver_that_asks_for_an_owner_who_is_not_seen_covers_nothing() -> None:
    [finding] = judge(LISTENER, a_waiver("w", "8443/tcp", held_by={"process": ("java",)})).findings
    assert finding.waived is None


def test_a_finding_about_two_listeners_is_waived_when_both_are() -> None:
    twins = some_facts(a_listener("10.0.0.5", 8443), a_listener("10.0.0.6", 8443))
    first, second = a_waiver("a", bind="10.0.0.5/32"), a_waiver("b", bind="10.0.0.6/32", expires=date(2026, 6, 30))
    assert [finding.waived for finding in judge(twins, first).findings] == [None]
    [finding] = judge(twins, first, second).findings
    assert finding.waived is not None
    assert finding.waived.waiver == "b"  # the one that ends first
    assert {listener.verdict for listener in judge(twins, first, second).listeners} == {"waived"}


def test_a_waiver_of_another_policy_covers_too_and_only_where_its_policy_applies() -> None:
    strict = a_policy(name="strict")
    waiving = a_policy(name="waivers", default="ignore", waivers=(a_waiver("w", "8443/tcp"),))
    [finding] = evaluate(a_host(), some_facts(LISTENER), a_policy_set(strict, waiving), NOW).findings
    assert finding.waived is not None
    elsewhere = waiving.model_copy(update={"excluded": Selector(hosts=("web-01",))})
    [finding] = evaluate(a_host("web-01"), some_facts(LISTENER), a_policy_set(strict, elsewhere), NOW).findings
    assert finding.waived is None


@pytest.mark.parametrize(
    ("rule", "facts", "ports"),
    [
        ("missing-listener", some_facts(), "443/tcp"),
        ("missing-listener", some_facts(), "400-500/tcp"),
        ("service-name-conflict", some_facts(a_listener(port=443), services={"4444/tcp": "https"}), "443/tcp"),
        ("forbidden-listener", some_facts(a_listener(port=443), a_listener(port=23)), "23/tcp"),
        ("exposed-listener", some_facts(a_listener(port=443), a_listener(port=9100)), "9100/tcp"),
        ("wrong-owner", some_facts(a_listener(port=443), a_held_listener("nc", port=8080)), "8080/tcp"),
    ],
)
def test_every_rule_about_a_port_can_be_waived(rule: str, facts: HostFacts, ports: str) -> None:
    entries = (
        an_entry("https", "443/tcp", service="https", required=True),
        an_entry("telnet", "23/tcp", action="deny"),
        an_entry("metrics", "9100/tcp", bind="loopback"),
        an_entry("app", "8080/tcp", owner={"process": ("java",)}),
    )
    [finding] = judge(facts, a_waiver("w", ports, rule=rule), entries=entries).findings
    assert finding.rule == rule
    assert finding.waived is not None
    [finding] = judge(facts, a_waiver("w", "9/udp", rule=rule), entries=entries).findings
    assert finding.waived is None


def test_what_is_not_known_cannot_be_waived() -> None:
    assert set(WAIVABLE_RULES) == set(RULES) - INCOMPLETE_RULES - {"expired-waiver"}
    every = a_waiver("w", rules=WAIVABLE_RULES)
    facts = some_facts(gaps=(Gap(source="tcp", reason="denied"),))
    judgement = judge(facts, every)
    assert [finding.waived for finding in judgement.findings] == [None]
    assert judge_host(judgement.findings, None, "low") == "incomplete"
