"""What a change of policies changes: hosts and findings that newly pass or fail, and inert Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from auditor.evaluate import evaluate
from auditor.impact import Impact, compare, render_markdown
from auditor.model.facts import HostFacts, Listener
from auditor.model.policy import Policy, Selector
from auditor.model.report import HostReport, judge_host
from tests.builders import NOW, a_host, a_listener, a_policy, a_policy_set, an_entry, some_facts

OLD = a_policy(an_entry("https", "443/tcp"), an_entry("metrics", "9100/tcp", bind="private"))
NEW = a_policy(an_entry("https", "443/tcp"), an_entry("metrics", "9100/tcp"), an_entry("no", "443/tcp", action="deny"))


def judge(name: str, seen: HostFacts, policy: Policy) -> HostReport:
    host = a_host(name, groups=("web",))
    judged = evaluate(host, seen, a_policy_set(policy), NOW)
    return HostReport(
        name=name,
        address=name,
        groups=host.groups,
        status=judge_host(judged.findings, None, "low"),
        policies=judged.policies,
        error=None,
        facts=seen.system,
        gaps=seen.gaps,
        listeners=judged.listeners,
        findings=judged.findings,
    )


def impact(fleet: dict[str, list[Listener]], old: Policy, new: Policy) -> Impact:
    seen = {name: some_facts(*listeners) for name, listeners in fleet.items()}
    return compare(((judge(name, facts, old), judge(name, facts, new)) for name, facts in seen.items()), "low")


FLEET = {
    "web-02": [a_listener(port=443)],
    "web-01": [a_listener(port=443)],
    "db-01": [a_listener(port=9100)],
    "quiet": [],
}


def test_hosts_that_turn() -> None:
    found = impact(FLEET, OLD, NEW)
    assert [turn.host for turn in found.newly_failing] == ["web-01", "web-02"]
    assert [turn.host for turn in found.newly_passing] == ["db-01"]
    assert (found.before, found.after) == ({"compliant": 3, "violating": 1}, {"compliant": 2, "violating": 2})


def test_one_finding_on_many_hosts_is_one_change() -> None:
    found = impact(FLEET, OLD, NEW)
    assert [(change.finding.rule, change.hosts) for change in found.fails] == [
        ("forbidden-listener", ("web-01", "web-02"))
    ]
    assert [(change.finding.rule, change.hosts) for change in found.passes] == [("exposed-listener", ("db-01",))]
    assert found.worse


def test_turned_around_what_failed_passes() -> None:
    there, back = impact(FLEET, OLD, NEW), impact(FLEET, NEW, OLD)
    assert [change.hosts for change in there.fails] == [change.hosts for change in back.passes]
    assert [turn.host for turn in there.newly_failing] == [turn.host for turn in back.newly_passing]


def test_the_same_policies_change_nothing() -> None:
    found = impact(FLEET, OLD, OLD)
    assert (found.turns, found.fails, found.passes, found.worse) == ((), (), (), False)
    assert render_markdown(found).startswith("## Policy impact: nothing changes on 4 hosts\n")


def test_a_host_that_no_policy_covers_any_more_newly_fails() -> None:
    """It has no finding that fails a run, and is not compliant: could not know is never a pass."""
    nobody = OLD.model_copy(update={"applies_to": Selector(groups=("db",))})
    found = impact({"web-01": [a_listener(port=443)]}, OLD, nobody)
    assert [(turn.before, turn.after) for turn in found.newly_failing] == [("compliant", "incomplete")]
    assert (found.fails, found.worse) == ((), True)


def test_the_comment() -> None:
    assert render_markdown(impact(FLEET, OLD, NEW)) == (
        "## Policy impact: 2 of 4 hosts newly fail, 1 newly pass; 2 findings more, 1 fewer\n"
        "\n"
        "| hosts | before | after |\n"
        "|---|---|---|\n"
        "| compliant | 3 | 2 |\n"
        "| violating | 1 | 2 |\n"
        "\n"
        "### Hosts that newly fail\n"
        "\n"
        "| host | groups | before | after |\n"
        "|---|---|---|---|\n"
        "| `web-01` | `web` | compliant | violating |\n"
        "| `web-02` | `web` | compliant | violating |\n"
        "\n"
        "### Hosts that newly pass\n"
        "\n"
        "| host | groups | before | after |\n"
        "|---|---|---|---|\n"
        "| `db-01` | `web` | violating | compliant |\n"
        "\n"
        "### Findings that newly fail\n"
        "\n"
        "| severity | finding | policy line | hosts |\n"
        "|---|---|---|---|\n"
        "| high | forbidden-listener `tcp 0.0.0.0:443`<br>`base forbids 443/tcp` | `base.yaml:7` |"
        " `web-01`, `web-02` |\n"
        "\n"
        "### Findings that newly pass\n"
        "\n"
        "| severity | finding | policy line | hosts |\n"
        "|---|---|---|---|\n"
        "| high | exposed-listener `tcp 0.0.0.0:9100`<br>`9100/tcp is allowed on private, found on 0.0.0.0` |"
        " `base.yaml:7` | `db-01` |\n"
    )


def test_a_long_comment_says_how_much_more_there_is() -> None:
    fleet = {f"web-{number:04}": [a_listener(port=443)] for number in range(2000)}
    text = render_markdown(impact(fleet, OLD, NEW))
    assert "… and 1950 more hosts" in text
    assert "`web-0004` and 1995 more |" in text
    assert len(text) < 65_536


@given(st.text(max_size=30))
@pytest.mark.filterwarnings("ignore")
def test_what_a_host_says_is_inert(text: str) -> None:
    """Read as GitHub reads it, the comment has the same tables, and no link, image or markup of a host's making."""
    named = a_listener(port=443, service=text)
    plain = a_listener(port=443, service="x")
    reader = MarkdownIt("commonmark", {"html": True}).enable("table")
    said, usual = (
        [
            token.type
            for block in reader.parse(render_markdown(impact({"h": [one]}, OLD, NEW)))
            for token in _inside(block)
        ]
        for one in (named, plain)
    )
    assert said == usual


def _inside(token: Token) -> list[Token]:
    return [token, *(token.children or [])]
