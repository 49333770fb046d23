"""Listeners before and after: each class of change once, and what could not be seen is never called closed."""

from typing import Any

import pytest

from auditor.diff import diff
from auditor.model.delta import Delta
from auditor.model.facts import Coverage
from auditor.model.report import HostReport
from tests.diff.pairs import ROOT, a_blind_host, a_seen_host, alone, owned, some_tables
from tests.reporters.fleet import a_judged, a_lost_host, twins

WHOLE = (*some_tables(), Coverage(source="namespaces", status="ok"))
"""The coverage of a host whose other network namespaces were read, too."""


def compare(old: HostReport, new: HostReport) -> Delta:
    return diff(alone(old), alone(new))


def told(delta: Delta) -> list[tuple[object, ...]]:
    return [(each.kind, each.port, each.before, each.after, each.direction) for each in delta.listeners]


def test_opened() -> None:
    delta = compare(a_seen_host(a_judged(port=443)), a_seen_host(a_judged(port=443), *twins(8080)))
    assert told(delta) == [("opened", 8080, (), ("0.0.0.0", "::"), None)]
    assert delta.worse
    assert delta.comparable


def test_closed() -> None:
    delta = compare(a_seen_host(a_judged(port=443), *twins(8080)), a_seen_host(a_judged(port=443)))
    assert told(delta) == [("closed", 8080, ("0.0.0.0", "::"), (), None)]
    assert not delta.worse
    assert delta.comparable


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        (["127.0.0.1"], ["0.0.0.0"], "widened"),
        (["127.0.0.1"], ["10.0.0.1"], "widened"),
        (["10.0.0.1"], ["8.8.8.8"], "widened"),
        (["0.0.0.0"], ["0.0.0.0", "::"], "widened"),
        (["10.0.0.1"], ["10.0.0.1", "10.0.0.2"], "widened"),
        (["127.0.0.1"], ["10.0.0.1", "127.0.0.1"], "widened"),
        (["0.0.0.0"], ["127.0.0.1"], "narrowed"),
        (["0.0.0.0", "::"], ["0.0.0.0"], "narrowed"),
        (["10.0.0.1", "10.0.0.2"], ["10.0.0.1"], "narrowed"),
        (["::"], ["::1"], "narrowed"),
        (["10.0.0.1"], ["10.0.0.2"], "moved"),
        (["0.0.0.0"], ["::"], "moved"),
    ],
)
def test_rebound(before: list[str], after: list[str], direction: str) -> None:
    old, new = (a_seen_host(*(a_judged(address, 5432) for address in side)) for side in (before, after))
    assert told(compare(old, new)) == [("rebound", 5432, tuple(before), tuple(after), direction)]
    assert compare(old, new).worse == (direction != "narrowed")


@pytest.mark.parametrize(
    ("before", "after", "direction"),
    [
        ([("::", "yes")], [("127.0.0.1", None), ("::", "no")], "narrowed"),
        ([("127.0.0.1", None), ("::", "no")], [("::", "yes")], "widened"),
        ([("::", "yes")], [("127.0.0.1", None), ("::", "unknown")], "narrowed"),
        ([("0.0.0.0", None)], [("::", "yes")], "widened"),
        ([("0.0.0.0", None)], [("::", "unknown")], "moved"),
        ([("0.0.0.0", None), ("::", "no")], [("::", "yes")], "narrowed"),
        ([("0.0.0.0", None), ("10.0.0.1", None)], [("0.0.0.0", None)], "narrowed"),
        ([("::", "no")], [("0.0.0.0", None)], "moved"),
    ],
)
def test_a_socket_for_both_families_reaches_as_far_as_two(
    before: list[tuple[str, Any]], after: list[tuple[str, Any]], direction: str
) -> None:
    old, new = (
        a_seen_host(*(a_judged(address, 80, dual_stack=dual) for address, dual in side)) for side in (before, after)
    )
    assert [each.direction for each in compare(old, new).listeners] == [direction]


@pytest.mark.parametrize(
    "after",
    [
        {"comm": "apache2", "exe": "/usr/sbin/apache2", "unit": "apache2.service"},
        {"exe": "/tmp/nginx"},
        {"unit": "evil.service"},
        {"container": "c0ffee"},
        {"uid": 1001, "user": "deploy"},
    ],
)
def test_replaced(after: dict[str, Any]) -> None:
    delta = compare(a_seen_host(owned()), a_seen_host(owned(**after)))
    assert [each.kind for each in delta.listeners] == ["replaced"]
    assert delta.listeners[0].owners_before == ("/usr/sbin/nginx, nginx.service, as root",)
    assert delta.listeners[0].owners_after != delta.listeners[0].owners_before
    assert delta.worse


@pytest.mark.parametrize(
    "after",
    [
        {"pid": 4242},
        {"cmdline": "nginx: master process"},
        {"exe": "/usr/sbin/nginx (deleted)"},
        {"sockets": 8},
        {"pending_accepts": 3},
        {"raw": "   7: 00000000:01BB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99999"},
    ],
)
def test_a_restart_is_no_change(after: dict[str, Any]) -> None:
    assert compare(a_seen_host(owned()), a_seen_host(owned(**after))).empty


def test_an_owner_that_is_not_visible_is_not_another_owner() -> None:
    unseen = a_judged(owner_status="unprivileged", uid=0)
    assert told(compare(a_seen_host(owned()), a_seen_host(unseen))) == []
    assert told(compare(a_seen_host(unseen), a_seen_host(owned()))) == []


def test_the_user_alone_tells_an_owner_apart_because_the_table_itself_has_it() -> None:
    delta = compare(a_seen_host(a_judged(uid=33)), a_seen_host(a_judged(uid=0)))
    assert [each.kind for each in delta.listeners] == ["replaced"]
    assert (delta.listeners[0].owners_before, delta.listeners[0].owners_after) == (
        ("not-collected, as uid 33",),
        ("not-collected, as uid 0",),
    )


@pytest.mark.parametrize("twins", [(0, 65534), (65534, 0)])
def test_a_second_user_on_the_same_endpoint_is_one_more_owner(twins: tuple[int, int]) -> None:
    before, after = a_seen_host(a_judged(uid=0)), a_seen_host(*(a_judged(uid=uid) for uid in twins))
    [change] = compare(before, after).listeners
    assert change.kind == "replaced"
    assert change.owners_after == ("not-collected, as uid 0", "not-collected, as uid 65534")
    assert told(compare(after, after)) == []


def test_rebound_and_replaced_are_both_said() -> None:
    delta = compare(a_seen_host(owned("127.0.0.1")), a_seen_host(owned("0.0.0.0", exe="/tmp/x")))
    assert [each.kind for each in delta.listeners] == ["rebound", "replaced"]


def test_sockets_that_look_like_clients_are_left_out() -> None:
    client = a_judged("0.0.0.0", 40123, "ignored", "udp", kind="ephemeral-udp")
    assert compare(a_seen_host(), a_seen_host(client)).empty


def test_namespaces_and_protocols_are_told_apart() -> None:
    inside = a_judged(port=80, netns="4026532281")
    old, new = (a_seen_host(one, facts=ROOT, coverage=WHOLE) for one in (inside, a_judged(port=80)))
    assert [(each.kind, each.netns) for each in compare(old, new).listeners] == [
        ("opened", "host"),
        ("closed", "4026532281"),
    ]
    udp = compare(a_seen_host(a_judged(port=53)), a_seen_host(a_judged(port=53, proto="udp")))
    assert [(each.kind, each.proto) for each in udp.listeners] == [("opened", "udp"), ("closed", "tcp")]


@pytest.mark.parametrize("source", ["tcp", "frame", "session", "something-new"])
def test_what_is_gone_where_we_could_not_look_is_unobservable(source: str) -> None:
    delta = compare(a_seen_host(a_judged(port=23)), a_blind_host(source=source))
    assert told(delta) == [("unobservable", 23, ("0.0.0.0",), (), None)]
    assert not delta.worse
    assert not delta.comparable


@pytest.mark.parametrize("source", ["tcp", "frame"])
def test_what_appears_where_we_could_not_look_before_did_not_open_now(source: str) -> None:
    delta = compare(a_blind_host(source=source), a_seen_host(a_judged(port=23)))
    assert told(delta) == [("newly-observable", 23, (), ("0.0.0.0",), None)]
    assert not delta.worse


@pytest.mark.parametrize("source", ["udp6", "services", "unix", "icmp"])
def test_a_gap_elsewhere_does_not_hide_that_a_port_closed(source: str) -> None:
    delta = compare(a_seen_host(a_judged(port=23)), a_blind_host(source=source))
    assert [each.kind for each in delta.listeners] == ["closed"]


def test_one_twin_that_could_not_be_seen_narrows_nothing() -> None:
    old, new = a_seen_host(*twins(80)), a_blind_host(a_judged(port=80), source="tcp6")
    assert told(compare(old, new)) == [("unobservable", 80, ("::",), (), None)]
    assert told(compare(new, old)) == [("newly-observable", 80, (), ("::",), None)]


def test_the_seen_twin_still_tells_when_it_moved() -> None:
    old = a_seen_host(*twins(80))
    new = a_blind_host(a_judged("127.0.0.1", 80), source="tcp6")
    assert told(compare(old, new)) == [
        ("rebound", 80, ("0.0.0.0",), ("127.0.0.1",), "narrowed"),
        ("unobservable", 80, ("::",), (), None),
    ]


def test_an_ipv4_listener_in_the_ipv6_table_needs_that_table() -> None:
    mapped = a_judged(
        "10.0.0.1", 80, raw="0: 0000000000000000FFFF00000100000A:0050 00000000000000000000000000000000:0000 0A"
    )
    assert [each.kind for each in compare(a_seen_host(mapped), a_blind_host(source="tcp6")).listeners] == [
        "unobservable"
    ]
    assert [each.kind for each in compare(a_seen_host(mapped), a_blind_host(source="tcp")).listeners] == ["closed"]


def test_a_table_the_kernel_does_not_have_was_seen() -> None:
    """Without a gap an absent table holds nothing: SCTP not loaded, and then a listener on it."""
    before = a_seen_host().model_copy(update={"coverage": a_blind_host(source="sctp", status="absent").coverage})
    after = a_seen_host(a_judged(port=132, proto="sctp"))
    delta = compare(before, after)
    assert [each.kind for each in delta.listeners] == ["opened"]


def test_other_namespaces_must_be_read_to_be_called_closed() -> None:
    """Root alone does not read them: somebody has to ask."""
    inside = a_judged(port=80, netns="4026532281")
    before = a_seen_host(inside, facts=ROOT, coverage=WHOLE)
    for after, kind in (
        (a_seen_host(), "unobservable"),
        (a_seen_host(facts=ROOT), "unobservable"),
        (a_seen_host(facts=ROOT, coverage=WHOLE), "closed"),
    ):
        assert [each.kind for each in compare(before, after).listeners] == [kind]


@pytest.mark.parametrize("order", [1, -1])
def test_a_host_that_was_lost_opened_and_closed_nothing(order: int) -> None:
    pair = [a_seen_host(a_judged(port=23)), a_lost_host("web-01")][::order]
    delta = compare(*pair)
    assert delta.listeners == ()
    assert [each.kind for each in delta.hosts] == ["lost" if order == 1 else "regained"]
    assert delta.comparable == (order == -1)
