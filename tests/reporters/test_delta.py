"""What changed, in text and Markdown: everything is said, and nothing in it acts."""

import json

import pytest

from auditor.diff import diff
from auditor.model.delta import Delta
from auditor.reporters import delta_json, delta_markdown, delta_text
from tests.diff.pairs import ROOT, a_blind_host, a_seen_host, owned
from tests.reporters.fleet import (
    a_calm_host,
    a_finding,
    a_judged,
    a_lost_host,
    a_report,
    hostile_fleet,
    twins,
)
from tests.reporters.naughty import NAUGHTY
from tests.reporters.test_markdown import assert_inert


def everything() -> Delta:
    """Return a comparison with each kind of change once."""
    bad, worse = a_finding("a"), a_finding("a", severity="low", subject="tcp 10.0.0.1:9")
    before = (
        a_seen_host(
            *(a_judged("127.0.0.1", 5432), a_judged(port=21), owned(), a_judged("0.0.0.0", 80)),
            name="a",
            findings=[bad, worse],
            facts=ROOT,
        ),
        a_seen_host(*twins(25), name="b", findings=[a_finding("b")]),
        a_seen_host(name="c"),
        a_lost_host("d"),
        a_calm_host("e"),
    )
    after = (
        a_seen_host(
            *(a_judged("0.0.0.0", 5432), *twins(8080), owned(exe="/tmp/x"), a_judged("10.0.0.1", 80)),
            name="a",
            findings=[worse.model_copy(update={"severity": "critical"}), a_finding("a", subject="tcp 10.0.0.1:10")],
        ),
        a_blind_host(a_judged(port=25), source="tcp6", name="b"),
        a_lost_host("c"),
        a_seen_host(name="d"),
        a_calm_host("f"),
    )
    return diff(a_report(*before), a_report(*after))


def test_the_text_says_everything_findings_first() -> None:
    assert (
        delta_text.render(everything()).decode()
        == """\
WORSE  20260304T050607Z-7f3a → 20260304T050607Z-7f3a
  listeners: 1 opened, 1 closed, 1 widened, 1 narrowed, 1 replaced, 1 unobservable; findings: 1 unobservable, 1 new, \
1 changed, 1 resolved; hosts: 1 appeared, 1 gone, 1 lost, 1 regained

finding new  a  high  unexpected-listener  tcp 10.0.0.1:10
    Nothing allows 8080/tcp, and it is bound to every address.
finding changed  a  critical  unexpected-listener  tcp 10.0.0.1:9
    low → critical
finding resolved  a  high  unexpected-listener  tcp 0.0.0.0:8080 and [::]:8080
    Nothing allows 8080/tcp, and it is bound to every address.
finding no longer observable  b  high  unexpected-listener  tcp 0.0.0.0:8080 and [::]:8080
    nobody knows whether it is still so (the host was not fully audited): Nothing allows 8080/tcp, and it is bound to \
every address.

listener opened  a  tcp 0.0.0.0:8080 and [::]:8080
listener closed  a  tcp 0.0.0.0:21
listener reaches less far  a  tcp 0.0.0.0:80 → 10.0.0.1:80 (http)
listener reaches further  a  tcp 127.0.0.1:5432 → 0.0.0.0:5432 (postgresql)
listener another owner  a  tcp 0.0.0.0:443: /usr/sbin/nginx, nginx.service, as root → /tmp/x, nginx.service, as root \
(https)
listener no longer observable  b  tcp [::]:25 (smtp)

host appeared  f
host gone  e
host lost  c  tcp-refused: c.example.com port 22: connection refused
host reached again  d

caveat  a: read as root before and as an unprivileged user now: owners and namespaces do not compare
caveat  b: not the same tables could be read: tcp6 ok → denied
"""
    )


def test_the_markdown_has_a_table_for_each_and_the_json_all_of_it() -> None:
    delta = everything()
    text = delta_markdown.render(delta).decode()
    assert [line for line in text.splitlines() if line.startswith("#")] == [
        "# netaudit diff: ❌ worse",
        "## Findings (4)",
        "## Listeners (6)",
        "## Hosts (4)",
        "## Caveats (2)",
    ]
    assert Delta.model_validate(json.loads(delta_json.render(delta))) == delta


def test_nothing_differs_in_few_words() -> None:
    report = a_report(a_calm_host("a"))
    assert delta_text.render(diff(report, report)).decode().splitlines()[1:] == ["  nothing differs"]
    assert len(delta_markdown.render(diff(report, report)).decode().splitlines()) == 3


def test_very_many_changes_are_cut_with_a_count() -> None:
    old, new = a_report(a_seen_host()), a_report(a_seen_host(*(a_judged(port=port) for port in range(1, 501))))
    text = delta_markdown.render(diff(old, new)).decode()
    assert "## Listeners (500)" in text
    assert "…and 300 more: `-o json` has them all." in text
    assert delta_text.render(diff(old, new)).decode().count("listener opened") == 500


@pytest.mark.parametrize("text", NAUGHTY)
def test_hostile_reports_compare_inertly(text: str) -> None:
    for delta in (diff(hostile_fleet(text), hostile_fleet("other")), diff(hostile_fleet("other"), hostile_fleet(text))):
        assert_inert(delta_markdown.render(delta))
        shown = delta_text.render(delta).decode()
        assert not set(shown.replace("\n", "")) & {chr(code) for code in (*range(32), 0x7F, 0x9B, 0x202E)}
        assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
        assert "##[" not in shown
        data = delta_json.render(delta)
        assert data.isascii()
        assert Delta.model_validate(json.loads(data)).worse == delta.worse
