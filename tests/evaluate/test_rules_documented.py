"""docs/rules.md: a section for every rule, and examples that are what netaudit really says."""

import re
from datetime import date
from pathlib import Path

import pytest

from auditor.evaluate import evaluate, report_unreachable
from auditor.evaluate.rules import HOST_RULES, LISTENER_RULES, PORT_RULES, QUEUE_RULES
from auditor.model.facts import Gap, Owner, System
from auditor.model.finding import RULES, Finding
from auditor.model.transcript import Failure
from tests.builders import (
    NOW,
    a_bound,
    a_held_listener,
    a_host,
    a_listener,
    a_policy,
    a_policy_set,
    a_waiver,
    an_entry,
    some_facts,
)

ROOT = Path(__file__).parents[2]


def read_sections() -> dict[str, str]:
    """Return the text under every heading of the second level."""
    parts = re.split(r"^## (.+)$", (ROOT / "docs/rules.md").read_text(), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def make_examples() -> list[Finding]:
    """Return what netaudit finds in the situations the document describes."""
    policy = a_policy(
        an_entry("telnet", "23/tcp", action="deny", service="telnet", reason="clear-text login"),
        an_entry("postgresql", "5432/tcp", service="postgresql", bind="loopback"),
        an_entry("https", "443/tcp", service="https", required=True, reason="public site"),
        an_entry("http", "80/tcp"),
        an_entry("app", "8443/tcp", owner={"process": ("nginx",)}),
        waivers=(a_waiver("w-17", "9443/tcp", expires=date(2025, 12, 31)),),
        bounds=(a_bound("CLOSE_WAIT", 500, reason="the pool keeps 400"), a_bound(None, 100)),
    )
    twins = [
        a_listener(address, port, service=service)
        for port, service in ((23, "telnet"), (9100, None), (5432, "postgresql"))
        for address in ("0.0.0.0", "::")
    ]
    twins += [a_listener(port=80, service="http", pending_accepts=129)]
    twins += [a_listener(port=9443), a_held_listener(port=8443, owners=(Owner(pid=9, comm="nc", exe="/usr/bin/nc"),))]
    system = System(collected_at=NOW, states={"tcp": {"CLOSE_WAIT": 612}})
    facts = some_facts(*twins, services={"4444/tcp": "https"}, system=system)
    seen = evaluate(a_host(), facts, a_policy_set(policy), NOW)
    gap = some_facts(gaps=(Gap(source="udp6", reason="the table was cut off after 31 rows"),))
    unseen = evaluate(a_host(groups=("lab",)), gap, a_policy_set(), NOW)
    failure = Failure(phase="auth", code="auth-refused", message="the server refused every key")
    return [*seen.findings, *unseen.findings, report_unreachable(a_host("db-01", address="10.0.0.21"), failure)]


EXAMPLES = make_examples()


def test_every_rule_has_its_section() -> None:
    assert set(read_sections()) == set(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_a_section_says_what_why_and_how(rule: str) -> None:
    text = read_sections()[rule]
    assert all(f"**{part}.**" in text for part in ("Why it matters", "Example", "How to fix"))


@pytest.mark.parametrize("rule", RULES)
def test_an_example_is_what_is_really_said(rule: str) -> None:
    said = [f"```\n{finding.subject}\n{finding.message}\n```" for finding in EXAMPLES if finding.rule == rule]
    assert any(one in read_sections()[rule] for one in said), said


def test_every_rule_module_is_asked() -> None:
    every = (*LISTENER_RULES.values(), *PORT_RULES, *QUEUE_RULES, *HOST_RULES)
    asked = {rule.__module__.rpartition(".")[2] for rule in every}
    modules = {path.stem for path in (ROOT / "auditor/evaluate/rules").glob("*.py")} - {
        "__init__",
        "unreachable",
        "expired_waiver",
    }
    assert asked == modules
