"""Laws of the comparison, and its caveats."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.diff import diff
from auditor.model.delta import Delta
from auditor.model.facts import Proto
from auditor.model.report import AuditReport, HostReport, PolicyRef
from tests.diff.pairs import ROOT, a_blind_host, a_seen_host, owned
from tests.reporters.fleet import (
    STARTED,
    a_bad_host,
    a_calm_host,
    a_finding,
    a_judged,
    a_lost_host,
    a_partial_host,
    a_report,
    digest,
    fleets,
    hostile_fleet,
)
from tests.reporters.naughty import NAUGHTY

ADDRESSES = ("0.0.0.0", "::", "127.0.0.1", "::1", "10.0.0.1", "8.8.8.8", "fe80::1")


@st.composite
def hosts(draw: st.DrawFn, name: str) -> HostReport:
    """Return a host in any state: calm, bad, lost, blind in one table, with any listeners and findings."""
    rows = draw(st.lists(st.tuples(st.sampled_from(ADDRESSES), st.integers(20, 23), st.booleans()), max_size=5))
    listeners = [owned(address, port) if known else a_judged(address, port) for address, port, known in rows]
    findings = [a_finding(name, subject=f"tcp {port}") for port in draw(st.sets(st.integers(20, 23), max_size=3))]
    match draw(st.sampled_from(["seen", "lost", "blind"])):
        case "lost":
            return a_lost_host(name)
        case "blind":
            source = draw(st.sampled_from(["tcp", "tcp6", "udp", "frame"]))
            return a_blind_host(*listeners, source=source, name=name, findings=findings)
        case _:
            return a_seen_host(*listeners, name=name, findings=findings)


@st.composite
def reports(draw: st.DrawFn) -> AuditReport:
    names = draw(st.sets(st.sampled_from(["a", "b", "c"]), max_size=3))
    return a_report(*(draw(hosts(name)) for name in sorted(names)))


@pytest.mark.parametrize("name", fleets())
def test_a_sample_does_not_differ_from_itself(name: str) -> None:
    delta = diff(fleets()[name], fleets()[name])
    assert delta.empty
    assert delta.comparable
    assert not delta.worse


@pytest.mark.parametrize("text", NAUGHTY)
def test_nor_does_a_hostile_one(text: str) -> None:
    assert diff(hostile_fleet(text), hostile_fleet(text)).empty


def test_ports_of_a_host_are_in_order_whatever_their_protocol() -> None:
    ports: list[tuple[int, Proto]] = [(443, "tcp"), (53, "udp"), (8080, "tcp"), (53, "tcp"), (9, "udp")]
    listeners = [a_judged("0.0.0.0", port, proto=proto) for port, proto in ports]
    delta = diff(a_report(a_seen_host()), a_report(a_seen_host(*listeners)))
    assert [(each.port, each.proto) for each in delta.listeners] == [
        (9, "udp"),
        (53, "tcp"),
        (53, "udp"),
        (443, "tcp"),
        (8080, "tcp"),
    ]


@given(reports())
def test_no_report_differs_from_itself(report: AuditReport) -> None:
    assert diff(report, report).empty


PAIRS = (("opened", "closed"), ("unobservable", "newly-observable"), ("rebound", "rebound"), ("replaced", "replaced"))
OPPOSITE = {one: other for pair in PAIRS for one, other in (pair, pair[::-1])}


@settings(max_examples=50)
@given(reports(), reports())
def test_backwards_everything_is_the_opposite(old: AuditReport, new: AuditReport) -> None:
    forth, back = diff(old, new), diff(new, old)
    turned = {(OPPOSITE[each.kind], each.host, each.port, each.after, each.before) for each in forth.listeners}
    assert turned == {(each.kind, each.host, each.port, each.before, each.after) for each in back.listeners}
    ways = {"widened": "narrowed", "narrowed": "widened", "moved": "moved"}
    turns = {(each.host, each.port, ways[each.direction]) for each in forth.listeners if each.direction}
    assert turns == {(each.host, each.port, each.direction) for each in back.listeners if each.direction}


@settings(max_examples=50)
@given(reports(), reports())
def test_nothing_is_resolved_or_closed_on_a_host_nobody_could_look_at(old: AuditReport, new: AuditReport) -> None:
    delta = diff(old, new)
    audited = {host.name for host in new.hosts if host.fully_audited}
    reached = {host.name for host in new.hosts if host.error is None}
    assert {each.host for each in delta.findings if each.kind == "resolved"} <= audited
    assert {each.host for each in delta.listeners if each.kind == "closed"} <= reached


@settings(max_examples=50)
@given(reports(), reports())
def test_every_finding_is_accounted_for(old: AuditReport, new: AuditReport) -> None:
    """Old findings + new ones - resolved and unobservable ones = new report's findings."""
    delta = diff(old, new)

    def ids(report: AuditReport) -> set[str]:
        rules = {"unreachable", "evidence-gap", "no-policy"}
        return {finding.id for host in report.hosts for finding in host.findings if finding.rule not in rules}

    def of(*kinds: str) -> set[str]:
        return {each.finding.id for each in delta.findings if each.kind in kinds}

    assert (ids(old) | of("new")) - of("resolved", "unobservable") == ids(new)
    assert of("new") & ids(old) == set()


def caveats_of(old: Sequence[HostReport], new: Sequence[HostReport]) -> Delta:
    return diff(a_report(*old), a_report(*new))


def test_hosts_come_and_go() -> None:
    delta = caveats_of([a_calm_host("a"), a_calm_host("b")], [a_calm_host("b"), a_calm_host("c")])
    assert [(each.kind, each.host) for each in delta.hosts] == [("appeared", "c"), ("gone", "a")]


def test_another_privilege_is_said() -> None:
    delta = caveats_of([a_seen_host(facts=ROOT)], [a_seen_host()])
    assert [(each.kind, each.host) for each in delta.caveats] == [("privilege", "web-01")]
    assert "read as root before and as an unprivileged user now" in delta.caveats[0].message
    assert not delta.comparable


def test_other_tables_are_said() -> None:
    delta = caveats_of([a_seen_host()], [a_blind_host(source="udp6")])
    assert [(each.kind, each.message) for each in delta.caveats] == [
        ("tables", "not the same tables could be read: udp6 ok → denied")
    ]
    assert not delta.comparable


def test_other_gaps_are_said() -> None:
    delta = caveats_of([a_blind_host(source="frame")], [a_blind_host(source="session")])
    assert [each.message for each in delta.caveats] == [
        "not the same things could not be known: no longer: frame; now: session"
    ]


def test_other_policies_are_said_and_compare_all_the_same() -> None:
    old = a_report(a_bad_host("a"))
    refs = (*old.run.policies[1:], PolicyRef(name="base", path="policies/base.yaml", sha256=digest("edited")))
    new = old.model_copy(update={"run": old.run.model_copy(update={"policies": refs})})
    delta = diff(old, new)
    assert [each.kind for each in delta.caveats] == ["policies"]
    assert "the policies differ (base)" in delta.caveats[0].message
    assert delta.comparable


def test_reports_the_wrong_way_round_are_noticed() -> None:
    old = a_report(a_calm_host("a"))
    new = old.model_copy(update={"run": old.run.model_copy(update={"started_at": STARTED.replace(year=2025)})})
    assert [each.kind for each in diff(old, new).caveats] == ["order"]


def test_reports_of_other_hosts_altogether_do_not_compare() -> None:
    delta = caveats_of([a_calm_host("a")], [a_calm_host("b")])
    assert [each.kind for each in delta.caveats] == ["hosts"]
    assert not delta.comparable


def test_an_interrupted_run_is_noticed() -> None:
    delta = diff(a_report(a_calm_host("a")), a_report(a_calm_host("a"), partial=True))
    assert [each.kind for each in delta.caveats] == ["partial"]
    assert not delta.comparable


def test_everything_is_sorted_whatever_the_order_of_hosts() -> None:
    names = ["c", "a", "b"]
    delta = caveats_of(
        [a_seen_host(a_judged(port=1), name=name) for name in names], [a_partial_host(name) for name in names]
    )
    assert [(each.kind, each.host) for each in delta.listeners] == [
        (kind, host) for kind in ("opened", "unobservable") for host in ("a", "b", "c")
    ]
    assert [each.host for each in delta.caveats if each.host] == sorted(
        each.host for each in delta.caveats if each.host
    )
