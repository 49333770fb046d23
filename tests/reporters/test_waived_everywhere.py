"""Whatever is found, and whatever of it is waived, every format can say it: what cannot be written says nothing."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.evaluate import evaluate, review_policies
from auditor.model.facts import HostFacts
from auditor.model.policy import WAIVABLE_RULES, Policy, PolicySet, Waiver
from auditor.model.report import AuditReport, HostReport, judge_host
from auditor.policies import load_policies
from auditor.reporters import FOLDERS, FORMATS, render, render_folder
from tests.builders import NOW, a_host, a_policy_set, a_waiver
from tests.evaluate.strategies import facts, policy_lists, waivers
from tests.reporters.every_finding import judge_fleet, write_policies
from tests.reporters.fleet import a_report

ALL = tuple(a_waiver(f"all-{rule}", rule=rule) for rule in WAIVABLE_RULES)


@cache
def every_policy() -> PolicySet:
    with TemporaryDirectory() as folder:
        write_policies(Path(folder))
        return load_policies([Path(folder)])


def with_waivers(policies: Sequence[Policy], added: Sequence[Waiver]) -> PolicySet:
    first, *others = policies
    mine = (*first.waivers, *(waiver.model_copy(update={"policy": first.name}) for waiver in added))
    return a_policy_set(first.model_copy(update={"waivers": mine}), *others)


def render_everything(report: AuditReport) -> None:
    for name in FORMATS:
        assert render(report, name) is not None
    for name in FOLDERS:
        assert dict(render_folder(report, name))


def test_every_rule_waived_for_every_port_is_rendered() -> None:
    report = judge_fleet(with_waivers(every_policy().policies, ALL))
    rules = {finding.rule for host in report.hosts for finding in host.findings if finding.waived}
    assert rules == set(WAIVABLE_RULES)
    render_everything(report)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(added=st.lists(st.one_of(st.sampled_from(ALL), waivers()), max_size=8))
def test_a_fleet_with_every_finding_and_any_waivers_is_rendered(added: list[Waiver]) -> None:
    render_everything(judge_fleet(with_waivers(every_policy().policies, added)))


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seen=facts(), applying=policy_lists, added=st.lists(st.sampled_from(ALL), max_size=8))
def test_any_host_with_any_policies_and_waivers_is_rendered(
    seen: HostFacts, applying: tuple[Policy, ...], added: list[Waiver]
) -> None:
    policies = with_waivers(applying, added) if applying else a_policy_set()
    judgement = evaluate(a_host(), seen, policies, NOW)
    host = HostReport(
        name="web-01",
        address="web-01",
        groups=(),
        status=judge_host(judgement.findings, None, "low"),
        policies=judgement.policies,
        error=None,
        facts=seen.system,
        coverage=seen.coverage,
        gaps=seen.gaps,
        listeners=judgement.listeners,
        findings=judgement.findings,
    )
    render_everything(a_report(host, hygiene=review_policies(policies, [host], NOW)))
