"""Ports that lead elsewhere, unix sockets and the trend in a real browser: listed, searched, addressed, exported."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from auditor.model.delta import Delta, FindingChange, RunRef
from auditor.model.report import AuditReport
from auditor.reporters.history import render_history
from auditor.reporters.html import render
from tests.reporters.browser import Viewer, open_browser
from tests.reporters.fleet import FINISHED, STARTED, fleets, hostile_fleet, mixed_fleet
from tests.reporters.naughty import MARKUP, UNICODE
from tests.reporters.test_html_axe import faults
from tests.reporters.test_html_browser import export, rows
from tests.reporters.test_html_trend import a_past, days_before


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@pytest.fixture
def viewer(browser: Browser, tmp_path: Path) -> Iterator[Viewer]:
    made = Viewer(browser, tmp_path / "report.html")
    yield made
    made.settle()


@pytest.fixture
def mixed(viewer: Viewer) -> Page:
    return viewer.show(render(mixed_fleet()))


def look(page: Page, fragment: str) -> list[str]:
    page.evaluate("(hash) => { location.hash = hash; }", fragment)
    page.wait_for_function("(hash) => location.hash === '#' + hash", arg=fragment)
    page.wait_for_timeout(50)
    return rows(page, "ports")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 2),
        ("port:8080", 1),
        ("port:9005", 1),
        ("port:1-1023", 0),
        ("target:172.17.*", 2),
        ("via:nftables", 1),
        ("address:10.0.0.12", 1),
        ("host:web-03", 2),
        ("status:compliant", 0),
        ("severity:critical", 2),
        ("label:env=prod", 2),
        ("docker", 2),
        ("path:/run/docker.sock", 2),
    ],
)
def test_ports_that_lead_elsewhere_are_searched(mixed: Page, query: str, expected: int) -> None:
    assert len(look(mixed, f"tab=ports&each=elsewhere&q={query}")) == expected
    expect(mixed.locator("#shown")).to_have_text(f"{expected} of 2 ports that lead elsewhere shown")
    expect(mixed.locator("#about-elsewhere")).to_be_visible()


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", 3), ("path:*docker*", 1), ("docker", 1), ("host:web-*", 3), ("-path:/run/*", 1), ("group:db", 0)],
)
def test_unix_sockets_are_searched_and_said_to_be_anybodys(mixed: Page, query: str, expected: int) -> None:
    assert len(look(mixed, f"tab=ports&each=unix&q={query}")) == expected
    expect(mixed.locator("#about-unix")).to_contain_text("Any local user can make a path look like anything")


def test_hosts_are_found_by_what_stands_beside_their_listeners(mixed: Page) -> None:
    for query in ("path:/run/docker.sock", "target:172.17.0.2*", "label:env=prod"):
        mixed.evaluate("(query) => { location.hash = `tab=hosts&q=${query}`; }", query)
        expect(mixed.locator("#shown")).to_have_text("1 of 8 hosts shown")
    mixed.evaluate("location.hash = 'tab=hosts&q=reader:host'")
    expect(mixed.locator("#shown")).to_have_text("6 of 8 hosts shown")


def test_the_card_leads_to_them_and_they_export(mixed: Page) -> None:
    mixed.locator(".card", has_text="lead elsewhere").click()
    expect(mixed.locator(".switch a[aria-current]")).to_contain_text("Leads elsewhere")
    loaded = json.loads(export(mixed, "JSON"))
    assert [(row["port"], row["leads_to"], row["by"]) for row in loaded] == [
        ("8080/tcp", "172.17.0.2:80", "iptables"),
        ("9000-9010/tcp", "172.17.0.2:80", "nftables"),
    ]


def test_a_host_shows_all_of_it(mixed: Page) -> None:
    mixed.evaluate("location.hash = 'host=web-03'")
    detail = mixed.locator("#detail")
    expect(detail).to_contain_text("Leads elsewhere")
    detail.locator("summary", has_text="Listening unix sockets (3)").click()
    expect(detail.get_by_text("@/tmp/.X11-unix/X0")).to_be_visible()
    expect(detail).to_contain_text("tcp: 12 ESTABLISHED, 3 TIME_WAIT, 9 LISTEN; udp: 5 UNCONNECTED")
    expect(detail).to_contain_text("the host’s own")
    expect(detail).to_contain_text("env=prod")
    mixed.evaluate("location.hash = 'host=web-01'")
    expect(detail).to_contain_text("1 UDP socket on an ephemeral port, probably a client: shown and counted")
    expect(detail).not_to_contain_text("Leads elsewhere")


def test_none_and_not_known_say_so(viewer: Viewer) -> None:
    page = viewer.show(render(fleets()["passing"]), "#tab=ports&each=elsewhere")
    expect(page.locator("#about-elsewhere")).to_contain_text("Not known: what NAT and IPVS pass on was read on no host")
    page.locator(".switch a", has_text="Unix sockets").click()
    expect(page.locator("#about-unix")).to_be_visible()
    page.locator(".switch a", has_text="By port").click()
    expect(page.locator("#live-ports .grid:visible")).to_have_count(1)


@pytest.mark.parametrize("text", [*MARKUP, UNICODE[0]])
def test_hostile_text_beside_listeners_stays_text(viewer: Viewer, text: str) -> None:
    page = viewer.show(render(hostile_fleet(text)))
    for fragment in ("tab=ports&each=elsewhere", "tab=ports&each=unix"):
        assert len(look(page, fragment)) == 1
    page.evaluate("(name) => { location.hash = 'host=' + encodeURIComponent(name); }", f"{text}1")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.locator("img, iframe, body style, #detail script").count() == 0
    assert page.locator("[onerror], [onload], [onfocus], [href^=javascript]").count() == 0


def test_what_is_new_can_be_filtered(viewer: Viewer) -> None:
    report: AuditReport = mixed_fleet()
    host = next(host for host in report.hosts if host.name == "web-03")
    new = FindingChange(kind="new", host=host.name, finding=host.findings[0])
    delta = Delta(
        old=RunRef(id="old", finished_at=FINISHED), new=RunRef(id="new", finished_at=FINISHED), findings=(new,)
    )
    page = viewer.show(render(report.model_copy(update={"changes": delta})))
    page.locator(".card", has_text="new").first.click()
    expect(page.locator("#query")).to_have_value("change:new -severity:waived")
    expect(page.locator("#shown")).to_have_text("1 of 5 findings shown")
    plain = viewer.show(render(report), "#tab=findings&q=change:new")
    expect(plain.locator("#shown")).to_have_text("0 of 5 findings shown")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_trend_and_the_lists_are_accessible(viewer: Viewer, scheme: Any) -> None:
    earlier = [a_past(days_before(mixed_fleet(), days)) for days in range(1, 4)]
    page = viewer.show(render(mixed_fleet(), earlier), color_scheme=scheme)
    for view in ("#tab=changes", "#tab=ports&each=unix", "#tab=ports&each=elsewhere"):
        page.evaluate("(hash) => { location.hash = hash; }", view)
        page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
        assert faults(page, scheme) == [], view
    assert page.locator("#changes .bars g").count() == 4
    expect(page.locator("#changes .trend-table tbody tr")).to_have_count(4)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_history_opens_quietly_and_accessibly(viewer: Viewer, scheme: Any) -> None:
    names = ("mixed", "passing", "lost")
    runs = [days_before(fleets()[name], days) for days, name in enumerate(names)]
    page = viewer.show(render_history([a_past(run) for run in runs]), color_scheme=scheme)
    assert faults(page, scheme) == []
    expect(page.locator("tbody tr")).to_have_count(3)
    started = [STARTED - timedelta(days=days) for days in range(3)]
    assert page.locator("tbody td:nth-child(3)").all_inner_texts() == [
        f"{one:%Y-%m-%d %H:%M:%S} UTC" for one in started
    ]
    assert page.locator(".bars g").count() == 3
    link = page.locator("tbody a").first
    link.focus()
    assert link.evaluate("(one) => getComputedStyle(one).outlineStyle") != "none"
    assert link.get_attribute("href") == "folder/report.html"


def test_the_history_fits_a_narrow_screen(viewer: Viewer) -> None:
    runs = [a_past(days_before(mixed_fleet(), days)) for days in range(30)]
    page = viewer.show(render_history(runs), viewport={"width": 320, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == 320
