"""GitLab Code Quality: the keys GitLab reads, in the form it reads them."""

import json
from typing import Any

import pytest
from jsonschema import validate

from auditor.model.origin import Origin
from auditor.model.report import AuditReport, Hygiene, build_report
from auditor.reporters.gitlab import render
from tests.reporters.fleet import fleets, hostile_fleet, mixed_fleet
from tests.reporters.naughty import NAUGHTY

# "Code Quality report format", GitLab documentation, doc/ci/testing/code_quality.md.
SCHEMA = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "minLength": 1},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}


def issues_of(report: AuditReport) -> list[dict[str, Any]]:
    data = render(report)
    assert data.startswith(b"[")  # no byte order mark
    issues = json.loads(data)
    validate(issues, SCHEMA)
    assert isinstance(issues, list)
    prints = [issue["fingerprint"] for issue in issues]
    assert len(set(prints)) == len(prints)
    return issues


@pytest.mark.parametrize("name", fleets())
def test_every_sample_is_valid(name: str) -> None:
    report = fleets()[name]
    assert len(issues_of(report)) == sum(len(host.findings) for host in report.hosts) + bool(report.unsaid)


def test_severities_and_places() -> None:
    shown = [(each["severity"], each["check_name"], each["location"]["path"]) for each in issues_of(mixed_fleet())]
    assert shown == [
        ("blocker", "forbidden-listener", "policies/base.yaml"),
        ("critical", "unexpected-listener", "policies/web.yaml"),
        ("critical", "evidence-gap", "policies/web.yaml"),
        ("critical", "unreachable", "policies/web.yaml"),
        ("critical", "unreachable", "policies/web.yaml"),
        ("major", "exposed-listener", "policies/web.yaml"),
        ("minor", "missing-listener", "policies/web.yaml"),
        ("info", "unexpected-listener", "policies/web.yaml"),
    ]


def test_a_waived_finding_says_so() -> None:
    (waived,) = [each for each in issues_of(mixed_fleet()) if each["severity"] == "info"]
    assert waived["description"].endswith("(waived until 2026-12-31 by ops@example.com: migration)")


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_is_valid_and_inert(text: str) -> None:
    issues = issues_of(hostile_fleet(text))
    assert len(issues) == 3
    assert render(hostile_fleet(text)).isascii()
    assert b"##[" not in render(hostile_fleet(text))
    assert all(len(issue["description"]) <= 1_000 and "\n" not in issue["description"] for issue in issues)


def test_where_the_exit_code_is_not_0_an_issue_says_why() -> None:
    [cut] = issues_of(fleets()["stopped"])
    assert (cut["check_name"], cut["severity"], cut["location"]["path"]) == ("run", "critical", "inventory.yaml")
    assert "hosts may be missing" in cut["description"]
    calm, rot = fleets()["passing"], Hygiene(kind="unused-allow", message="x", origin=Origin(file="p.yaml", line=1))
    [strict] = issues_of(build_report(calm.run, calm.hosts, [rot], "low", calm.generator, strict=True))
    assert strict["description"] == "1 problem in the policies (1 unused-allow)"
    assert issues_of(build_report(calm.run, calm.hosts, [rot], "low", calm.generator)) == []
