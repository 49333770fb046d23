"""The trend of earlier runs: the latest ones, oldest first, with the same numbers as a table."""

import re
from datetime import timedelta

import pytest

from auditor.model.report import AuditReport
from auditor.reporters.html import render
from auditor.reporters.html_trend import MOST, build_trend
from auditor.reporters.json import render as render_json
from auditor.reporters.past_runs import PastRun, read_head
from tests.reporters.fleet import (
    STARTED,
    a_bad_host,
    a_calm_host,
    a_finding,
    a_host_report,
    a_lost_host,
    a_report,
    hostile_fleet,
    limit,
    mixed_fleet,
)
from tests.reporters.naughty import NAUGHTY
from tests.reporters.test_html import Reader


def days_before(report: AuditReport, days: int) -> AuditReport:
    started = STARTED - timedelta(days=days)
    return report.model_copy(
        update={"run": report.run.model_copy(update={"started_at": started, "id": f"{started:%Y%m%d}"})}
    )


def a_past(report: AuditReport) -> PastRun:
    return PastRun("folder", "report.html", read_head(render_json(report).decode().splitlines()))


def test_one_run_is_no_trend() -> None:
    assert build_trend([mixed_fleet()]) is None
    assert b'<svg class="bars' not in render(mixed_fleet())


def test_runs_stand_oldest_first_whatever_their_order() -> None:
    runs = [days_before(mixed_fleet(), days) for days in (0, 3, 1)]
    trend = build_trend(runs)
    assert trend is not None
    assert [run.id for run in trend.runs] == ["20260301", "20260303", "20260304"]
    assert trend == build_trend(runs[::-1])


def test_only_the_latest_are_drawn() -> None:
    trend = build_trend([days_before(mixed_fleet(), days) for days in range(MOST + 5)])
    assert trend is not None
    assert len(trend.runs) == MOST
    assert trend.runs[-1].id == "20260304"


def test_bars_are_as_high_as_what_was_found() -> None:
    reports = [a_report(*(a_bad_host(f"h{number}") for number in range(count))) for count in (2, 4)]
    trend = build_trend([days_before(report, 9 - at) for at, report in enumerate(reports)])
    assert trend is not None
    low, high = ({piece.kind: piece for piece in run.pieces} for run in trend.runs)
    assert high["t-critical"].height == pytest.approx(2 * low["t-critical"].height, abs=0.1)
    assert all(piece.y >= 0 for run in trend.runs for piece in run.pieces)
    assert high["t-critical"].y > high["t-high"].y


def test_a_few_beside_very_many_still_show() -> None:
    many = [a_finding("a", subject=f"tcp 0.0.0.0:{port}", severity="low") for port in range(1, 3000)]
    crowd = a_report(a_host_report("a", findings=[*many, a_finding("a", severity="critical")]))
    trend = build_trend([days_before(a_report(a_bad_host("b")), 1), crowd])
    assert trend is not None
    pieces = [piece for run in trend.runs for piece in run.pieces]
    assert min(piece.height for piece in pieces) >= 2
    assert min(piece.y for piece in pieces) >= 0


def test_nothing_found_and_nothing_read_look_different() -> None:
    trend = build_trend([days_before(a_report(a_calm_host("a")), 1), a_report(a_lost_host("a"))])
    assert trend is not None
    assert [[piece.kind for piece in run.pieces] for run in trend.runs] == [["t-none"], ["t-unread"]]
    assert [run.found for run in trend.runs] == [0, None]
    text = " ".join(
        Reader(render(a_report(a_lost_host("a")), [a_past(days_before(a_report(a_calm_host("a")), 1))])).text.split()
    )
    assert "2026-03-04 05:06:07 UTC incomplete — — — — — 1 1" in text
    assert "incomplete, findings not known, 1 of 1 hosts" in text


def test_a_run_of_a_part_of_the_inventory_looks_so() -> None:
    limited = limit(mixed_fleet(), 8, of=13)
    page = render(limited, [a_past(days_before(mixed_fleet(), 1))])
    text = " ".join(Reader(page).text.split())
    assert "Pale: only some of the inventory’s hosts (limited or interrupted)." in text
    assert "fail, 8 of 13 hosts chosen 1 1 1 1 0 3 8" in text
    assert page.count(b'<g class="part">') == 2  # the chart and its small twin
    assert b'<g class="part">' not in render(mixed_fleet(), [a_past(days_before(mixed_fleet(), 1))])


def test_the_report_shows_it_with_its_numbers() -> None:
    reader = Reader(render(mixed_fleet(), [a_past(days_before(a_report(a_bad_host("a")), 5))]))
    text = " ".join(reader.text.split())
    assert "The last 2 runs" in text
    assert "20260227 2026-02-27 05:06:07 UTC fail 1 1 0 0 0 0 1" in text
    assert "20260304T050607Z-7f3a 2026-03-04 05:06:07 UTC fail 1 1 1 1 0 3 8" in text
    ids = reader.values("id")
    assert len(ids) == len(set(ids))


def test_a_run_whose_report_cannot_be_read_is_left_out() -> None:
    assert render(mixed_fleet(), [PastRun("broken", "report.html", None)]) == render(mixed_fleet())


@pytest.mark.parametrize("text", NAUGHTY)
def test_what_earlier_runs_say_stays_text(text: str) -> None:
    def skeleton(said: str) -> list[tuple[str, ...]]:
        return Reader(render(mixed_fleet(), [a_past(days_before(hostile_fleet(said), 1))])).skeleton

    assert skeleton(text) == skeleton("plain")
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", render(mixed_fleet(), [a_past(hostile_fleet(text))]).decode())
