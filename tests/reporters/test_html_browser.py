"""The HTML report in a real browser: silent on network and console, usable by keyboard and without script."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from auditor.model.report import AuditReport
from auditor.reporters.html import render
from tests.reporters.fleet import fleets, hostile_fleet, mixed_fleet
from tests.requirements import require

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SPY = "window.broken = []; addEventListener('securitypolicyviolation', (e) => window.broken.push(e.violatedDirective));"
# Every visible text against what is painted behind it: the ratio of WCAG 2.2 §1.4.3, from the browser's own colours.
FAINT = """() => {
  const parse = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const color = parse(getComputedStyle(at).backgroundColor);
      if (color.length < 4 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  const faint = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility()) continue;
    const [a, b] = [light(parse(getComputedStyle(element).color)), light(behind(element))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < 4.5) faint.push([element.tagName, element.className, element.textContent.slice(0, 30), ratio]);
  }
  return faint;
}"""

Opener = Callable[..., Page]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Iterator[Opener]:
    """Open a report; afterwards nothing may have been asked of the network, and nothing complained about."""
    path = tmp_path / "report.html"
    contexts = []
    asked: list[str] = []
    complaints: list[str] = []

    def open_report(report: AuditReport, fragment: str = "", document: bytes | None = None, **settings: Any) -> Page:
        path.write_bytes(document or render(report))
        context = browser.new_context(**settings)
        contexts.append(context)
        context.add_init_script(SPY)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog {dialog.message}"))
        page.goto(f"{path.as_uri()}{fragment}")
        return page

    yield open_report
    for context in contexts:
        context.close()
    assert {url for url in asked if not url.startswith((path.as_uri(), "data:"))} == set()
    assert complaints == []


def open_all(page: Page) -> None:
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")


@pytest.mark.parametrize("name", list(fleets()))
def test_a_report_opens_quietly(show: Opener, name: str) -> None:
    page = show(fleets()[name])
    open_all(page)
    assert page.evaluate("window.broken") == []
    assert page.locator("h1").inner_text() in {"Pass", "Fail", "Incomplete"}


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        '" autofocus onfocus="alert(1)',
        "</style><style>*{background:url(http://127.0.0.1:9/)}</style>",
        "<svg onload=alert(1)><a href=javascript:alert(1)>",
        "</title></code></pre></table></details><iframe src=http://127.0.0.1:9/>",
    ],
)
def test_hostile_text_does_nothing(show: Opener, text: str) -> None:
    page = show(hostile_fleet(text))
    open_all(page)
    page.fill("#query", text)
    page.wait_for_timeout(150)
    assert page.evaluate("window.broken") == []
    assert text in page.locator("#findings .subject").first.inner_text()
    assert page.locator("img, iframe, body style, body script ~ script").count() == 0


def test_markup_that_got_through_would_still_do_nothing(browser: Browser, tmp_path: Path) -> None:
    planted = b"<script>window.ran = 1</script><img src=x onerror='window.ran = 1'><b style='color:red'>b</b></main>"
    path = tmp_path / "planted.html"
    path.write_bytes(render(mixed_fleet()).replace(b"</main>", planted))
    with browser.new_context() as context:
        context.add_init_script(SPY)
        page = context.new_page()
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        assert page.evaluate("window.ran") is None
        assert set(page.evaluate("window.broken")) == {
            "script-src-elem",
            "script-src-attr",
            "style-src-attr",
            "img-src",
        }


def count(page: Page, selector: str) -> int:
    return page.locator(f"{selector}:visible").count()


def test_search_and_chips_filter(show: Opener) -> None:
    page = show(mixed_fleet())
    assert page.locator("#shown").inner_text() == "5 of 5 findings, 8 of 8 hosts shown"
    page.keyboard.press("/")
    page.keyboard.type("web-03 telnet")
    expect(page.locator("#shown")).to_contain_text("1 of 5")
    assert count(page, ".findings tbody tr") == 1
    assert count(page, "details.host") == 1
    page.keyboard.press("Escape")
    expect(page.locator("#shown")).to_contain_text("5 of 5")
    page.get_by_role("checkbox", name="waived").check(force=True)
    expect(page.locator("#shown")).to_contain_text("1 of 5")
    page.get_by_role("checkbox", name="unreachable").check(force=True)
    expect(page.locator("#shown")).to_contain_text("2 of 8")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#shown")).to_contain_text("5 of 5")


def test_a_card_filters(show: Opener) -> None:
    page = show(mixed_fleet())
    page.locator("a.c-critical").click()
    assert page.locator("#shown").inner_text().startswith("1 of 5 findings")
    assert page.get_by_role("checkbox", name="critical").is_checked()


def test_tables_sort_by_number_and_back(show: Opener) -> None:
    page = show(mixed_fleet(), "#host-web-03")
    host = page.locator("#host-web-03")
    ports = host.locator(".listeners tbody tr td:nth-child(2)")
    heading = host.locator(".listeners th", has_text="Port")
    heading.get_by_role("button").click()
    assert ports.all_inner_texts() == ["23/tcp", "443/tcp", "546/udp", "8080/tcp", "8443/tcp"]
    assert heading.get_attribute("aria-sort") == "ascending"
    heading.get_by_role("button").click()
    assert ports.all_inner_texts() == ["8443/tcp", "8080/tcp", "546/udp", "443/tcp", "23/tcp"]
    assert heading.get_attribute("aria-sort") == "descending"


def test_a_link_to_a_host_opens_it_even_when_filtered_away(show: Opener) -> None:
    page = show(mixed_fleet(), "#host-db-03")
    assert page.locator("#host-db-03").get_attribute("open") is not None
    page.fill("#query", "nothing has this")
    expect(page.locator("#shown")).to_contain_text("0 of 5")
    page.evaluate("location.hash = 'host-web-01'")
    expect(page.locator("#host-web-01 .inside")).to_be_visible()


def test_without_javascript_nothing_is_missing(show: Opener) -> None:
    report = mixed_fleet()
    page = show(report, java_script_enabled=False)
    assert page.locator("details.host").count() == len(report.hosts)
    assert page.locator("#toolbar").is_hidden()
    rows = page.locator("#host-web-03 .listeners tbody tr")
    assert rows.first.is_hidden()
    page.locator("#host-web-03 > summary").click()
    assert rows.count() == 5
    assert rows.first.is_visible()
    assert page.locator(".findings tbody tr:visible").count() == 5
    assert page.locator("#unaudited").get_by_text("tcp-refused").is_visible()


def test_the_keyboard_reaches_everything(show: Opener) -> None:
    page = show(mixed_fleet())
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    reached = set()
    for _ in range(200):
        page.keyboard.press("Tab")
        where = page.evaluate("(document.activeElement.closest('[id]') || document.body).id")
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        chip = page.evaluate("document.activeElement.type === 'checkbox'")
        assert chip or outline != "none" or where == ""
        reached.add(where)
        if where == "host-web-03" and page.evaluate("document.activeElement.tagName") == "SUMMARY":
            page.keyboard.press("Enter")
            break
    assert {"query", "toolbar", "findings", "unaudited", "host-db-02", "host-web-03"} - reached <= {"findings"}
    assert page.locator("#host-web-03").get_attribute("open") is not None


@pytest.mark.parametrize("name", ["mixed", "passing", "lost"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(show: Opener, name: str, scheme: str) -> None:
    page = show(fleets()[name], color_scheme=scheme)
    open_all(page)
    assert page.evaluate(FAINT) == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(16, 19, 23)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("width", [320, 1280])
def test_no_text_makes_the_page_scroll_sideways(show: Opener, width: int) -> None:
    for report in (mixed_fleet(), hostile_fleet("x" * 3000)):
        page = show(report, viewport={"width": width, "height": 700})
        open_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") == width


def test_paper_gets_everything_opened_and_no_controls(show: Opener) -> None:
    page = show(mixed_fleet(), color_scheme="dark")
    before = page.locator("details[open]").count()
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    assert page.locator("#toolbar").is_hidden()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('thead')).display") == "table-header-group"
    assert page.evaluate(FAINT) == []
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == before
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")


def test_colour_is_never_alone(show: Opener) -> None:
    page = show(mixed_fleet())
    for badge in page.locator(".badge").all():
        assert badge.text_content()
        assert badge.locator("svg use").count() == 1
