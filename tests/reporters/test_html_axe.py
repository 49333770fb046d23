"""axe-core over every view of the HTML reports, in light and in dark: WCAG 2.2 A and AA, no violation."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from auditor.reporters import html_dir, html_evidence
from auditor.reporters.html import render
from tests.reporters.browser import Viewer, open_browser
from tests.reporters.fleet import a_bad_host, a_lost_host, a_partial_host, a_report, fleets, mixed_fleet

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text()
EVERY = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OF_COLOUR = ["color-contrast", "link-in-text-block"]
"""The rules that another colour scheme can break; the others see the same page again."""
VIEWS = (
    *(f"#tab={tab}" for tab in ("findings", "hosts", "ports", "rules", "waivers", "unaudited", "changes", "run")),
    "#tab=ports&each=1",
    "#tab=findings&rows=all&columns=severity,port",
    "#host=web-03",
    "#host=edge-01",
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@pytest.fixture
def viewer(browser: Browser, tmp_path: Path) -> Iterator[Viewer]:
    made = Viewer(browser, tmp_path / "report.html")
    yield made
    made.settle()


def faults(page: Page, scheme: str) -> list[Any]:
    rules = EVERY if scheme == "light" else OF_COLOUR
    # axe would ask for style sheets again by XMLHttpRequest, which no file may.
    options = {"runOnly": rules, "preload": False, "resultTypes": ["violations"]}
    page.evaluate(AXE)
    violations = page.evaluate("(options) => axe.run(document, options).then((found) => found.violations)", options)
    return [
        (one["id"], [(node["html"][:200], node["failureSummary"]) for node in one["nodes"][:3]]) for one in violations
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_view_is_accessible(viewer: Viewer, scheme: Any) -> None:
    report = mixed_fleet()
    page = viewer.show(render(report), color_scheme=scheme)
    finding = next(one.id for host in report.hosts for one in host.findings if one.rule == "forbidden-listener")
    for view in (*VIEWS, f"#finding={finding}"):
        page.evaluate("(hash) => { location.hash = hash; }", view)
        page.wait_for_timeout(60)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert faults(page, scheme) == [], view


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dialogs_are_accessible(viewer: Viewer, scheme: Any) -> None:
    page = viewer.show(render(mixed_fleet()), color_scheme=scheme)
    page.locator("#help-open").click()
    assert faults(page, scheme) == []
    page.keyboard.press("Escape")
    page.locator("#export-open").click()
    assert faults(page, scheme) == []


@pytest.mark.parametrize("name", ["passing", "lost", "none"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_kind_of_day_is_accessible(viewer: Viewer, name: str, scheme: Any) -> None:
    assert faults(viewer.show(render(fleets()[name]), color_scheme=scheme), scheme) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_narrow_screen_is_accessible(viewer: Viewer, scheme: Any) -> None:
    page = viewer.show(render(mixed_fleet()), color_scheme=scheme, viewport={"width": 320, "height": 700})
    assert faults(page, scheme) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_without_script_are_accessible(viewer: Viewer, scheme: Any, tmp_path: Path) -> None:
    report = a_report(a_bad_host("web-03"), a_partial_host("db-03"), a_lost_host("edge-01"))
    assert faults(viewer.show(html_evidence.render(report), color_scheme=scheme), scheme) == []
    files = dict(html_dir.render_folder(report))
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    for name in ("index.html", "hosts-001.html"):
        viewer.path = tmp_path / name
        page = viewer.show(files[name], color_scheme=scheme)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert faults(page, scheme) == [], name
    viewer.path = tmp_path
