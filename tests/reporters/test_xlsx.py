"""The workbook: opened by a spreadsheet library, every cell text or a number."""

import sys
from io import BytesIO

import openpyxl
import pytest
from openpyxl.workbook import Workbook

from auditor.errors import UsageError
from auditor.model.report import AuditReport
from auditor.reporters import check_format, render
from tests.reporters.fleet import fleets, hostile_fleet, large_fleet, mixed_fleet
from tests.reporters.naughty import NAUGHTY


def book_of(report: AuditReport) -> Workbook:
    return openpyxl.load_workbook(BytesIO(render(report, "xlsx")))


def test_the_sheets_of_the_mixed_fleet() -> None:
    book = book_of(mixed_fleet())
    sizes = {sheet.title: sheet.max_row - 1 for sheet in book}
    report = mixed_fleet()
    assert sizes == {
        "Summary": sizes["Summary"],
        "Findings": 5,
        "Listeners": report.summary.listeners,
        "Hosts": 8,
        "Waivers": 1,
        "Not audited": 3,
    }
    assert [cell.value for cell in book["Findings"][2]][:4] == [
        *("critical", "forbidden-listener", "web-03", "tcp 0.0.0.0:23 and [::]:23")
    ]
    assert ("hosts unreachable", 2) in set(book["Summary"].iter_rows(min_row=2, values_only=True))
    assert all(sheet.freeze_panes == "A2" and sheet.auto_filter.ref for sheet in book)


def test_a_lost_host_has_no_number_of_listeners() -> None:
    rows = {row[0]: row[5] for row in book_of(mixed_fleet())["Hosts"].iter_rows(min_row=2, values_only=True)}
    assert rows["edge-01"] is None
    assert rows["web-01"] == 8


@pytest.mark.parametrize("name", fleets())
def test_every_sample_opens(name: str) -> None:
    assert len(book_of(fleets()[name]).sheetnames) == 6


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_is_text(text: str) -> None:
    book = book_of(hostile_fleet(text))
    for sheet in book:
        for row in sheet.iter_rows():
            assert {cell.data_type for cell in row} <= {"s", "n"}
            assert not any(cell.hyperlink for cell in row)


def test_equal_reports_give_equal_bytes_at_any_size() -> None:
    assert render(large_fleet(300), "xlsx") == render(large_fleet(300), "xlsx")


def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(UsageError) as caught:
        check_format("xlsx")
    assert caught.value.message == "the format 'xlsx' needs xlsxwriter"
    assert caught.value.hint == "pip install 'netaudit-fleet[xlsx]'"
