"""Findings before and after: resolved only where we could look."""

import pytest

from auditor.diff import diff
from auditor.model.delta import Delta
from auditor.model.finding import Waived
from auditor.model.report import HostReport
from tests.diff.pairs import a_blind_host, a_seen_host
from tests.reporters.fleet import a_finding, a_host_report, a_lost_host, a_partial_host, a_report

BAD = a_finding("web-01")
OTHER = a_finding("web-01", severity="low", subject="tcp 10.0.0.1:9")
WAIVED = Waived(waiver="w-1", reason="later", owner="ops", expires="2026-12-31")


def compare(old: HostReport | None, new: HostReport | None) -> Delta:
    return diff(a_report(*([old] if old else [])), a_report(*([new] if new else [])))


def kinds(delta: Delta) -> list[str]:
    return [each.kind for each in delta.findings]


def test_new_and_resolved() -> None:
    delta = compare(a_seen_host(findings=[BAD]), a_seen_host(findings=[OTHER]))
    assert [(each.kind, each.finding) for each in delta.findings] == [("new", OTHER), ("resolved", BAD)]
    assert delta.worse
    assert delta.comparable
    assert not compare(a_seen_host(findings=[BAD]), a_seen_host()).worse


def test_an_unreachable_host_never_counts_as_resolved() -> None:
    delta = compare(a_seen_host(findings=[BAD]), a_lost_host("web-01"))
    assert kinds(delta) == ["unobservable"]
    assert [(each.kind, each.reason.partition(":")[0]) for each in delta.hosts] == [("lost", "tcp-refused")]
    assert not delta.comparable


@pytest.mark.parametrize(
    "after",
    [
        a_blind_host(source="udp"),
        a_blind_host(source="frame"),
        a_partial_host("web-01"),
        a_host_report("web-01", findings=[a_finding("web-01", "no-policy", subject="policies")]),
    ],
)
def test_a_host_that_was_not_audited_wholly_resolves_nothing(after: HostReport) -> None:
    assert kinds(compare(a_seen_host(findings=[BAD]), after)) == ["unobservable"]


def test_a_host_that_left_the_inventory_resolves_nothing() -> None:
    delta = compare(a_seen_host(findings=[BAD]), None)
    assert kinds(delta) == ["unobservable"]
    assert [each.kind for each in delta.hosts] == ["gone"]


def test_a_host_that_is_new_brings_its_findings() -> None:
    delta = compare(None, a_seen_host(findings=[BAD]))
    assert kinds(delta) == ["new"]
    assert [each.kind for each in delta.hosts] == ["appeared"]
    assert delta.worse
    assert not compare(None, a_seen_host()).worse


@pytest.mark.parametrize(
    ("before", "after", "worse"),
    [
        (BAD, BAD.model_copy(update={"severity": "critical"}), True),
        (BAD, BAD.model_copy(update={"severity": "low"}), False),
        (BAD, BAD.model_copy(update={"waived": WAIVED}), False),
        (BAD.model_copy(update={"waived": WAIVED}), BAD, True),
    ],
)
def test_a_finding_that_is_rated_otherwise_is_changed(before: object, after: object, worse: bool) -> None:
    delta = compare(a_seen_host(findings=[before]), a_seen_host(findings=[after]))  # type: ignore[list-item] # findings
    assert [(each.kind, each.before, each.finding) for each in delta.findings] == [("changed", before, after)]
    assert delta.worse == worse


def test_a_reworded_or_moved_finding_is_the_same() -> None:
    moved = BAD.model_copy(update={"message": "said otherwise", "remediation": "x", "origin": None})
    assert compare(a_seen_host(findings=[BAD]), a_seen_host(findings=[moved])).empty


def test_a_new_finding_that_is_waived_is_new_but_no_worse() -> None:
    delta = compare(a_seen_host(), a_seen_host(findings=[BAD.model_copy(update={"waived": WAIVED})]))
    assert kinds(delta) == ["new"]
    assert not delta.worse


def test_what_makes_a_host_incomplete_is_said_of_the_host() -> None:
    delta = compare(a_seen_host(), a_lost_host("web-01"))
    assert delta.findings == ()
    assert [each.kind for each in delta.hosts] == ["lost"]
