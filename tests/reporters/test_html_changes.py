"""The Changes tab: every class of change under its own title, and what cannot be told is never called resolved."""

from typing import Any

import pytest

from auditor.model.delta import Caveat, Delta, FindingChange, HostChange, ListenerChange, RunRef
from auditor.model.finding import Waived
from auditor.model.report import AuditReport
from auditor.reporters.html import render
from tests.reporters.fleet import FINISHED, a_finding, mixed_fleet
from tests.reporters.test_html import Reader, squeeze


def a_delta(**fields: Any) -> Delta:
    side = {name: RunRef(id=f"run-{name}", finished_at=FINISHED) for name in ("old", "new")}
    return Delta.model_validate({**side, **fields})


def compared(delta: Delta) -> AuditReport:
    return mixed_fleet().model_copy(update={"changes": delta})


def read_tab(delta: Delta) -> str:
    text = squeeze(Reader(render(compared(delta))).text)
    return text[text.index("Compared with run") : text.index("This run ")]


def test_every_class_of_change_is_told_apart() -> None:
    listener: dict[str, Any] = {"host": "web-01", "netns": "host", "proto": "tcp"}
    tab = read_tab(
        a_delta(
            hosts=(
                HostChange(kind="appeared", host="new-01"),
                HostChange(kind="gone", host="old-01"),
                HostChange(kind="lost", host="lost-01", reason="connection refused"),
                HostChange(kind="regained", host="back-01"),
            ),
            listeners=(
                ListenerChange(kind="opened", port=8080, after=("0.0.0.0",), **listener),
                ListenerChange(kind="closed", port=25, before=("::",), **listener),
                ListenerChange(
                    kind="rebound",
                    port=5432,
                    before=("127.0.0.1",),
                    after=("0.0.0.0",),
                    direction="widened",
                    **listener,
                ),
                ListenerChange(
                    kind="replaced", port=443, owners_before=("nginx",), owners_after=("nc",), after=("::",), **listener
                ),
                ListenerChange(kind="unobservable", port=53, before=("0.0.0.0",), **listener),
                ListenerChange(kind="newly-observable", port=54, after=("0.0.0.0",), **listener),
            ),
            findings=tuple(
                FindingChange(kind=kind, host="web-01", finding=a_finding("web-01", message=f"it is {kind}"))
                for kind in ("new", "changed", "resolved", "unobservable")
            ),
            caveats=(Caveat(kind="privilege", host="db-01", message="read as root before, not now"),),
        )
    )
    for part in (
        "These two runs do not compare wholly db-01 : read as root before, not now",
        "New findings 1 Severity Host What How high web-01 tcp 0.0.0.0:8080 and [::]:8080 it is new",
        "Resolved findings 1 Severity Host What How high web-01 tcp 0.0.0.0:8080 and [::]:8080 it is resolved",
        "Findings that can no longer be told 1",
        "Opened 1 Host What How web-01 8080/tcp 0.0.0.0:8080",
        "Closed 1 Host What How web-01 25/tcp [::]:25",
        "Bound elsewhere 1 Host What How web-01 5432/tcp widened: 127.0.0.1:5432 → 0.0.0.0:5432",
        "In other hands 1 Host What How web-01 443/tcp [::]:443; nginx → nc",
        "Listeners that can no longer be told 1 Host What How web-01 53/tcp",
        "Visible only now 1",
        "Hosts that could not be reached this time 1 Host Why lost-01 connection refused",
        "Hosts that are new 1 Host new-01",
        "Hosts that are gone 1 Host old-01",
    ):
        assert part in tab, part


def test_the_cards_count_what_changed() -> None:
    change = FindingChange(kind="unobservable", host="a", finding=a_finding("a"))
    text = squeeze(Reader(render(compared(a_delta(findings=(change,))))).text)
    assert "Since run-old 0 new 0 resolved 1 findings that can no longer be told" in text


def test_what_is_waived_is_not_counted_as_new() -> None:
    waived = Waived(waiver="w-1", reason="until it is replaced", owner="net", expires="2026-12-31")
    changes = tuple(
        FindingChange(kind="new", host="a", finding=a_finding("a", subject=f"tcp 0.0.0.0:{port}", waived=covered))
        for port, covered in ((1, None), (2, waived), (3, waived))
    )
    text = squeeze(Reader(render(compared(a_delta(findings=changes)))).text)
    assert "Since run-old 1 new 2 new, and waived 0 resolved" in text
    assert "New findings 3 Severity Host What How high a tcp 0.0.0.0:1" in text
    assert "waived a tcp 0.0.0.0:2" in text


def test_a_changed_finding_says_what_it_was() -> None:
    now, before = a_finding("a", severity="critical"), a_finding("a", severity="low")
    tab = read_tab(a_delta(findings=(FindingChange(kind="changed", host="a", finding=now, before=before),)))
    assert "It was low." in tab


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "No worse."),
        ({"findings": [("new", None)]}, "Worse: something opened, reaches further, changed hands, or is newly wrong."),
        ({"findings": [("resolved", None)]}, "Better: something closed or was resolved, and nothing got worse."),
        ({"findings": [("unobservable", None)]}, "No worse, in what could be compared; not everything could."),
    ],
)
def test_the_tab_says_whether_it_got_worse(fields: dict[str, Any], said: str) -> None:
    found = fields.get("findings", [])
    findings = tuple(FindingChange(kind=kind, host="a", finding=a_finding("a"), before=one) for kind, one in found)
    assert said in read_tab(a_delta(findings=findings))


def test_nothing_changed_and_not_compared_are_two_things() -> None:
    assert "Nothing differs." in read_tab(a_delta())
    assert "Not measured: this run was not compared with an earlier one." in squeeze(Reader(render(mixed_fleet())).text)


def test_hostile_changes_do_not_change_the_structure() -> None:
    def skeleton(text: str) -> list[tuple[str, ...]]:
        change = ListenerChange(
            kind="opened", host=text, netns=text, proto="tcp", port=1, service=text, after=(text,), owners_after=(text,)
        )
        delta = a_delta(
            listeners=(change,),
            hosts=(HostChange(kind="lost", host=text, reason=text),),
            caveats=(Caveat(kind="gaps", host=text, message=text),),
        )
        return Reader(render(compared(delta))).skeleton

    assert skeleton("<script>alert(1)</script>") == skeleton("plain")
