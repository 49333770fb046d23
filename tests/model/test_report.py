"""Where a run's verdict, counts and exit code are made: once, and never in favour of what is not known."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from auditor.model.facts import Gap, System
from auditor.model.finding import INCOMPLETE_RULES, RULES, Finding, RuleId, Waived
from auditor.model.origin import Origin
from auditor.model.policy import SEVERITIES, Severity, severity_rank
from auditor.model.report import (
    AuditReport,
    Generator,
    HostReport,
    Hygiene,
    InventoryRef,
    Run,
    build_report,
    decides,
    interrupt_report,
    judge_host,
)
from auditor.model.transcript import Failure

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WAIVED = Waived(waiver="w-1", reason="migration", owner="ops", expires="2026-12-31")
REFUSED = Failure(phase="auth", code="auth-refused", message="no")
TIMEOUT = Failure(phase="tcp", code="tcp-timeout", message="no")


def a_finding(rule: RuleId = "unexpected-listener", severity: Severity = "high", waived: bool = False) -> Finding:
    text = f"{rule} {severity} {waived}"
    return Finding(
        id="0" * 32, rule=rule, severity=severity, subject=text, message=text, waived=WAIVED if waived else None
    )


def a_result(name: str, *findings: Finding, failure: Failure | None = None, fail_on: Severity = "low") -> HostReport:
    gaps = tuple(Gap(source="udp", reason="cut off") for finding in findings if finding.rule == "evidence-gap")
    return HostReport(
        name=name,
        address=name,
        groups=(),
        status=judge_host(findings, failure, fail_on),
        policies=("base",),
        error=failure,
        facts=None if failure else System(collected_at=NOW),
        gaps=() if failure else gaps,
        findings=findings,
    )


def a_report(
    *hosts: HostReport,
    fail_on: Severity = "low",
    partial: bool = False,
    chosen: int | None = None,
    named: int | None = None,
) -> AuditReport:
    """Return the report of a run that was to audit `chosen` hosts of the `named` in its inventory."""
    inventory = InventoryRef(path="inventory.yaml", sha256="0" * 64, hosts=named)
    run = Run(id="r", started_at=NOW, finished_at=NOW, partial=partial, chosen=chosen, inventory=inventory, policies=())
    return build_report(run, hosts, (), fail_on, Generator(name="netaudit", version="0"))


@pytest.mark.parametrize(
    ("findings", "failure", "fail_on", "status"),
    [
        ((), None, "low", "compliant"),
        ((a_finding(severity="low"),), None, "low", "violating"),
        ((a_finding(severity="low"),), None, "critical", "violating"),  # the gate is the run's, not the host's
        ((a_finding(severity="info"),), None, "low", "compliant"),
        ((a_finding(severity="info"),), None, "info", "violating"),
        ((a_finding(waived=True),), None, "low", "compliant"),
        ((a_finding("evidence-gap"),), None, "low", "incomplete"),
        ((a_finding("no-policy"),), None, "low", "incomplete"),
        ((a_finding("evidence-gap", waived=True),), None, "low", "incomplete"),  # a waiver gives no knowledge
        ((a_finding("evidence-gap"), a_finding()), None, "low", "violating"),
        ((a_finding("unreachable"),), REFUSED, "low", "unreachable"),
        ((a_finding(),), REFUSED, "low", "unreachable"),
    ],
)
def test_the_status_of_a_host(
    findings: tuple[Finding, ...], failure: Failure | None, fail_on: Severity, status: str
) -> None:
    assert judge_host(findings, failure, fail_on) == status


@pytest.mark.parametrize(
    ("rule", "severity", "waived", "fail_on", "expected"),
    [
        ("unexpected-listener", "high", False, "low", True),
        ("unexpected-listener", "high", False, "high", True),
        ("unexpected-listener", "high", False, "critical", False),
        ("unexpected-listener", "info", False, "low", False),
        ("unexpected-listener", "info", False, "info", True),
        ("unexpected-listener", "critical", True, "info", False),
        ("evidence-gap", "critical", False, "info", False),
    ],
)
def test_what_fails_a_run(rule: RuleId, severity: Severity, waived: bool, fail_on: Severity, expected: bool) -> None:
    assert decides(a_finding(rule, severity, waived), fail_on) is expected


BAD = a_result("bad", a_finding(severity="critical"), a_finding(severity="high"), a_finding(severity="info"))
GAP = a_result("gap", a_finding("evidence-gap"))
BOTH = a_result("both", a_finding("evidence-gap"), a_finding(severity="low"))
LOST = [a_result(f"lost-{index}", failure=REFUSED) for index in range(3)]
SLOW = a_result("slow", failure=TIMEOUT)
GOOD = a_result("good", a_finding(severity="info"), a_finding(waived=True))


@pytest.mark.parametrize(
    ("hosts", "verdict", "code", "reasons"),
    [
        ([GOOD], "pass", 0, ["1 of 1 host audited, nothing at or above low (1 finding below it)"]),
        ([a_result("a"), a_result("b")], "pass", 0, ["2 of 2 hosts audited, nothing at or above low"]),
        ([BAD, GOOD], "fail", 1, ["2 findings at or above low on 1 host (1 critical, 1 high)"]),
        ([GAP, GOOD], "incomplete", 3, ["1 of 2 hosts not fully audited (1 evidence-gap)"]),
        (
            [*LOST, SLOW, GOOD],
            "incomplete",
            3,
            ["4 of 5 hosts not audited (3 auth-refused, 1 tcp-timeout)"],
        ),
        (
            [BAD, BOTH, SLOW],
            "fail",
            1,
            [
                "3 findings at or above low on 2 hosts (1 critical, 1 high, 1 low)",
                "1 of 3 hosts not audited (1 tcp-timeout)",
                "1 of 3 hosts not fully audited (1 evidence-gap)",
            ],
        ),
    ],
)
def test_the_verdict_and_every_reason_for_it(
    hosts: list[HostReport], verdict: str, code: int, reasons: list[str]
) -> None:
    report = a_report(*hosts)
    assert (report.verdict, report.exit.code, list(report.exit.reasons)) == (verdict, code, reasons)


def test_a_run_that_was_cut_short_is_no_pass() -> None:
    report = a_report(GOOD, partial=True)
    assert (report.verdict, report.exit.code) == ("incomplete", 3)
    assert report.exit.reasons == ("the run was interrupted or its evidence is cut off, and hosts may be missing",)


@pytest.mark.parametrize(
    ("hosts", "verdict", "reasons"),
    [
        ([GOOD], "incomplete", ["interrupted after 1 of 8 hosts"]),
        ([], "incomplete", ["interrupted after 0 of 8 hosts"]),
        (
            [BAD],
            "fail",
            ["interrupted after 1 of 8 hosts", "2 findings at or above low on 1 host (1 critical, 1 high)"],
        ),
        ([SLOW], "incomplete", ["interrupted after 1 of 8 hosts", "1 of 1 host not audited (1 tcp-timeout)"]),
    ],
)
@pytest.mark.parametrize("partial", [True, False])
def test_a_signal_comes_first(hosts: list[HostReport], verdict: str, reasons: list[str], partial: bool) -> None:
    report = interrupt_report(a_report(*hosts, partial=partial), 130, of=8)
    assert (report.verdict, report.exit.code, list(report.exit.reasons)) == (verdict, 130, reasons)
    assert report.run.partial


def test_what_a_limit_left_out_is_said_beside_every_verdict() -> None:
    said = "12 of the inventory's 13 hosts were not chosen (--limit)"
    for host in (GOOD, BAD, SLOW):
        report = a_report(host, chosen=1, named=13)
        assert report.exit.reasons[-1] == said
        assert len(report.exit.reasons) == 2
        assert interrupt_report(report, 130, of=1).exit.reasons[-1] == said
    assert len(a_report(GOOD, chosen=1, named=1).exit.reasons) == 1


def test_hosts_that_are_missing_are_counted_where_it_is_known_how_many_there_were() -> None:
    report = a_report(GOOD, partial=True, chosen=13, named=13)
    assert report.exit.reasons[0].endswith("evidence is cut off, and 12 of 13 hosts are missing")
    assert report.asked == 13
    assert (report.run.left_out, a_report(GOOD).asked, a_report(GOOD).run.left_out) == (0, 1, 0)


def test_no_host_is_a_pass_that_says_that_nothing_was_audited() -> None:
    report = a_report()
    assert (report.verdict, report.exit.code) == ("pass", 0)
    assert report.exit.reasons == ("nothing was audited: there was no host",)


def test_a_signal_when_the_number_of_hosts_is_not_known() -> None:
    assert interrupt_report(a_report(GOOD), 143, of=0).exit.reasons == ("interrupted after 1 host",)


def test_notes_are_sorted_by_place() -> None:
    notes = [Hygiene(kind="unused", message="x", origin=Origin(file="a.yaml", line=line)) for line in (10, 9)]
    report = a_report()
    built = build_report(report.run, (), notes, "low", report.generator)
    assert [note.origin.line for note in built.hygiene] == [9, 10]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"gaps": (Gap(source="udp", reason="cut off"),)}, id="a gap"),
        pytest.param({"findings": (a_finding("no-policy"),)}, id="no policy"),
        pytest.param({"facts": None}, id="no facts"),
        pytest.param({"error": REFUSED}, id="an error beside facts"),
        pytest.param({"status": "unreachable"}, id="unreachable without an error"),
    ],
)
def test_a_host_report_that_contradicts_itself_cannot_be_made(change: dict[str, Any]) -> None:
    good = a_result("web-01")
    fields: dict[str, Any] = {name: getattr(good, name) for name in HostReport.model_fields}
    HostReport(**fields)
    with pytest.raises(ValidationError):
        HostReport(**{**fields, **change})


findings = st.builds(a_finding, st.sampled_from(RULES), st.sampled_from(SEVERITIES), st.booleans())
results = st.builds(
    lambda name, found, failure, fail_on: a_result(name, *found, failure=failure, fail_on=fail_on),
    st.from_regex(r"[a-z]{1,3}", fullmatch=True),
    st.lists(findings, max_size=4),
    st.sampled_from([None, None, None, REFUSED, TIMEOUT]),
    st.just("low"),
)
fleets = st.lists(results, max_size=5, unique_by=lambda host: host.name)


@given(fleets, st.sampled_from(SEVERITIES))
def test_counts_add_up(hosts: list[HostReport], fail_on: Severity) -> None:
    summary = a_report(*hosts, fail_on=fail_on).summary
    counts = summary.hosts
    assert counts.total == counts.compliant + counts.violating + counts.incomplete + counts.unreachable == len(hosts)
    counted = [each for host in hosts for each in host.findings if each.rule not in INCOMPLETE_RULES]
    assert sum(summary.findings.model_dump().values()) == len(counted)
    assert summary.findings.waived == sum(each.waived is not None for each in counted)


@given(fleets, st.sampled_from(SEVERITIES), st.booleans())
def test_what_is_not_known_never_passes(hosts: list[HostReport], fail_on: Severity, partial: bool) -> None:
    report = a_report(*hosts, fail_on=fail_on, partial=partial)
    failing = any(decides(each, fail_on) for host in hosts for each in host.findings)
    unknown = partial or any(host.status in {"incomplete", "unreachable"} or not host.fully_audited for host in hosts)
    assert report.verdict == ("fail" if failing else "incomplete" if unknown else "pass")
    assert report.exit.code == {"fail": 1, "incomplete": 3, "pass": 0}[report.verdict]
    assert report.exit.reasons


@given(fleets.filter(lambda hosts: 1 < len(hosts) < 5))
def test_the_order_of_hosts_leaves_no_trace(hosts: list[HostReport]) -> None:
    first, *others = (a_report(*mixed) for mixed in permutations(hosts))
    assert all(other == first for other in others)
    assert [host.name for host in first.hosts] == sorted(host.name for host in hosts)


@given(findings, st.sampled_from(SEVERITIES), st.sampled_from(SEVERITIES))
def test_a_lower_gate_never_forgives(finding: Finding, one: Severity, other: Severity) -> None:
    low, high = sorted((one, other), key=severity_rank)
    assert decides(finding, low) or not decides(finding, high)
