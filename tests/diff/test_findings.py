"""Findings before and after: resolved only where we could look."""

import pytest

from auditor.diff import diff
from auditor.model.delta import Delta
from auditor.model.facts import Coverage
from auditor.model.finding import Waived
from auditor.model.origin import Origin
from auditor.model.report import HostReport
from tests.diff.pairs import a_blind_host, a_seen_host, some_tables
from tests.reporters.fleet import a_finding, a_host_report, a_judged, a_lost_host, a_partial_host, a_report, a_system

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


def reasons(delta: Delta) -> list[tuple[str, str]]:
    return [(each.kind, each.reason) for each in delta.findings]


INSIDE = a_finding("web-01", "forbidden-listener", subject="tcp 0.0.0.0:23 (telnet) in netns net:[4026532248]")
FORWARDED = a_finding("web-01", "forbidden-listener", subject="8080/tcp to 10.0.0.2:80 (nftables)")
NAMESPACES = Coverage(source="namespaces", status="ok")


def test_a_finding_in_another_namespace_is_resolved_only_where_those_were_read() -> None:
    before = a_seen_host(findings=[INSIDE, BAD], coverage=(*some_tables(), NAMESPACES))
    assert reasons(compare(before, a_seen_host(coverage=(*some_tables(), NAMESPACES)))) == [("resolved", "")] * 2
    assert reasons(compare(before, a_seen_host())) == [
        ("resolved", ""),
        ("unobservable", "other network namespaces than the host's own were not read"),
    ]


@pytest.mark.parametrize(
    ("nat", "why"),
    [
        (Coverage(source="nat", status="ok"), ""),
        (Coverage(source="nat", status="absent"), ""),
        (Coverage(source="nat", status="truncated"), "which ports NAT leads elsewhere is not known (truncated)"),
        (Coverage(source="nat", status="empty"), "which ports NAT leads elsewhere is not known (empty)"),
        (Coverage(source="nat", status="ok", rejected=1), "which ports NAT leads elsewhere is not known (ok in part)"),
        (None, "which ports NAT leads elsewhere is not known (not read)"),
    ],
)
def test_an_exposure_is_resolved_only_where_nat_was_read(nat: Coverage | None, why: str) -> None:
    before = a_seen_host(findings=[FORWARDED, BAD], coverage=(*some_tables(), Coverage(source="nat", status="ok")))
    after = a_seen_host(coverage=(*some_tables(), *([nat] if nat else [])))
    assert dict(reasons(compare(before, after))) == {"resolved": "", **({"unobservable": why} if why else {})}


def test_nat_of_another_namespace_resolves_nothing() -> None:
    nat = (*some_tables(), Coverage(source="nat", status="ok"))
    after = a_seen_host(coverage=nat, facts=a_system(reader_netns="other"))
    assert kinds(compare(a_seen_host(findings=[FORWARDED], coverage=nat), after)) == ["unobservable"]


def test_a_finding_of_a_policy_that_does_not_apply_any_more_is_not_resolved() -> None:
    of_base = a_finding("web-01", subject="tcp 0.0.0.0:9", origin=Origin(file="policies/base.yaml", line=1))
    delta = compare(a_seen_host(findings=[BAD, of_base]), a_seen_host(policies=("base",)))
    assert [(each.kind, each.finding, each.reason) for each in delta.findings] == [
        ("resolved", of_base, ""),
        ("unobservable", BAD, "other policies apply to the host: no longer web-tier"),
    ]
    assert [(each.kind, each.host, each.message) for each in delta.caveats] == [
        ("policies", "web-01", "not the same policies apply: no longer: web-tier")
    ]
    assert not delta.comparable


KEY = "ssh-ed25519 SHA256:J0zN3n5"


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("ssh-ed25519 SHA256:AAAA", "unobservable"),
        (KEY, "resolved"),
        ("ssh-rsa SHA256:BBBB", "resolved"),
        (None, "resolved"),
    ],
)
def test_another_machine_of_the_same_name_resolves_and_closes_nothing(key: str | None, kind: str) -> None:
    before = a_seen_host(a_judged(port=23), findings=[BAD], facts=a_system(host_key=KEY))
    delta = compare(before, a_seen_host(facts=a_system(host_key=key)))
    assert kinds(delta) == [kind]
    assert [each.kind for each in delta.listeners] == ["closed" if kind == "resolved" else "unobservable"]
    assert [each.kind for each in delta.caveats] == ([] if kind == "resolved" else ["machine"])
    assert delta.comparable == (kind == "resolved")


def test_a_socket_that_now_looks_like_a_clients_is_neither_closed_nor_resolved() -> None:
    found = a_finding("web-01", subject="udp 0.0.0.0:40000")
    other = a_finding("web-01", subject="udp 0.0.0.0:4000")
    before = a_seen_host(
        a_judged(port=40000, proto="udp"), findings=[found, other], facts=a_system(ephemeral_ports=(50000, 60999))
    )
    after = a_seen_host(a_judged("0.0.0.0", 40000, "ignored", "udp", kind="ephemeral-udp"))
    delta = compare(before, after)
    assert delta.listeners == ()
    assert {each.finding.subject: each.reason for each in delta.findings} == {
        "udp 0.0.0.0:40000": "the socket is still open, and now counts as a client's",
        "udp 0.0.0.0:4000": "",
    }
    assert [each.message for each in delta.caveats] == [
        "UDP sockets that are open in both are not judged alike: ephemeral ports 50000-60999 → 32768-60999"
    ]
    assert compare(after, before).listeners == ()
