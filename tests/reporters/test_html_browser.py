"""The HTML report in a real browser: silent on network and console, searchable, addressable, usable by keyboard."""

import csv
import io
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from auditor.model.report import AuditReport
from auditor.reporters.html import render
from tests.reporters.browser import SPY, Viewer, open_browser
from tests.reporters.fleet import fleets, hostile_fleet, large_fleet, mixed_fleet

TABS = ("findings", "hosts", "ports", "rules", "waivers", "unaudited", "changes", "run")
ROW = "tbody[role] tr"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@pytest.fixture
def viewer(browser: Browser, tmp_path: Path) -> Iterator[Viewer]:
    """Open reports; afterwards nothing may have been asked of the network, and nothing complained about."""
    made = Viewer(browser, tmp_path / "report.html")
    yield made
    made.settle()


@pytest.fixture
def mixed(viewer: Viewer) -> Page:
    return viewer.show(render(mixed_fleet()))


def rows(page: Page, tab: str = "findings") -> list[str]:
    return [" ".join(text.split()) for text in page.locator(f"#live-{tab} .grid:visible {ROW}").all_inner_texts()]


def finding_of(report: AuditReport, rule: str) -> str:
    return next(finding.id for host in report.hosts for finding in host.findings if finding.rule == rule)


@pytest.mark.parametrize("name", list(fleets()))
def test_a_report_opens_quietly_on_every_tab(viewer: Viewer, name: str) -> None:
    page = viewer.show(render(fleets()[name]))
    for tab in TABS:
        page.locator(f"#tabs a[data-tab={tab}]").click()
        expect(page.locator(f"#{tab}")).to_be_visible()
        assert page.locator("main > .panel:visible").count() == 1
    assert page.locator("h1").inner_text() in {"Pass", "Fail", "Incomplete"}


def test_the_report_begins_where_the_bad_news_is(viewer: Viewer) -> None:
    expect(viewer.show(render(fleets()["failing"])).locator("#findings")).to_be_visible()
    expect(viewer.show(render(fleets()["lost"])).locator("#unaudited")).to_be_visible()


@pytest.mark.parametrize(
    "text",
    [
        "<img src=x onerror=alert(1)>",
        "</script><script>alert(1)</script>",
        '" autofocus onfocus="alert(1)',
        "</style><style>*{background:url(http://127.0.0.1:9/)}</style>",
        "<svg onload=alert(1)><a href=javascript:alert(1)>",
        "</title></code></pre></table></details><iframe src=http://127.0.0.1:9/>",
        "=HYPERLINK(1)|{{7*7}}`code`[x](javascript:alert(1))",
    ],
)
def test_hostile_text_does_nothing_anywhere(viewer: Viewer, text: str) -> None:
    report = hostile_fleet(text)
    page = viewer.show(render(report))
    shown = page.locator("#live-findings .subject").first.text_content() or ""
    assert text in shown
    for fragment in [
        *(f"#tab={tab}" for tab in TABS),
        "#tab=ports&each=1",
        f"#finding={report.hosts[0].findings[0].id}",
    ]:
        page.evaluate("(hash) => { location.hash = hash; }", fragment)
        page.evaluate("(text) => { const q = document.getElementById('query'); q.value = text; }", text)
    page.evaluate("(name) => { location.hash = 'host=' + encodeURIComponent(name); }", f"{text}1")
    expect(page.locator("#detail-title")).to_have_text(f"{text}1")
    assert page.locator("img, iframe, body style, #detail script").count() == 0
    assert page.locator("[onerror], [onload], [onfocus], [href^=javascript]").count() == 0


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


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", 5),
        ("port:23", 1),
        ("port:1-100", 1),
        ("host:web*", 3),
        ("-host:web*", 2),
        ("group:db", 2),
        ("-group:db severity:critical,high", 2),
        ("rule:exposed-listener", 1),
        ("severity:waived", 1),
        ("scope:wildcard", 3),
        ("process:inetd", 1),
        ("status:violating telnet", 1),
        ("control:CIS-*", 5),
        ("waiver:w-17", 1),
        ("0.0.0.0:5432", 1),
        ("nothing-has-this", 0),
    ],
)
def test_the_search_finds(mixed: Page, query: str, expected: int) -> None:
    mixed.fill("#query", query)
    expect(mixed.locator("#shown")).to_have_text(f"{expected} of 5 findings shown")
    assert len(rows(mixed)) == expected


def test_the_search_asks_each_tab_its_own_question(mixed: Page) -> None:
    mixed.evaluate("location.hash = 'tab=hosts&q=port:23'")
    expect(mixed.locator("#shown")).to_have_text("1 of 8 hosts shown")
    assert rows(mixed, "hosts")[0].startswith("web-03 violating")
    mixed.evaluate("location.hash = 'tab=hosts&q=-port:443 status:compliant'")
    expect(mixed.locator("#shown")).to_have_text("0 of 8 hosts shown")
    mixed.evaluate("location.hash = 'tab=ports&q=group:db'")
    expect(mixed.locator("#shown")).to_contain_text("ports shown")
    ports = [row.split()[0] for row in rows(mixed, "ports")]
    assert ports == ["5432/tcp", "22/tcp", "9100/tcp", "40123/udp", "443/tcp"]
    mixed.evaluate("location.hash = 'tab=unaudited&q=code:tcp-refused'")
    expect(mixed.locator("#shown")).to_have_text("1 of 3 hosts shown")


def test_chips_selects_and_cards_are_the_same_search(mixed: Page) -> None:
    mixed.locator("a.c-critical").click()
    expect(mixed.locator("#query")).to_have_value("severity:critical")
    assert len(rows(mixed)) == 1
    mixed.get_by_role("checkbox", name="high").check(force=True)
    expect(mixed.locator("#query")).to_have_value("severity:critical,high")
    mixed.locator("select[name=group]").select_option("web")
    expect(mixed.locator("#query")).to_have_value("severity:critical,high group:web")
    mixed.locator("#clear").click()
    expect(mixed.locator("#shown")).to_have_text("5 of 5 findings shown")
    mixed.locator("a.c-unreachable").click()
    expect(mixed.locator("#unaudited")).to_be_visible()
    assert len(rows(mixed, "unaudited")) == 2


def test_each_reason_not_to_be_audited_leads_to_its_hosts(viewer: Viewer) -> None:
    report = large_fleet(200)
    lost = [host for host in report.hosts if host.error]
    page = viewer.show(render(report), "#tab=unaudited")
    reason = page.locator(".why li", has_text="tcp-refused")
    expect(reason).to_have_count(1)
    reason.get_by_role("link", name=f"{len(lost)} hosts").click()
    expect(page.locator("#query")).to_have_value("code:tcp-refused")
    expect(page.locator("#shown")).to_contain_text(f"{len(lost)} of ")
    page.locator(".why li", has_text="evidence-gap").first.get_by_role("link").click()
    expect(page.locator("#query")).to_have_value("rule:evidence-gap")
    partial = sum(host.error is None and not host.fully_audited for host in report.hosts)
    expect(page.locator("#shown")).to_contain_text(f"{partial} of ")


def test_sorting_by_one_and_by_several(mixed: Page) -> None:
    heading = mixed.locator("#live-hosts thead th[data-key=host]")
    mixed.evaluate("location.hash = 'tab=hosts'")
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "ascending")
    names = [row.split()[0] for row in rows(mixed, "hosts")]
    assert names == ["db-01", "db-02", "db-03", "edge-01", "edge-02", "web-01", "web-02", "web-03"]
    heading.get_by_role("button").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert [row.split()[0] for row in rows(mixed, "hosts")] == names[::-1]
    mixed.locator("#live-hosts thead th[data-key=status] button").click()
    mixed.locator("#live-hosts thead th[data-key=listeners] button").click(modifiers=["Shift"])
    mixed.locator("#live-hosts thead th[data-key=listeners] button").click(modifiers=["Shift"])
    expect(mixed.locator("#live-hosts .also")).to_have_text("↓2")
    expect(mixed.locator("#live-hosts thead th[data-key=status]")).to_have_attribute("aria-sort", "ascending")
    assert "sort=status,-listeners" in mixed.url
    assert [row.split()[0] for row in rows(mixed, "hosts")][:3] == ["web-03", "db-02", "db-03"]


def test_numbers_in_names_sort_as_numbers(viewer: Viewer) -> None:
    page = viewer.show(render(large_fleet(30)), "#tab=hosts&sort=host")
    names = [row.split()[0] for row in rows(page, "hosts")]
    assert names[:3] == ["host-00000", "host-00001", "host-00002"]
    page.evaluate("location.hash = 'tab=ports&sort=port'")
    expect(page.locator("#live-ports thead th[data-key=port]")).to_have_attribute("aria-sort", "ascending")
    numbers = [int(row.split("/")[0]) for row in rows(page, "ports")]
    assert numbers == sorted(numbers)
    assert len(numbers) > 5


def test_the_back_button_undoes(mixed: Page) -> None:
    mixed.locator("a.c-critical").click()
    mixed.locator("#live-findings .subject").first.click()
    expect(mixed.locator("#detail-title")).to_have_text("tcp 0.0.0.0:23 and [::]:23")
    mixed.locator("#detail .lead a").click()
    expect(mixed.locator("#detail-title")).to_have_text("web-03")
    mixed.go_back()
    expect(mixed.locator("#detail-title")).to_have_text("tcp 0.0.0.0:23 and [::]:23")
    mixed.go_back()
    expect(mixed.locator("#shown")).to_have_text("1 of 5 findings shown")
    mixed.go_back()
    expect(mixed.locator("#shown")).to_have_text("5 of 5 findings shown")
    mixed.go_forward()
    expect(mixed.locator("#query")).to_have_value("severity:critical")


def test_a_search_in_the_address_is_opened(viewer: Viewer) -> None:
    page = viewer.show(render(mixed_fleet()), "#tab=findings&q=port:23&sort=-host")
    expect(page.locator("#query")).to_have_value("port:23")
    assert len(rows(page)) == 1
    page.fill("#query", "host:db*")
    expect(page).to_have_url(re.compile("q=host:db"))


def test_a_finding_has_an_address_and_says_everything(viewer: Viewer) -> None:
    report = mixed_fleet()
    page = viewer.show(render(report), f"#finding={finding_of(report, 'forbidden-listener')}")
    said = page.locator("#detail").inner_text()
    for part in (
        "telnet is forbidden: clear-text login.",
        "Risk:",
        "systemctl disable --now telnet.socket",
        'rule: forbidden-listener, hosts: ["web-03"], port: 23/tcp,',
        "expires: 2026-06-02",
        "policies/base.yaml:31",
        "CIS-2.1.22, NIST-CM-7",
        "00000000:0017 → 0.0.0.0:23",
        "00000000000000000000000000000000:0017 → [::]:23",
        "cat /proc/net/tcp /proc/net/tcp6",
        "+0.3 s",
        next(source.sha256 for source in report.hosts[7].coverage if source.source == "tcp") or "?",
        "inetd (pid 4111, /usr/sbin/inetd, inetd.service)",
    ):
        assert part in said, part


def test_an_address_that_leads_nowhere_says_so(viewer: Viewer) -> None:
    page = viewer.show(render(mixed_fleet()), "#finding=feed")
    expect(page.locator("#detail")).to_contain_text("This report has no finding feed")


def test_the_id_of_another_format_finds_a_finding_whose_id_is_cut(
    viewer: Viewer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auditor.reporters.html_data_findings.FULL_IDS", 3)
    report = mixed_fleet()
    page = viewer.show(render(report), f"#finding={finding_of(report, 'forbidden-listener')}")
    expect(page.locator("#detail-title")).to_have_text("tcp 0.0.0.0:23 and [::]:23")


def test_a_rule_has_an_address(viewer: Viewer) -> None:
    page = viewer.show(render(mixed_fleet()), "#rule=exposed-listener")
    expect(page.locator("#rule-exposed-listener")).to_be_focused()


def test_a_host_shows_listeners_gaps_facts_and_what_was_read(viewer: Viewer) -> None:
    report = mixed_fleet()
    page = viewer.show(render(report), "#host=db-03")
    said = page.locator("#detail").inner_text()
    assert "/proc/net/udp6 could not be read (denied)" in said
    assert "2 sections came twice" in said
    assert "web-tier: https" in said
    assert "policies/web.yaml:12" in said
    assert "0.0.0.0 and ::" in said
    assert "ssh-ed25519 SHA256:uNiVztksCsDhcc0u9e8BrHXyvzdJVNrpFnDJmVCdx1k" in said
    assert page.locator("#detail .ledger tbody tr").count() == len(report.hosts[2].coverage)
    page.evaluate("location.hash = 'host=edge-01'")
    expect(page.locator("#detail")).to_contain_text("Not reached (phase tcp, code tcp-refused)")
    expect(page.locator("#detail")).to_contain_text("Nothing is known about what listens there.")


def test_every_listener_can_be_found(viewer: Viewer) -> None:
    report = mixed_fleet()
    page = viewer.show(render(report), "#tab=ports")
    page.get_by_role("link", name="Each listener").click()
    expect(page.locator("#shown")).to_have_text(
        f"{report.summary.listeners} of {report.summary.listeners} listeners shown"
    )
    assert rows(page, "ports")[0].startswith("denied 23/tcp web-03 0.0.0.0 wildcard telnet")


def test_the_heat_map_follows_the_filter(viewer: Viewer) -> None:
    page = viewer.show(render(large_fleet(250)), "#tab=ports")
    expect(page.locator("#heat figcaption")).to_contain_text("group by port")
    page.evaluate("location.hash = 'tab=ports&q=group:site-1'")
    expect(page.locator("#heat figcaption")).to_contain_text("host by port")
    page.locator("#heat summary").click()
    twin = page.locator("#heat table tbody tr").first
    expect(twin).to_be_visible()
    assert page.locator("#heat svg rect").count() > 20


def test_many_rows_are_drawn_only_where_one_looks(viewer: Viewer) -> None:
    page = viewer.show(render(large_fleet(600)), "#tab=hosts&sort=host")
    grid = page.locator("#live-hosts .grid")
    assert grid.get_attribute("aria-rowcount") == "601"
    assert page.locator(f"#live-hosts {ROW}").count() < 80
    page.evaluate("scrollTo(0, document.body.scrollHeight / 2)")
    expect(page.locator(f"#live-hosts {ROW}").nth(20)).to_be_visible()
    expect(page.locator(f"#live-hosts {ROW}").first).to_have_attribute("aria-rowindex", re.compile("^[23]"))


def test_all_rows_can_be_one_real_table(viewer: Viewer) -> None:
    page = viewer.show(render(large_fleet(600)), "#tab=hosts&sort=host")
    page.get_by_label("All as a plain table").check()
    expect(page).to_have_url(re.compile("&rows=all$"))
    assert page.locator(f"#live-hosts {ROW}").count() == 600
    assert "host-00599" in page.locator(f"#live-hosts {ROW}").last.inner_text()
    assert page.evaluate("find('host-00599')")
    assert page.locator("#live-hosts .cut").is_hidden()
    expect(page.get_by_label("All as a plain table")).to_be_focused()
    page.fill("#query", "host:host-0000*")
    expect(page.locator(f"#live-hosts {ROW}")).to_have_count(10)
    page.go_back()
    assert page.locator(f"#live-hosts {ROW}").count() < 80
    expect(page.get_by_label("All as a plain table")).not_to_be_checked()
    page.wait_for_timeout(600)
    assert "rows=all" not in page.url, "what was typed is written to the address after a pause, but not over a way back"


def test_a_plain_table_ends_somewhere_and_says_so(viewer: Viewer) -> None:
    report = large_fleet(400)
    count = report.summary.listeners
    page = viewer.show(render(report), "#tab=ports&each=1&rows=all")
    assert page.locator(f"#live-ports .grid:visible {ROW}").count() == 2000 < count
    assert page.locator("#live-ports .grid:visible").get_attribute("aria-rowcount") == str(count + 1)
    expect(page.locator("#live-ports .cut:visible")).to_contain_text(f"{count - 2000:,} more rows")
    expect(page.locator("#shown")).to_have_text(f"2,000 of {count:,} listeners shown")
    page.get_by_label("All as a plain table").uncheck()
    assert page.locator("#live-ports .cut:visible").count() == 0
    expect(page.locator("#shown")).to_have_text(f"{count:,} of {count:,} listeners shown")


def test_the_keyboard_is_enough(mixed: Page) -> None:
    mixed.keyboard.press("Tab")
    assert mixed.evaluate("document.activeElement.className") == "skip"
    mixed.keyboard.press("/")
    mixed.keyboard.type("host:web-03")
    expect(mixed.locator("#shown")).to_have_text("3 of 5 findings shown")
    for _ in range(30):
        mixed.keyboard.press("Tab")
        assert mixed.evaluate(
            "document.activeElement.type === 'checkbox' ||"
            " getComputedStyle(document.activeElement).outlineStyle !== 'none'"
        )
        if mixed.evaluate("Boolean(document.activeElement.closest('tbody[role]'))"):
            break
    mixed.keyboard.press("ArrowDown")
    assert mixed.evaluate("document.activeElement.closest('tr').getAttribute('aria-rowindex')") == "3"
    mixed.keyboard.press("Enter")
    expect(mixed.locator("#detail-title")).to_be_focused()
    mixed.keyboard.press("Escape")
    expect(mixed.locator("#shown")).to_have_text("3 of 5 findings shown")
    mixed.keyboard.press("?")
    expect(mixed.locator("#help")).to_be_visible()
    mixed.keyboard.press("Escape")
    mixed.keyboard.press("/")
    mixed.keyboard.press("Escape")
    expect(mixed.locator("#shown")).to_have_text("5 of 5 findings shown")


def export(page: Page, form: str) -> str:
    page.locator("#export-open").click()
    page.locator(f"#export input[value={form}]").check(force=True)
    with page.expect_download() as caught:
        page.locator("#export a.button").click()
    text = caught.value.path().read_text()
    assert page.locator("#export textarea").input_value().split() == text.split()
    page.get_by_role("button", name="Close").click()
    return text


def test_the_filtered_rows_export(mixed: Page) -> None:
    mixed.fill("#query", "host:web-03")
    expect(mixed.locator("#shown")).to_have_text("3 of 5 findings shown")
    listed = list(csv.DictReader(io.StringIO(export(mixed, "CSV"))))
    loaded = json.loads(export(mixed, "JSON"))
    assert [row["subject"] for row in listed] == [row["subject"] for row in loaded]
    assert [row["severity"] for row in loaded] == ["critical", "high", "medium"]
    assert loaded[2]["waived_by"] == "w-17"
    assert len(export(mixed, "Markdown").strip().split("\n")) == 5


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "a|b`c`<b>[x](y)", 'a"b,c;d'])
def test_what_is_exported_stays_text(viewer: Viewer, text: str) -> None:
    page = viewer.show(render(hostile_fleet(text)))
    cells = [cell for row in csv.reader(io.StringIO(export(page, "CSV"))) for cell in row]
    assert [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell)] == []
    lines = export(page, "Markdown").strip().split("\n")
    bars = [len(re.findall(r"(?<!\\)\|", line)) for line in lines]
    assert len(set(bars)) == 1
    assert not re.search(r"(?<!\\)[`<\[]", "\n".join(lines))


def test_without_javascript_the_page_says_what_matters(viewer: Viewer) -> None:
    report = mixed_fleet()
    page = viewer.show(render(report), java_script_enabled=False)
    assert page.locator("#toolbar").is_hidden()
    assert page.locator(".card:visible").count() >= 12
    assert page.locator(".findings tbody tr:visible").count() == 5
    assert page.locator("table.hosts tbody tr:visible").count() == len(report.hosts)
    for host in report.hosts:
        if not host.fully_audited:
            assert page.locator("#unaudited").get_by_text(host.name, exact=True).first.is_visible()
    for tab in TABS:
        assert page.locator(f"#{tab}").is_visible()


def test_a_browser_that_cannot_open_the_data_still_shows_the_tables(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "old.html"
    path.write_bytes(render(large_fleet(300)))
    assert b'type="application/octet-stream"' in path.read_bytes()
    with browser.new_context() as context:
        context.add_init_script("delete window.DecompressionStream")
        page = context.new_page()
        page.goto(path.as_uri())
        expect(page.locator("#failed")).to_be_visible()
        assert page.locator("table.hosts tbody tr:visible").count() == 300


@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_makes_the_page_scroll_sideways(viewer: Viewer, width: int) -> None:
    for report in (mixed_fleet(), hostile_fleet("x" * 3000)):
        page = viewer.show(render(report), viewport={"width": width, "height": 700})
        finding = report.hosts[-1].findings or report.hosts[0].findings
        fragments = [*(f"tab={tab}" for tab in TABS), "tab=ports&each=1", f"finding={finding[0].id}"]
        for fragment in (*fragments, f"host={report.hosts[0].name}"):
            page.evaluate("(hash) => { location.hash = hash; }", fragment)
            page.wait_for_timeout(30)
            assert page.evaluate("document.documentElement.scrollWidth") == width, fragment


def test_paper_gets_every_filtered_finding_and_no_controls(viewer: Viewer) -> None:
    page = viewer.show(render(large_fleet(600)), "#tab=findings", color_scheme="dark")
    page.emulate_media(media="print", color_scheme="dark")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    total = int(page.locator("#live-findings .grid").get_attribute("aria-rowcount") or "0") - 1
    assert page.locator(f"#live-findings {ROW}").count() == total > 150
    assert page.locator("#toolbar, #tabs").first.is_hidden()
    assert page.locator(f"#live-findings {ROW} .paper").first.is_visible()
    assert page.locator(f"#live-unaudited {ROW}").count() > 30
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.querySelector('.grid thead')).display") == "table-header-group"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(f"#live-findings {ROW}").count() < 80
    assert page.pdf(prefer_css_page_size=True).startswith(b"%PDF-")


def test_the_theme_can_be_turned(viewer: Viewer) -> None:
    page = viewer.show(render(mixed_fleet()), color_scheme="light")
    back = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(back) == "rgb(245, 246, 248)"
    page.locator("#theme").click()
    assert page.evaluate(back) == "rgb(16, 19, 23)"
    page.locator("#theme").click()
    assert page.evaluate(back) == "rgb(245, 246, 248)"


def expect_columns(page: Page, *keys: str) -> None:
    """Wait until these columns are shown: the page follows its address a moment later."""
    shown: list[str] = []
    end = time.monotonic() + 5
    while time.monotonic() < end:
        shown = page.eval_on_selector_all(".grid thead th:visible", "all => all.map(o => o.dataset.key)")
        if shown == list(keys):
            return
        page.wait_for_timeout(20)
    assert shown == list(keys)


def test_columns_can_be_chosen_and_stand_in_the_address(mixed: Page) -> None:
    usual = ("severity", "host", "finding", "rule")
    expect_columns(mixed, *usual)
    mixed.locator(".columns summary").click()
    mixed.get_by_role("group", name="Columns shown").get_by_label("Controls").check()
    expect(mixed).to_have_url(re.compile("columns=severity,host,finding,rule,controls"))
    assert "CIS-2.1.22" in rows(mixed)[0]
    expect(mixed.get_by_label("Controls")).to_be_focused()
    mixed.get_by_role("checkbox", name="Rule").uncheck()
    expect_columns(mixed, "severity", "host", "finding", "controls")
    mixed.keyboard.press("Escape")
    expect(mixed.locator(".columns summary")).to_be_focused()
    assert not mixed.get_by_label("Controls").is_visible()
    mixed.go_back()
    expect_columns(mixed, *usual, "controls")
    mixed.go_back()
    expect_columns(mixed, *usual)
    assert set(json.loads(export(mixed, "JSON"))[0]) >= {"rule", "controls"}


def test_columns_by_keyboard_and_by_address(viewer: Viewer) -> None:
    page = viewer.show(render(mixed_fleet()), "#tab=hosts&columns=status,kernel,nonsense")
    expect_columns(page, "host", "status", "kernel")
    expect(page.get_by_label("Host", exact=True)).to_be_disabled()
    page.locator(".columns summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect_columns(page, "host", "kernel")
    page.evaluate("location.hash = 'tab=ports&columns=hosts'")
    expect_columns(page, "port", "hosts")
    page.get_by_role("link", name="Each listener").click()
    expect_columns(page, "verdict", "port", "host", "address", "service", "decided")


def test_colour_is_never_alone(mixed: Page) -> None:
    badges = mixed.locator(".badge").all()
    assert badges
    for badge in badges:
        assert badge.text_content()
        assert badge.locator("svg use").count() == 1
