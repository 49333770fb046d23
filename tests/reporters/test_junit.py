"""JUnit XML: read by junitparser, unique names, within GitLab's limits, nothing lost on the way."""

import re
from collections import Counter
from xml.etree import ElementTree as ET

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from auditor.model.origin import Origin
from auditor.model.report import AuditReport, Hygiene, build_report
from auditor.reporters.junit import render
from tests.reporters.fleet import (
    a_calm_host,
    a_finding,
    a_host_report,
    a_lost_host,
    a_partial_host,
    a_report,
    fleets,
    hostile_fleet,
    mixed_fleet,
)
from tests.reporters.naughty import NAUGHTY

ROT = Hygiene(kind="unused-allow", message="nothing needs it", origin=Origin(file="p.yaml", line=1))


def suite_of(report: AuditReport) -> TestSuite:
    (suite,) = JUnitXml.fromstring(render(report))
    assert isinstance(suite, TestSuite)
    return suite


def cases_of(report: AuditReport) -> list[TestCase]:
    return list(suite_of(report))


def parse(data: bytes) -> ET.Element:
    return ET.fromstring(data)  # noqa: S314 - what we wrote ourselves


def outcome_of(case: TestCase) -> str:
    return str(case.result[0]._tag) if case.result else "passed"


def count_objects(data: bytes) -> int:
    """Count elements, attributes and texts, which is at least what any reader keeps."""
    elements = list(parse(data).iter())
    return sum(1 + len(each.attrib) + bool((each.text or "").strip()) for each in elements)


@pytest.mark.parametrize("name", fleets())
def test_the_counts_are_those_of_the_cases(name: str) -> None:
    suite = suite_of(fleets()[name])
    kinds = Counter(outcome_of(case) for case in suite)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (
        kinds.total(),
        kinds["failure"],
        kinds["error"],
        kinds["skipped"],
    )


def test_every_finding_of_the_mixed_fleet_is_a_case() -> None:
    shown = [(case.classname, case.name, outcome_of(case)) for case in cases_of(mixed_fleet())]
    assert shown == [
        ("netaudit.db.db-02", "exposed-listener tcp 0.0.0.0:5432", "failure"),
        ("netaudit.db.db-02", "missing-listener tcp 9100", "failure"),
        ("netaudit.db.db-03", "evidence-gap udp6", "error"),
        ("netaudit.edge.edge-01", "unreachable edge-01", "error"),
        ("netaudit.edge.edge-02", "unreachable edge-02", "error"),
        ("netaudit.web.web-03", "forbidden-listener tcp 0.0.0.0:23 and [::]:23", "failure"),
        ("netaudit.web.web-03", "unexpected-listener tcp 0.0.0.0:8080 and [::]:8080", "failure"),
        ("netaudit.web.web-03", "unexpected-listener tcp 10.0.0.12:8443", "skipped"),
        ("netaudit.db.db-01", "nothing found", "passed"),
        ("netaudit.web.web-01", "nothing found", "passed"),
        ("netaudit.edge.web-02", "nothing found", "passed"),
    ]


def test_a_failure_says_everything_in_its_text_which_is_what_gitlab_shows() -> None:
    failures = [case for case in cases_of(mixed_fleet()) if outcome_of(case) == "failure"]
    (result,) = failures[2].result
    assert isinstance(result, Failure)
    assert result.type == "forbidden-listener"
    assert result.text is not None
    lines = result.text.splitlines()
    assert lines[0] == "critical forbidden-listener on web-03 (web-03.example.com)"
    assert "systemctl disable --now telnet.socket" in lines
    assert "decided by: policies/base.yaml:31" in lines


def test_waived_is_skipped_and_not_audited_is_an_error() -> None:
    cases = cases_of(mixed_fleet())
    (skipped,) = [case.result[0] for case in cases if outcome_of(case) == "skipped"]
    assert isinstance(skipped, Skipped)
    assert skipped.message == "waived until 2026-12-31 by ops@example.com: migration"
    errors = [case.result[0] for case in cases if outcome_of(case) == "error"]
    assert {type(each) for each in errors} == {Error}
    assert "connection refused" in str(errors[1].text)


def test_info_passes_but_speaks() -> None:
    (case,) = cases_of(a_report(a_host_report("a", findings=[a_finding("a", severity="info")])))
    assert outcome_of(case) == "passed"
    assert "Nothing allows 8080/tcp" in str(case.system_out)


def test_a_host_never_passes_that_was_not_fully_audited() -> None:
    """Also where a report says `incomplete` without a finding that says why."""
    silent = a_partial_host("a").model_copy(update={"findings": ()})
    assert [outcome_of(case) for case in cases_of(a_report(silent))] == ["error"]


def test_properties_come_before_cases() -> None:
    children = [child.tag for child in parse(render(mixed_fleet()))[0]]
    assert children[0] == "properties"
    assert set(children[1:]) == {"testcase"}


def test_names_are_unique_and_dots_make_no_packages() -> None:
    gaps = [a_finding("a.b", "evidence-gap", subject="frame", message=word, id=word * 32) for word in "xy"]
    both = (a_host_report("a.b", findings=gaps), a_host_report("a_b", findings=gaps))
    cases = cases_of(a_report(*both))
    names = [(case.classname, case.name) for case in cases]
    assert len(set(names)) == len(names) == 4
    assert {case.classname for case in cases} == {"netaudit.web.a_b"}


def test_fifty_thousand_findings_stay_below_gitlabs_limits() -> None:
    """30 MB a file, and 250,000 XML objects."""
    hosts = [
        a_host_report(
            f"h{number:05d}",
            findings=[
                a_finding(f"h{number:05d}", subject=f"tcp 10.0.0.1:{port}", message="m" * 500) for port in range(10)
            ],
        )
        for number in range(5_000)
    ]
    report = a_report(*hosts, *(a_calm_host(f"ok{number}") for number in range(1_000)), a_lost_host("lost"))
    data = render(report)
    assert len(data) < 30_000_000
    assert count_objects(data) <= 250_000
    (suite,) = JUnitXml.fromstring(data)
    assert (suite.failures, suite.errors, suite.tests) == (5_000, 1, 6_001)
    assert "10 findings on h00000" in str(next(iter(suite)).result[0].text)


def test_very_many_bad_hosts_share_cases_by_group_and_none_is_lost() -> None:
    hosts = [
        a_host_report(f"h{n:06d}", findings=[a_finding(f"h{n}", id=f"{n:032x}")], groups=(f"g{n % 5}",))
        for n in range(40_000)
    ]
    data = render(a_report(*hosts))
    assert count_objects(data) <= 250_000
    texts = re.findall(rb"(\d+) findings on h", data)
    assert sum(map(int, texts)) == 40_000 * 2  # said in the message and in the text


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_is_well_formed_and_inert(text: str) -> None:
    data = render(hostile_fleet(text))
    root = parse(data)
    assert {each.tag for each in root.iter()} <= {
        *("testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out")
    }
    unsafe = set(data.decode()) & {chr(code) for code in (*range(10), *range(11, 32), 0x7F, 0x202E, 0xFFFE, 0xFFFF)}
    assert unsafe == set()
    assert suite_of(hostile_fleet(text)).tests == 5


def test_where_the_exit_code_is_not_0_a_case_says_why() -> None:
    cut = cases_of(fleets()["stopped"])
    assert [(case.classname, case.name, outcome_of(case)) for case in cut if outcome_of(case) != "passed"] == [
        ("netaudit", "the run as a whole", "error")
    ]
    assert "hosts may be missing" in cut[-1].result[0].message
    calm = a_report(a_host_report("a", findings=[a_finding("a", severity="info")]))
    for report, why in (
        (build_report(calm.run, calm.hosts, (), "info", calm.generator), "1 finding at or above info on 1 host"),
        (build_report(calm.run, calm.hosts, [ROT], "low", calm.generator, strict=True), "1 problem in the policies"),
    ):
        assert report.exit.code == 1
        assert [(outcome_of(case), case.result[0].message[: len(why)]) for case in cases_of(report)[1:]] == [
            ("failure", why)
        ]


def test_the_run_is_no_case_where_hosts_and_findings_say_it_all() -> None:
    whole = (fleets()[name] for name in ("mixed", "lost", "passing"))
    assert "the run as a whole" not in {case.name for report in whole for case in cases_of(report)}
    strict = build_report(mixed_fleet().run, mixed_fleet().hosts, [ROT], "low", mixed_fleet().generator, strict=True)
    assert cases_of(strict)[-1].result[0].message == "1 problem in the policies (1 unused-allow)"
