"""JSON Lines: every line a value, the hosts those of the JSON report, and an end that says it is whole."""

import json
from typing import Any

import pytest

from auditor.model.report import AuditReport
from auditor.reporters.json import render as render_json
from auditor.reporters.jsonl import render
from tests.reporters.fleet import fleets, hostile_fleet, mixed_fleet
from tests.reporters.naughty import NAUGHTY


def lines_of(report: AuditReport) -> list[dict[str, Any]]:
    return [json.loads(line) for line in render(report).decode("ascii").splitlines()]


@pytest.mark.parametrize("name", fleets())
def test_the_lines_make_up_the_json_report(name: str) -> None:
    """Every other format is derived from the report; so is everything in these lines."""
    report = fleets()[name]
    head, *hosts, end = lines_of(report)
    whole = json.loads(render_json(report))
    assert (head["kind"], end["kind"]) == ("netaudit.run", "netaudit.end")
    assert [line["host"] for line in hosts] == whole["hosts"]
    assert {line["kind"] for line in hosts} <= {"netaudit.host"}
    assert {**head["run"], "finished_at": end["finished_at"], "partial": end["partial"]} == whole["run"]
    assert head["generator"] == whole["generator"]
    for field in ("verdict", "exit", "summary", "hygiene"):
        assert end[field] == whole[field]


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_stays_one_value_a_line(text: str) -> None:
    data = render(hostile_fleet(text))
    assert data.isascii()
    assert set(data) & {*range(10), *range(11, 32), 0x7F} == set()
    assert b"##[" not in data
    assert len(lines_of(hostile_fleet(text))) == 5


def test_the_json_report_has_no_runner_command_either() -> None:
    data = render_json(hostile_fleet("##[error]forged"))
    assert b"##[" not in data
    assert json.loads(data)["hosts"][0]["address"] == "##[error]forged"
    assert len(lines_of(mixed_fleet())) == 10
