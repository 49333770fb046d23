"""Files of cases: what they may say, and every mistake at its place."""

from pathlib import Path

import pytest

from auditor.cases import find_cases, load_cases
from auditor.errors import DocumentError, UsageError
from tests.builders import a_policy, a_policy_set, a_waiver, an_entry, told

POLICIES = a_policy_set(a_policy(an_entry("https", "443/tcp"), waivers=(a_waiver("w-17", "443/tcp"),)))
GOOD = """\
version: 1
cases:
  - case: everything
    host: web-01
    groups: web
    labels: {env: prod}
    at: 2026-12-31
    services: {4444/tcp: https}
    listeners:
      tcp 0.0.0.0:443 nginx: allowed https
      udp [::]:53: ignored
    findings: [missing-listener web/ssh, no-policy]
  - case: a host where nothing listens
"""


def load(folder: Path, text: str) -> tuple[object, ...]:
    path = folder / "c.yaml"
    path.write_text(text)
    return load_cases([path], POLICIES)


def test_a_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(GOOD)
    first, second = load_cases([path], POLICIES)
    assert (first.name, first.host.name, first.host.groups, first.host.labels) == (
        "everything",
        "web-01",
        ("web",),
        {"env": "prod"},
    )
    assert str(first.at) == "2026-12-31 12:00:00+00:00"
    assert [str(one) for one in first.expectations] == ["allowed https", "ignored"]
    assert [str(one) for one in first.findings] == ["missing-listener web/ssh", "no-policy"]
    assert [one.origin.line for one in first.expectations] == [10, 11]
    assert first.facts.services == {"4444/tcp": "https"}
    assert (first.facts.gaps, second.facts.listeners, second.host.name) == ((), (), "host")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("tcp 0.0.0.0:443: allow", "5:24 'allow' is nothing that can be said of a listener | did you mean 'allowed'?"),
        (
            "tcp 0.0.0.0:443: exposed",
            "5:24 'exposed' is nothing that can be said of a listener | write exposed-listener",
        ),
        (
            "tcp 0.0.0.0:443: allowed by web https",
            "5:24 'allowed by web https' is more than a word and the id of an entry | write for example: allowed https",
        ),
        ("tcp 0.0.0.0:443: ' '", "5:24 ' ' is nothing that can be said of a listener | known are allowed"),
        ("tcp 0.0.0.0:443: ignored web", "5:24 no entry decides on what is ignored | write ignored alone"),
        (
            "tcp 0.0.0.0:443: waived w-17",
            "5:24 w-17 is a waiver, and here stands the entry that decides | write waived alone, or after it the id",
        ),
        ("tcp 0.0.0.0:443: waived base/w-17", "5:24 base/w-17 is a waiver, and here stands the entry that decides | "),
        ("tcp 0.0.0.0:443: waived htps", "5:24 no policy has an entry htps | did you mean 'https'?"),
        ("tcp 0.0.0.0:443: waived https w-17", "5:24 'waived https w-17' is more than a word and the id"),
        ("tcp 0.0.0.0: allowed", "5:7 '0.0.0.0' is not an address and a port | write for example"),
    ],
)
def test_a_mistake_in_a_listener(body: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as raised:
        load(tmp_path, f"version: 1\ncases:\n  - case: c\n    listeners:\n      {body}\n")
    (problem,) = told(raised.value)
    assert problem.startswith(expected)


@pytest.mark.parametrize("said", ["waived", "waived https", "waived base/https"])
def test_what_can_be_said_of_a_waived_listener(said: str, tmp_path: Path) -> None:
    text = f"version: 1\ncases:\n  - case: c\n    listeners:\n      tcp 0.0.0.0:443: {said}\n"
    assert len(load(tmp_path, text)) == 1


def test_one_place_twice(tmp_path: Path) -> None:
    body = "      tcp 0.0.0.0:1: allowed\n      tcp 0.0.0.0:1 nginx: allowed\n"
    with pytest.raises(DocumentError) as raised:
        load(tmp_path, f"version: 1\ncases:\n  - case: c\n    listeners:\n{body}")
    assert told(raised.value) == ["6:7 this is the listener of line 5 again | write it once"]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("at: 31.12.2026", "4:9 '31.12.2026' is not a date | write the year, the month and the day: 2026-12-31"),
        ("at: 2026-02-30", "4:9 2026-02-30 is not in the calendar | "),
        ("findings: [missing]", "4:16 'missing' is not a rule | "),
        (
            "findings: [exposed-listener x]",
            "4:16 exposed-listener is about a listener | write it behind that listener, under listeners",
        ),
        ("name: x", "4:5 unknown key 'name' | here it is written case"),
        ("missing: [x]", "4:5 unknown key 'missing' | here it is written findings: [missing-listener ID]"),
    ],
)
def test_a_mistake_in_a_case(line: str, expected: str, tmp_path: Path) -> None:
    with pytest.raises(DocumentError) as raised:
        load(tmp_path, f"version: 1\ncases:\n  - case: c\n    {line}\n")
    assert told(raised.value)[0].startswith(expected)


def test_mistakes_of_all_files_come_together(tmp_path: Path) -> None:
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    for path in paths:
        path.write_text("version: 1\ncases: []\n")
    with pytest.raises(DocumentError) as raised:
        load_cases(paths, POLICIES)
    assert [problem.file for problem in raised.value.problems] == [str(path) for path in paths]


def test_a_folder_without_cases_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there are no cases in"):
        find_cases(tmp_path)
