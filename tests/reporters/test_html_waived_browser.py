"""What was accepted, as the reader of the page meets it: in the list, on paper, and from the waiver to its findings."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from auditor.reporters.html import render
from tests.reporters.browser import Viewer, open_browser
from tests.reporters.test_waived import waived_report


@pytest.fixture
def viewer(tmp_path: Path) -> Iterator[Viewer]:
    with open_browser() as chromium:
        viewer = Viewer(chromium, tmp_path / "report.html")
        yield viewer
        viewer.settle()


def test_a_waived_finding_keeps_its_severity_and_who_accepted_it(viewer: Viewer) -> None:
    page = viewer.show(render(waived_report()), "#tab=waivers")
    page.get_by_role("link", name="2 findings").click()
    rows = page.locator("#findings tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.filter(has_text="was critical")).to_have_count(1)
    page.emulate_media(media="print")
    told = page.get_by_text("Waived until 2026-12-31, ops@example.com: migration (OPS-17)")
    expect(told.first).to_be_visible()
