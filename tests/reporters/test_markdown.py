"""Markdown: rendered by a real renderer, it shows what was said, and nothing in it is alive."""

import re
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from auditor.model.report import AuditReport
from auditor.reporters import markdown, summary
from auditor.reporters.markdown import render
from auditor.reporters.markdown_text import write_code, write_prose
from tests.reporters.fleet import a_bad_host, a_lost_host, a_report, hostile_fleet, large_fleet, mixed_fleet
from tests.reporters.naughty import NAUGHTY

RENDERER = MarkdownIt("commonmark", {"linkify": False}).enable("table").enable("strikethrough")
LIVE = {
    "link_open",
    "image",
    "html_inline",
    "html_block",
    "s_open",
    "em_open",
    "fence",
    "code_block",
    "blockquote_open",
}
GITHUB_LIVE = re.compile(r"(?:^|[^\w`/])@\w|(?<!\w)#\d|\bGH-\d|https?://|www\.|:\w+:|\$", re.IGNORECASE)
"""What GitHub makes of plain text besides: mentions, references, bare links, emoji, mathematics."""


def tokens_of(data: bytes) -> Iterator[Token]:
    for token in RENDERER.parse(data.decode()):
        yield token
        yield from token.children or ()


def cells_of(data: bytes) -> list[list[str]]:
    """Return the text of every table row, as a reader sees it."""
    rows: list[list[str]] = []
    inside = False
    for token in RENDERER.parse(data.decode()):
        if token.type in {"tr_open", "tr_close"}:
            inside = token.type == "tr_open"
            rows += [[]] if inside else []
        elif token.type == "inline" and inside:
            rows[-1].append("".join(child.content for child in token.children or ()))
    return rows


def assert_inert(data: bytes) -> None:
    tokens = list(tokens_of(data))
    assert {token.type for token in tokens} & LIVE == set()
    assert [token.content for token in tokens if token.type == "text" and GITHUB_LIVE.search(token.content)] == []
    assert {token.tag for token in tokens if token.type == "heading_open"} <= {"h1", "h2"}


@pytest.mark.parametrize("report", [a_report(), a_report(a_lost_host("a"))])
def test_nothing_is_counted_where_no_host_was_read(report: AuditReport) -> None:
    assert ["—"] * 7 in cells_of(render(report))


def test_no_host_is_not_a_green_pass() -> None:
    text = render(a_report()).decode()
    assert text.startswith("# netaudit: PASS, and nothing was audited\n")
    assert "✅" not in text


def test_the_mixed_fleet_says_what_is_wrong_worst_first() -> None:
    rows = cells_of(render(mixed_fleet()))
    assert [
        "critical",
        "web-03",
        "forbidden-listener",
        "tcp 0.0.0.0:23 and [::]:23",
        "telnet is forbidden: clear-text login.",
        "policies/base.yaml:31",
    ] in rows
    assert [row[0] for row in rows if row[0] in {"critical", "high", "medium", "low"}] == [
        *("critical", "high", "medium", "low")
    ]
    assert render(mixed_fleet()).startswith("# netaudit: ❌ FAIL\n\n**5 of 8 hosts fully audited**".encode())


def test_hosts_that_were_not_audited_waivers_and_hygiene_have_their_tables() -> None:
    text = render(mixed_fleet()).decode()
    assert re.findall(r"^## (.*)$", text, re.MULTILINE) == [
        "Findings (4)",
        "Not fully audited (3)",
        "Waived (1)",
        "Policy hygiene (2)",
    ]


@pytest.mark.parametrize("text", NAUGHTY)
@pytest.mark.parametrize("module", [markdown, summary])
def test_a_hostile_fleet_is_shown_and_does_nothing(module: object, text: str) -> None:
    data = (markdown if module is markdown else summary).render(hostile_fleet(text))
    assert_inert(data)
    widths = [len(row) for row in cells_of(data)]
    assert widths == [5, 5, 7, 7, 6, 6, 4, 4, 4, 4, 6, 6, 3, 3]


@given(st.text(alphabet="`|\\[]()<>!@#*_~-: a\n1.&;/w", max_size=15))
def test_any_text_is_inert(text: str) -> None:
    assert_inert(render(hostile_fleet(text)))


@given(st.text(alphabet="`|\\ ab*", min_size=1, max_size=10))
def test_a_code_span_is_one_and_whole(text: str) -> None:
    (inline,) = RENDERER.parse(f"x {write_code(text)} y")[1:-1]
    shown = [child.content for child in inline.children or () if child.type == "code_inline"]
    assert shown == [text.replace("|", "\\x7c").strip() or "—"]


def test_prose_keeps_plain_words_plain() -> None:
    assert write_prose("Nothing allows 8080/tcp, and it is bound.") == "Nothing allows 8080/tcp, and it is bound."
    assert write_prose("see www.evil.example or @you now") == "see `www.evil.example` or `@you` now"
    assert write_prose("found on [::]:23 and 0.0.0.0") == "found on `[::]:23` and 0.0.0.0"


def test_left_out_rows_are_counted() -> None:
    report = large_fleet(4_000)
    text = render(report).decode()
    assert "## Findings (800)" in text
    short = summary.render(report).decode()
    assert "## Findings (800)" in short
    assert "…and 600 more: the JSON and HTML reports have them all." in short


def test_a_summary_stays_below_what_github_accepts_whatever_the_names() -> None:
    """1,024 kB; long names make long rows."""
    names = [f"{'ä' * 2_000}{number}" for number in range(400)]
    report = a_report(*(a_bad_host(name) for name in names), *(a_lost_host(f"{name}x") for name in names))
    data = summary.render(report)
    assert len(data) <= 900_000
    assert "more: the JSON and HTML reports" in data.decode()
    assert len(cells_of(data)) > 400


def test_the_cap_in_bytes_holds_and_counts() -> None:
    report = large_fleet(4_000)
    whole = len(markdown.render_within(report, 10_000, 10_000_000))
    for most in (2_000, 20_000, whole - 1):
        data = markdown.render_within(report, 10_000, most)
        assert len(data) <= most
        found = [int(count) for count in re.findall(r"…and (\d+) more", data.decode())]
        assert found
