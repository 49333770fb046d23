"""CSV: RFC 4180, one line a record, and nothing a spreadsheet would take for a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook

from auditor.model.report import AuditReport
from auditor.reporters.csv import COLUMNS, render
from tests.reporters.fleet import hostile_fleet, mixed_fleet
from tests.reporters.naughty import FORMULAS, NAUGHTY


def rows_of(report: AuditReport) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(render(report).decode(), newline="")))


def test_every_finding_is_a_row_worst_first() -> None:
    rows = rows_of(mixed_fleet())
    assert [(row["severity"], row["rule"], row["host"]) for row in rows] == [
        ("critical", "forbidden-listener", "web-03"),
        ("high", "unexpected-listener", "web-03"),
        ("high", "evidence-gap", "db-03"),
        ("high", "unreachable", "edge-01"),
        ("high", "unreachable", "edge-02"),
        ("medium", "exposed-listener", "db-02"),
        ("low", "missing-listener", "db-02"),
        ("medium", "unexpected-listener", "web-03"),
    ]
    assert (rows[0]["file"], rows[0]["line"]) == ("policies/base.yaml", "31")
    assert rows[0]["remediation"] == "Disable telnet.socket: | systemctl disable --now telnet.socket"
    assert (rows[-1]["waived_until"], rows[-1]["waived_by"]) == ("2026-12-31", "ops@example.com")


def test_lines_end_as_rfc_4180_says_and_columns_keep_their_order() -> None:
    data = render(mixed_fleet())
    assert data.startswith(",".join(COLUMNS).encode() + b"\r\n")
    assert data.endswith(b"\r\n")
    assert data.count(b"\n") == data.count(b"\r\n") == 9


def assert_text_only(report: AuditReport) -> None:
    """Put every cell into a workbook as a spreadsheet would: none may become a formula, nor a list of cells."""
    sheet = Workbook().active
    assert sheet is not None
    for cells in csv.reader(io.StringIO(render(report).decode(), newline="")):
        assert len(cells) == len(COLUMNS)
        sheet.append(cells)
        assert all(cell[:1] not in {*"=+-@＝＋－＠", "\t", "\r", "\0"} for cell in (each.strip() for each in cells))
    assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n"}  # n: an empty cell
    assert all(cell.value is None for row in sheet.iter_rows() for cell in row if cell.data_type == "n")


@pytest.mark.parametrize("text", NAUGHTY)
def test_a_hostile_fleet_stays_text(text: str) -> None:
    assert_text_only(hostile_fleet(text))


def test_a_spreadsheet_would_have_taken_these_for_formulas() -> None:
    sheet = Workbook().active
    assert sheet is not None
    sheet.append(list(FORMULAS))
    assert any(cell.data_type == "f" for cell in next(sheet.iter_rows()))


@given(st.text(max_size=12))
def test_no_text_is_a_formula(text: str) -> None:
    assert_text_only(hostile_fleet(text))
