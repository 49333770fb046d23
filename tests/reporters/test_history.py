"""The index of runs: read from the heads of reports, inert whatever they say."""

import re
from html import unescape
from html.parser import HTMLParser

import pytest

from auditor.model.report import AuditReport
from auditor.reporters.history import render_history
from auditor.reporters.json import render as render_json
from auditor.reporters.past_runs import PastRun, read_head
from tests.reporters.fleet import (
    STARTED,
    a_bad_host,
    a_calm_host,
    a_lost_host,
    a_report,
    fleets,
    hostile_fleet,
    limit,
    mixed_fleet,
)
from tests.reporters.naughty import NAUGHTY


class Page(HTMLParser):
    """What a browser would make elements of, and the cells of every row."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.rows: list[list[str]] = []
        self.feed(data.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")

    def handle_data(self, data: str) -> None:
        if self.rows and self.rows[-1]:
            self.rows[-1][-1] += data.strip()


def a_run(folder: str, report: AuditReport) -> PastRun:
    return PastRun(folder, "report.html", read_head(render_json(report).decode().splitlines()))


def dated(report: AuditReport, day: int) -> AuditReport:
    return report.model_copy(update={"run": report.run.model_copy(update={"started_at": STARTED.replace(day=day)})})


@pytest.mark.parametrize("name", fleets())
def test_the_head_is_what_the_whole_report_says(name: str) -> None:
    report = fleets()[name]
    head = a_run("x", report).head
    assert head is not None
    assert (head.run, head.verdict, head.exit, head.summary) == (
        report.run,
        report.verdict,
        report.exit,
        report.summary,
    )


def test_only_the_head_is_needed() -> None:
    lines = render_json(mixed_fleet()).decode().splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith('  "hosts":'))
    assert place < 12
    assert read_head(lines[: place + 1]) == a_run("x", mixed_fleet()).head


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{\n  "run": 1,\n', "\x00", "{" * 100_000])
def test_anything_else_has_no_head(text: str) -> None:
    assert read_head(text.splitlines()) is None


def test_newest_first_with_its_counts() -> None:
    runs = [a_run("one", dated(mixed_fleet(), 1)), a_run("two", dated(a_report(a_calm_host("a")), 2))]
    page = Page(render_history(runs))
    assert page.rows[1] == ["pass", "two", "2026-03-02 05:06:07 UTC", *"1100000000", "0"]
    assert page.rows[2] == ["fail", "one", "2026-03-01 05:06:07 UTC", *"8321211110", "1"]
    assert page.links == ["#runs", "two/report.html", "one/report.html"]


def test_what_no_host_said_is_not_zero() -> None:
    lost, none = a_report(a_lost_host("a")), a_report()
    page = Page(render_history([a_run("lost", dated(lost, 2)), a_run("none", dated(none, 1))]))
    assert page.rows[1] == ["incomplete", "lost", "2026-03-02 05:06:07 UTC", *"10001", *"——————"]
    assert page.rows[2] == ["passnothing audited", "none", "2026-03-01 05:06:07 UTC", *"00000", *"——————"]
    assert b"b-pass" not in render_history([a_run("none", none)]).split(b"</style>")[1]


def test_a_limited_run_is_told_from_a_full_one() -> None:
    limited = limit(a_report(a_calm_host("a")), 1, of=13)
    page = Page(render_history([a_run("one", dated(limited, 1)), a_run("two", dated(a_report(a_calm_host("a")), 2))]))
    assert (page.rows[1][0], page.rows[2][0]) == ("pass", "pass1 of 13 hosts chosen")


def test_equal_histories_give_equal_bytes_in_any_order() -> None:
    runs = [a_run(str(day), dated(mixed_fleet(), day)) for day in range(1, 8)]
    assert render_history(runs) == render_history(runs[::-1])


def test_the_trend_is_drawn_oldest_first() -> None:
    bad = [a_report(*(a_bad_host(f"h{number}") for number in range(day))) for day in range(1, 4)]
    data = render_history([a_run(str(day), dated(report, day)) for day, report in enumerate(bad, 1)]).decode()
    heights = [float(height) for height in re.findall(r'class="t-critical" [^>]*height="([0-9.]+)"', data)]
    assert len(heights) == 3
    assert heights == sorted(heights)
    assert heights[2] == pytest.approx(3 * heights[0], abs=0.2)
    assert "<svg" not in render_history([a_run("1", bad[0])]).decode()


@pytest.mark.parametrize("text", NAUGHTY)
def test_hostile_names_stay_text(text: str) -> None:
    def page_of(folder: str, said: str) -> Page:
        return Page(render_history([a_run(folder, hostile_fleet(said)), PastRun(folder, "report.html", None)]))

    folder = text.encode(errors="replace").decode()[:200] or "x"  # as a file system may have it
    page, plain = page_of(folder, text), page_of("p", "p")
    assert page.tags == plain.tags
    assert page.attributes == plain.attributes
    assert all(re.fullmatch(r"#runs|[A-Za-z0-9%._~-]+/report\.html", link) for link in page.links)


def test_nothing_is_loaded_and_nothing_runs() -> None:
    data = render_history([a_run("one", mixed_fleet())]).decode()
    assert "<script" not in data
    assert "http://" not in data
    assert "https://" not in data
    assert "default-src 'none'" in unescape(data)
