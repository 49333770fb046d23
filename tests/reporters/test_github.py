"""GitHub annotations: lexed as the runner does, no command forged, never more than GitHub shows."""

import re
from collections import Counter
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.finding import INCOMPLETE_RULES
from auditor.model.origin import Origin
from auditor.model.report import AuditReport
from auditor.reporters.github import render
from tests.reporters.fleet import (
    a_bad_host,
    a_finding,
    a_host_report,
    a_lost_host,
    a_report,
    hostile_fleet,
    large_fleet,
    mixed_fleet,
)
from tests.reporters.naughty import NAUGHTY


class Command(NamedTuple):
    name: str
    properties: dict[str, str]
    data: str


def lex(line: str) -> Command:
    """Read one command as actions/runner does: src/Runner.Common/ActionCommand.cs, TryParseV2."""
    assert line.lstrip().startswith("::")
    head, _, data = line.strip()[2:].partition("::")
    name, _, rest = head.partition(" ")
    pairs = [part.partition("=")[::2] for part in rest.strip().split(",") if part]
    return Command(name, {key: undo(value) for key, value in pairs}, undo(data))


def undo(text: str) -> str:
    for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, char)
    return text


def commands_of(report: AuditReport) -> list[Command]:
    lines = re.split(r"\r\n|\r|\n", render(report).decode())
    assert lines.pop() == ""
    return [lex(line) for line in lines]


def test_the_mixed_fleet_annotates_the_lines_that_decided() -> None:
    commands = commands_of(mixed_fleet())
    assert [(each.name, each.properties.get("title")) for each in commands] == [
        ("error", "unreachable on edge-02"),
        ("error", "forbidden-listener on web-03"),
        ("error", "unexpected-listener on web-03"),
        ("error", "evidence-gap on db-03"),
        ("error", "unreachable on edge-01"),
        ("warning", "exposed-listener on db-02"),
        ("warning", "missing-listener on db-02"),
        ("notice", "netaudit"),
    ]
    assert commands[1].properties == {
        "file": "policies/base.yaml",
        "line": "31",
        "col": "1",
        "title": "forbidden-listener on web-03",
    }
    assert commands[1].data.split("\n") == [
        "tcp 0.0.0.0:23 and [::]:23: telnet is forbidden: clear-text login.",
        "Disable telnet.socket:",
        "systemctl disable --now telnet.socket",
    ]
    assert commands[-1].data.startswith("FAIL, 5 of 8 hosts fully audited; 4 findings at or above low")


def test_no_more_than_github_shows_and_the_rest_is_counted() -> None:
    report = large_fleet(500)
    commands = commands_of(report)
    kinds = Counter(each.name for each in commands)
    assert max(kinds.values()) <= 10
    assert commands[0].properties["title"].startswith("forbidden-listener")
    found = [finding for host in report.hosts for finding in host.findings if finding.waived is None]
    unread = sum(finding.rule in INCOMPLETE_RULES for finding in found)
    told = [each.properties["title"].split(" on ")[0] for each in commands[:-1]]
    told_unread = sum(rule in INCOMPLETE_RULES for rule in told)
    rest = f"{len(found) - unread - len(told) + told_unread} more findings"
    assert commands[-1].data.endswith(
        f"; in the report: {rest} and {unread - told_unread} more notes on what could not be read"
    )
    assert f"{len(found) - unread} findings at or above" in commands[-1].data


def test_a_host_that_may_be_somebody_else_is_never_left_out() -> None:
    report = a_report(*(a_bad_host(f"a{at}") for at in range(12)), a_lost_host("z", "hostkey-changed"))
    assert commands_of(report)[0].properties["title"] == "unreachable on z"
    many = a_report(a_bad_host("a"), *(a_lost_host(f"z{at}", "hostkey-changed") for at in range(12)))
    titles = [each.properties["title"] for each in commands_of(many)]
    assert [title.split(" on ")[0] for title in titles[:5]] == ["unreachable"] * 3 + [
        "forbidden-listener",
        "unexpected-listener",
    ]


def test_the_total_keeps_its_place_among_notices() -> None:
    found = [a_finding("a", severity="info", subject=f"tcp 10.0.0.1:{port}") for port in range(30)]
    commands = commands_of(a_report(a_host_report("a", findings=found)))
    assert [each.name for each in commands] == ["notice"] * 10
    assert commands[-1].properties == {"title": "netaudit"}
    assert "21 more findings" in commands[-1].data


ALLOWED = {"error", "warning", "notice"}


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_forges_no_command(text: str) -> None:
    commands = commands_of(hostile_fleet(text))
    assert len(commands) == 3
    assert {each.name for each in commands} <= ALLOWED
    assert all(set(each.properties) <= {"file", "line", "col", "title"} for each in commands)
    assert not any(re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", each.data) for each in commands)


@given(st.text(alphabet="%:,=\n\r\x00 a0AD25C[]#", max_size=12), st.text(alphabet="%:,=a0AD25C", max_size=12))
def test_what_went_in_comes_out(message: str, file: str) -> None:
    finding = a_finding("a", message=message, remediation="", origin=Origin(file=f"x{file}", line=3))
    first = commands_of(a_report(a_host_report("a", findings=[finding])))[0]
    assert first.properties["file"] == f"x{file}"
    spelled = message.replace("\x00", "\\x00").replace("\n", "\\x0a").replace("\r", "\\x0d")
    assert first.data == f"{finding.subject}: {spelled}".rstrip()
