"""Which controls a finding counts against: those of every policy it breaks, and of none that it keeps."""

import pytest

from auditor.evaluate import evaluate
from auditor.model.facts import Exposure
from auditor.model.finding import Finding
from auditor.model.policy import Policy
from tests.builders import NOW, a_bound, a_host, a_listener, a_policy, a_policy_set, an_entry, some_facts
from tests.evaluate.test_exposures import an_exposure

TELNET = an_entry("telnet", "23/tcp", action="deny", severity="critical", controls=("TELNET",))


def find(port: int, *policies: Policy, exposures: tuple[Exposure, ...] = ()) -> tuple[Finding, ...]:
    facts = some_facts(*([] if exposures else [a_listener("0.0.0.0", port)]), exposures=exposures)
    return evaluate(a_host(), facts, a_policy_set(*policies), NOW).findings


def test_what_nobody_allows_counts_against_every_policy_that_lists_what_may_listen() -> None:
    policies = (a_policy(name="base", controls=("BASE",)), a_policy(name="web", controls=("WEB", "BASE")))
    (finding,) = find(8080, *policies)
    assert finding.controls == ("BASE", "WEB")


@pytest.mark.parametrize("default", ["warn", "ignore"])
def test_a_policy_that_does_not_object_has_its_controls_met(default: str) -> None:
    (finding,) = find(8080, a_policy(controls=("BASE",)), a_policy(name="web", controls=("WEB",), default=default))
    assert finding.controls == ("BASE",)


def test_what_all_policies_only_warn_of_is_an_observation_of_all_of_them() -> None:
    policies = [a_policy(name=name, controls=(name.upper(),), default="warn") for name in ("base", "web")]
    (finding,) = find(8080, *policies)
    assert (finding.severity, finding.controls) == ("info", ("BASE", "WEB"))


def test_what_one_policy_forbids_counts_against_others_unless_they_allow_it() -> None:
    forbidding = a_policy(TELNET, name="base", controls=("BASE",))
    silent = a_policy(name="web", controls=("WEB",))
    allowing = a_policy(an_entry("old", "23/tcp", controls=("OLD",)), name="legacy", controls=("LEGACY",))
    (finding,) = find(23, forbidding, silent, allowing)
    assert finding.controls == ("TELNET", "BASE", "WEB")


def test_what_several_lines_forbid_counts_against_the_controls_of_each() -> None:
    other = an_entry("low-ports", "1-100/tcp", action="deny", severity="low", controls=("PORTS",))
    (finding,) = find(23, a_policy(TELNET), a_policy(other, name="web", controls=("WEB",)))
    assert finding.controls == ("TELNET", "PORTS", "WEB")


def test_what_is_wider_than_allowed_counts_against_a_policy_without_a_line_for_it() -> None:
    inside = an_entry("metrics", "9100/tcp", bind="loopback", controls=("INSIDE",))
    (finding,) = find(9100, a_policy(inside, controls=("BASE",)), a_policy(name="web", controls=("WEB",)))
    assert (finding.rule, finding.controls) == ("exposed-listener", ("INSIDE", "BASE", "WEB"))


def test_one_matter_of_two_policies_counts_against_the_controls_of_both() -> None:
    policies = [
        a_policy(name=name, bounds=(a_bound("CLOSE_WAIT", 5, policy=name),), controls=(name.upper(),))
        for name in ("base", "web")
    ]
    system = some_facts().system.model_copy(update={"states": {"tcp": {"CLOSE_WAIT": 6}}})
    (finding,) = evaluate(a_host(), some_facts(system=system), a_policy_set(*policies), NOW).findings
    assert (finding.rule, finding.controls) == ("connection-states", ("BASE", "WEB"))


def test_a_port_that_leads_elsewhere_counts_against_the_policies_that_ask_for_it() -> None:
    asking = [a_policy(name=name, exposures="deny", controls=(name.upper(),)) for name in ("base", "web")]
    other = a_policy(name="other", controls=("OTHER",))
    (finding,) = find(8080, *asking, other, exposures=(an_exposure(),))
    assert finding.controls == ("BASE", "WEB")
