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

from auditor.model.facts import Proto
from auditor.model.report import AuditReport
from auditor.reporters.html import render
from tests.reporters.browser import SPY, Viewer, open_browser
from tests.reporters.fleet import (
    a_host_report,
    a_judged,
    a_report,
    fleets,
    hostile_fleet,
    large_fleet,
    mixed_fleet,
)

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
    assert page.locator("h1").inner_text() in {"Pass", "Fail", "Incomplete", "Nothing audited"}


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
        ("family:ipv6", 2),
        ("address:::", 2),
        ("-family:ipv6", 3),
        ("family:ipv6 port:23", 1),
        ("NIST-CM-7", 5),
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


def test_a_finding_is_found_by_every_listener_it_is_about(mixed: Page) -> None:
    mixed.evaluate("location.hash = 'tab=ports&each=1&q=port:23 severity:critical'")
    expect(mixed.locator("#shown")).to_have_text(re.compile("^2 of "))
    assert {row.split()[3] for row in rows(mixed, "ports")} == {"0.0.0.0", "::"}


def test_terms_about_listeners_mean_one_and_the_same(viewer: Viewer) -> None:
    apart = a_host_report("apart", [a_judged("127.0.0.1", 5432), a_judged("0.0.0.0", 22)])
    one = a_host_report("one", [a_judged("0.0.0.0", 5432, user="root", uid=0)])
    bad = a_host_report("bad", [a_judged("0.0.0.0", 22, "denied")])
    page = viewer.show(render(a_report(apart, one, bad)), "#tab=hosts&sort=host")
    for query, expected in (
        ("port:5432 scope:wildcard", ["one"]),
        ("port:5432", ["apart", "one"]),
        ("port:5432 -scope:loopback", ["one"]),
        ("scope:wildcard port:22 group:none", []),
        ("user:0", ["one"]),
    ):
        page.fill("#query", query)
        expect(page.locator("#shown")).to_have_text(f"{len(expected)} of 3 hosts shown")
        assert [row.split()[0] for row in rows(page, "hosts")] == expected, query


def test_a_field_that_is_none_is_said(mixed: Page) -> None:
    mixed.fill("#query", "prot:23")
    expect(mixed.locator("#live-findings .calm")).to_contain_text("no field “prot:”")
    expect(mixed.locator("#live-findings .calm")).to_contain_text("Perhaps proto:?")


def test_a_finding_is_found_by_its_id_and_a_host_by_its_system(viewer: Viewer) -> None:
    report = mixed_fleet()
    wanted = finding_of(report, "forbidden-listener")
    page = viewer.show(render(report))
    page.fill("#query", wanted)
    expect(page.locator("#shown")).to_have_text("1 of 5 findings shown")
    facts = report.hosts[0].facts
    assert facts
    page.evaluate("(text) => { location.hash = `tab=hosts&q=${text}`; }", facts.kernel)
    expect(page.locator("#shown")).to_have_text(re.compile(r"^[1-8] of 8 hosts shown"))


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


def test_the_filter_goes_along_and_the_way_back_leads_to_it(mixed: Page) -> None:
    mixed.evaluate("location.hash = 'tab=findings&q=host:web-03&sort=-host'")
    expect(mixed.locator("#shown")).to_have_text("3 of 5 findings shown")
    expect(mixed).to_have_title(re.compile("^Findings · host:web-03 · Fail"))
    mixed.locator("#tabs a[data-tab=hosts]").click()
    expect(mixed.locator("#shown")).to_have_text("1 of 8 hosts shown")
    mixed.locator("#tabs a[data-tab=findings]").click()
    expect(mixed).to_have_url(re.compile("q=host:web-03&sort=-host"))
    opened = mixed.locator("#live-findings .subject").nth(1)
    address = opened.get_attribute("href")
    opened.click()
    expect(mixed.locator("#detail-title")).to_be_focused()
    expect(mixed).to_have_title(re.compile("^tcp .* · Fail"))
    mixed.go_back()
    expect(mixed.locator(f'#live-findings a[href="{address}"]')).to_be_focused()
    mixed.locator("#live-findings .subject").first.click()
    mixed.locator("#detail .back a").click()
    expect(mixed.locator("#shown")).to_have_text("3 of 5 findings shown")
    expect(mixed).to_have_url(re.compile("q=host:web-03&sort=-host"))


def test_escape_from_an_address_that_was_opened_stays_in_the_report(viewer: Viewer) -> None:
    page = viewer.show(render(mixed_fleet()), "#host=web-03")
    expect(page.locator("#detail-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#shown")).to_have_text("8 of 8 hosts shown")


def test_the_arrow_down_leads_from_the_search_to_the_rows(mixed: Page) -> None:
    mixed.locator("#query").focus()
    mixed.keyboard.press("ArrowDown")
    assert mixed.evaluate("document.activeElement.closest('tr').dataset.at") == "0"


def test_paper_says_that_it_is_filtered(mixed: Page) -> None:
    mixed.fill("#query", "group:db")
    expect(mixed.locator("#shown")).to_have_text("2 of 5 findings shown")
    mixed.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(mixed.locator("#print-note")).to_have_text("Filtered by “group:db”: 2 of 5 findings.")
    mixed.evaluate("dispatchEvent(new Event('afterprint'))")
    expect(mixed.locator("#print-note")).to_be_hidden()
    mixed.locator("#clear").click()
    mixed.evaluate("dispatchEvent(new Event('beforeprint'))")
    expect(mixed.locator("#print-note")).to_be_hidden()


def test_paper_gets_the_lines_to_paste_and_the_run(viewer: Viewer) -> None:
    document = render(mixed_fleet())
    assert (
        '@bottom-left { content: "netaudit · 20260304T050607Z-7f3a · 2026-03-04 05:06:19 UTC · fail";'
        in document.decode()
    )
    page = viewer.show(document)
    page.emulate_media(media="print")
    expect(page.locator("#live-findings code.paper").first).to_have_text("systemctl disable --now telnet.socket")
    expect(page.locator("#live-findings code.paper").first).to_be_visible()


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


def test_the_heat_map_leaves_out_nobody_worse_than_who_is_drawn(viewer: Viewer) -> None:
    calm = [a_host_report(f"calm-{at:02d}", [a_judged(port=port) for port in (22, 80)]) for at in range(45)]
    bad = a_host_report("worst", [a_judged(port=23, verdict="denied"), a_judged(port=80, verdict="waived")])
    page = viewer.show(render(a_report(*calm, bad)), "#tab=ports")
    expect(page.locator("#heat svg text", has_text="worst")).to_have_count(1)
    expect(page.locator("#heat figcaption")).to_contain_text("6 more hosts are not drawn, none of them worse.")
    expect(page.locator("#heat rect.bad")).to_have_count(1)
    expect(page.locator("#heat rect.spared title")).to_have_text("worst, 80/tcp: 1, 1 waived")


def test_hosts_and_ports_count_as_the_page_above_them(mixed: Page) -> None:
    mixed.evaluate("location.hash = 'tab=hosts&sort=host'")
    expect(mixed.locator("#shown")).to_have_text("8 of 8 hosts shown")
    found = mixed.locator("#live-hosts td[data-key=findings]").all_inner_texts()
    assert sum(int(text) for text in found if text.isdigit()) == 4
    expect(mixed.locator("#tabs a[data-tab=findings] .count").first).to_have_text("4")
    mixed.evaluate("location.hash = 'tab=ports'")
    expect(mixed.locator("#live-ports td[data-key=hosts]").first).to_contain_text("of 6")


def test_long_names_are_told_whole(viewer: Viewer) -> None:
    name = f"{'n' * 90}-01"
    page = viewer.show(render(a_report(a_host_report(name, [a_judged()]))), "#tab=hosts")
    expect(page.locator("#live-hosts th[data-key=host] .clip")).to_have_attribute("title", name)


_SPANS = """(svg) => {
    const frame = svg.getBoundingClientRect();
    const labels = [...svg.querySelectorAll("text")].map((label) => label.getBoundingClientRect());
    return labels.flatMap((label) => [label.top - frame.top, frame.right - label.right]);
}"""


@pytest.mark.parametrize(
    "ports", [[(999, "udplite"), (22, "tcp")], [(65535, "udplite")], [(65535, "udp")], [(1, "tcp")]]
)
def test_the_heat_map_has_room_for_its_longest_label(viewer: Viewer, ports: list[tuple[int, Proto]]) -> None:
    host = a_host_report("web-01", [a_judged(port=port, proto=proto) for port, proto in ports])
    document = render(a_report(host))
    drawn = viewer.show(document, "#tab=ports").locator("#heat svg.heat")
    printed = viewer.show(document, java_script_enabled=False).locator("#ports .static svg.heat")
    for drawing in (drawn, printed):
        spans = drawing.evaluate(_SPANS)
        assert len(spans) == 2 * (len(ports) + 1)
        assert min(spans) >= -2  # a box is higher than the letters in it


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
    assert all(loaded[2][name] for name in ("waiver_owner", "waiver_reason", "waived_until"))
    assert (loaded[0]["run"], loaded[0]["port"], loaded[0]["scope"]) == ("20260304T050607Z-7f3a", 23, "wildcard")
    mixed.locator("#export-open").click()
    expect(mixed.locator("#export a.button")).to_have_attribute(
        "download", "netaudit-findings-20260304T050607Z-7f3a-3-of-5.csv"
    )
    expect(mixed.locator("#export")).to_contain_text("3 of 5 findings by the filter host:web-03")
    mixed.get_by_role("button", name="Close").click()
    titled = export(mixed, "Markdown").strip().split("\n")
    assert titled[0].replace("\\", "") == "Run 20260304T050607Z-7f3a: 3 of 5 findings by the filter host:web-03"
    assert len(titled) == 2 + 5


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\t=1", "a|b`c`<b>[x](y)", 'a"b,c;d'])
def test_what_is_exported_stays_text(viewer: Viewer, text: str) -> None:
    page = viewer.show(render(hostile_fleet(text)))
    cells = [cell for row in csv.reader(io.StringIO(export(page, "CSV"))) for cell in row]
    assert [cell for cell in cells if re.match(r"[=+\-@\t\r]", cell)] == []
    lines = export(page, "Markdown").strip().split("\n")[2:]
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
    page.reload()
    expect(page.locator("#theme")).to_have_text("Theme: dark")
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
