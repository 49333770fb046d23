"""Waivers that are wrong, and how far ahead one may end."""

from datetime import date
from pathlib import Path

import pytest

from auditor.errors import DocumentError
from auditor.policies import load_policies
from tests.builders import told

TODAY = date(2026, 11, 22)
WHOLE = {"rule": "wrong-owner", "hosts": "web-03", "reason": "r", "owner": "o", "expires": "2026-12-31"}


def load(folder: Path, text: str) -> list[str]:
    """Return the problems of a policy with one waiver in line 4; none when it loads."""
    path = folder / "policy.yaml"
    path.write_text(f"version: 1\npolicy: p\nwaivers:\n  - {text}\n", encoding="utf-8")
    try:
        load_policies([path], TODAY)
    except DocumentError as error:
        return told(error)
    return []


def a_waiver(**changes: str | None) -> str:
    values = {**WHOLE, **changes}
    return "{" + ", ".join(f"{key}: {value}" for key, value in values.items() if value is not None) + "}"


def test_a_waiver_that_is_right(tmp_path: Path) -> None:
    assert load(tmp_path, a_waiver()) == []


@pytest.mark.parametrize("key", ["rule", "hosts", "reason", "owner", "expires"])
def test_who_why_and_until_when_must_be_said(tmp_path: Path, key: str) -> None:
    assert load(tmp_path, a_waiver(**{key: None})) == [f"4:5 the key '{key}' is missing | add `{key}: …`"]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"rule": "evidence-gap"},
            "evidence-gap says that something is not known, and cannot be waived | make it known",
        ),
        ({"rule": "no-policy"}, "no-policy says that something is not known, and cannot be waived | make it known"),
        ({"rule": "unreachable"}, "unreachable says that something is not known, and cannot be waived | make it known"),
        ({"rule": "expired-waiver"}, "an expired waiver cannot be waived | renew it"),
        (
            {"rule": "wrong-ovner"},
            "expected unexpected-listener, forbidden-listener, missing-listener, exposed-listener",
        ),
        ({"expires": "2026-02-30"}, "there is no day 2026-02-30 | write the last day it holds as year-month-day"),
        ({"expires": "31.12.2026"}, "'31.12.2026' is not a date | write the last day it holds as year-month-day"),
        ({"expires": "2026-12-31T00:00:00Z"}, "'2026-12-31T00:00:00Z' is not a date | write the last day"),
        ({"expires": "20261231"}, "20261231 is not a date | write the last day it holds as year-month-day"),
        ({"expires": "2026-W53-1"}, "'2026-W53-1' is not a date | write the last day"),
        ({"expires": "2027-11-24"}, "2027-11-24 is more than 366 days away | write 2027-11-23 or a day before it"),
        ({"port": "8443"}, "8443 without a protocol | write 8443/tcp, or 8443/udp"),
        ({"port": "1/tcp", "ports": "[2/tcp]"}, "expected one of port and ports, found both | write ports: […]"),
        (
            {"rule": "missing-listener", "bind": "loopback"},
            "missing-listener is about no listener, so none can be bound",
        ),
        ({"rule": "missing-listener", "process": "x"}, "missing-listener is about no listener, so none can be bound"),
        ({"rules": "wrong-owner"}, "unknown key 'rules' | here it is written rule, which takes a list too"),
        ({"groups": "web"}, "unknown key 'groups' | here it is written hosts; a waiver is for named hosts"),
        ({"until": "2026-12-31"}, "unknown key 'until' | here it is written expires"),
    ],
)
def test_a_mistake_in_a_waiver(tmp_path: Path, changes: dict[str, str], expected: str) -> None:
    [problem] = load(tmp_path, a_waiver(**changes))
    assert problem.partition(" ")[2].startswith(expected)


@pytest.mark.parametrize(
    ("expires", "days", "fine"),
    [
        ("2027-11-23", None, True),  # 366 days: a year from today, whether or not it has a 29 February
        ("2027-11-24", None, False),
        ("2026-12-22", 30, True),
        ("2026-12-23", 30, False),
        ("2036-11-19", 3650, True),
        ("2020-01-01", None, True),  # it has ended, which is a matter of the audit and not of the file
    ],
)
def test_how_far_ahead_a_waiver_may_end(tmp_path: Path, expires: str, days: int | None, fine: bool) -> None:
    path = tmp_path / "policy.yaml"
    limit = f"max_waiver_days: {days}\n" if days else ""
    path.write_text(f"version: 1\npolicy: p\n{limit}waivers: [{a_waiver(expires=expires)}]\n")
    load_policies([path])  # without a date nothing is too far ahead
    if fine:
        load_policies([path], TODAY)
    else:
        with pytest.raises(DocumentError, match="days away"):
            load_policies([path], TODAY)


def test_where_the_bound_itself_is_refused_no_waiver_is_called_too_long(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    text = f"version: 1\npolicy: p\nmax_waiver_days: 0\nwaivers:\n  - {a_waiver(expires='2028-12-31')}\n"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_policies([path], TODAY)
    assert told(caught.value) == ["3:18 expected at least 1, found 0 | "]


def test_two_waivers_have_two_ids(tmp_path: Path) -> None:
    same = a_waiver(id="w")
    problems = load(tmp_path, f"{same}\n  - {same}")
    assert problems == ["5:86 the id 'w' is already there, on line 4 | give this entry another id"]
