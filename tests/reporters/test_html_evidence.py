"""The control evidence page: what was not read proves nothing, and exceptions have owners and dates."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from auditor.model.report import AuditReport, HostReport
from auditor.reporters.html_controls import Conclusion, build_controls
from auditor.reporters.html_evidence import render
from tests.reporters.browser import open_browser
from tests.reporters.fleet import (
    a_bad_host,
    a_calm_host,
    a_finding,
    a_host_report,
    a_lost_host,
    a_partial_host,
    a_report,
    a_system,
    hostile_fleet,
    limit,
    mixed_fleet,
)
from tests.reporters.test_html import HOSTILE, Reader, squeeze


def under_control(*hosts: HostReport, partial: bool = False) -> AuditReport:
    """Return a report whose policy `web-tier` serves one control."""
    report = a_report(*hosts, partial=partial)
    policies = tuple(
        policy.model_copy(update={"controls": ("CIS-2.1.22",)}) if policy.name == "web-tier" else policy
        for policy in report.run.policies
    )
    return report.model_copy(update={"run": report.run.model_copy(update={"policies": policies})})


def waived_host(name: str) -> HostReport:
    waived = next(finding for finding in a_bad_host(name).findings if finding.waived)
    return a_host_report(name, (), (waived,))


@pytest.mark.parametrize(
    ("hosts", "conclusion"),
    [
        ((a_calm_host("a"), a_calm_host("b")), "met"),
        ((a_calm_host("a"), waived_host("b")), "met with exceptions"),
        ((a_calm_host("a"), a_bad_host("b")), "not met"),
        ((a_calm_host("a"), a_partial_host("b")), "not concluded"),
        ((a_calm_host("a"), a_lost_host("b", policies=("web-tier",))), "not concluded"),
        ((a_bad_host("a"), a_lost_host("b", policies=("web-tier",))), "not met"),
        ((a_calm_host("a", policies=("base",)),), "not tested"),
        ((a_host_report("a", (), (a_finding("a", severity="info", controls=("CIS-2.1.22",)),)),), "met"),
        ((), "not tested"),
    ],
)
def test_a_control_is_concluded_only_from_what_was_read(hosts: tuple[HostReport, ...], conclusion: Conclusion) -> None:
    control = next(one for one in build_controls(under_control(*hosts)) if one.id == "CIS-2.1.22")
    assert control.conclusion == conclusion
    counted = control.conforming + control.excepted.total + control.deviating.total + control.unread.total
    assert counted == control.scope.total


def test_an_interrupted_run_concludes_nothing_good() -> None:
    (control,) = build_controls(under_control(a_calm_host("a"), partial=True))
    assert control.conclusion == "not concluded"


def test_hosts_that_were_not_read_are_named() -> None:
    (control,) = build_controls(
        under_control(a_calm_host("a"), a_partial_host("b"), a_lost_host("c", policies=("web-tier",)))
    )
    assert control.unread.shown == ("b", "c")
    assert control.tested == 1
    assert control.conforming == 1


def test_the_page_says_who_accepted_what_until_when() -> None:
    text = squeeze(Reader(render(under_control(a_calm_host("a"), waived_host("b")))).text)
    assert "w-17 unexpected-listener ops@example.com 2026-12-31 migration b" in text
    assert "Met with exceptions" in text
    assert "A host that was not read is never counted as conforming." in text


def text_of(report: AuditReport) -> str:
    return squeeze(Reader(render(report)).text)


def test_a_waived_host_is_excepted_and_not_conforming() -> None:
    report = under_control(a_calm_host("a"), waived_host("b"))
    control = next(one for one in build_controls(report) if one.id == "CIS-2.1.22")
    assert (control.conforming, control.excepted.shown) == (1, ("b",))


def test_a_conforming_host_that_breaks_other_rules_is_not_passed_over() -> None:
    other = a_host_report("b", (), (a_finding("b", controls=("OTHER-1",)),))
    control = next(one for one in build_controls(under_control(a_calm_host("a"), other)) if one.id == "CIS-2.1.22")
    assert (control.conforming, control.elsewhere) == (2, 1)
    assert "2 conforming (1 of them with findings that do not count against this control)" in text_of(
        under_control(a_calm_host("a"), other)
    )


def test_a_deviation_says_what_where_and_what_ends_it() -> None:
    report = under_control(a_bad_host("b"))
    text = text_of(report)
    critical = report.hosts[0].findings[0]
    assert f"b ({critical.id[:8]})" in text
    assert "forbidden-listener, decided by policies/base.yaml:31" in text
    assert "telnet is forbidden: clear-text login." in text
    assert "systemctl disable --now telnet.socket" in text


def test_each_host_of_which_nothing_is_concluded_has_its_reason() -> None:
    text = text_of(under_control(a_partial_host("b"), a_lost_host("c", policies=("web-tier",))))
    assert "b /proc/net/udp6 could not be read (denied); UDP over IPv6 is not known" in text
    assert "c tcp-refused: c.example.com port 22: connection refused" in text


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (limit(under_control(a_calm_host("a")), 1, 1), "Every host in scope was asked, none was sampled."),
        (under_control(a_calm_host("a")), "how many hosts its inventory has was not recorded"),
        (limit(under_control(a_calm_host("a")), 1, 13), "1 of the inventory’s 13 hosts were chosen for this run"),
        (limit(under_control(a_calm_host("a"), partial=True), 13, 13), "1 of 13 hosts were fully audited"),
        (limit(under_control(a_calm_host("a"), partial=True), 13, 13), "Not every host was asked"),
    ],
)
def test_no_more_is_claimed_than_was_asked(report: AuditReport, said: str) -> None:
    text = text_of(report)
    assert said in text
    assert ("none was sampled" in text) == (said.startswith("Every"))


@pytest.mark.parametrize(
    ("treated", "said"),
    [
        ("strict", "with the host key verified before any credential was sent"),
        ("accept-new", "host keys that were not on file taken on trust at first use"),
        ("ignored", "with host keys not verified"),
    ],
)
def test_how_host_keys_were_treated(treated: str, said: str) -> None:
    report = limit(under_control(a_calm_host("a")), 1, 1, host_keys=treated)
    assert said in text_of(report)
    assert "with the host key verified" not in text_of(report) or treated == "strict"


def test_a_key_that_an_earlier_run_took_on_trust_counts() -> None:
    facts = a_system(host_key_trust="accepted")
    assert "taken on trust at first use" in text_of(under_control(a_calm_host("a", facts=facts)))


def test_a_host_read_without_ssh_claims_no_host_key() -> None:
    here = a_calm_host("here", facts=a_system(host_key=None, host_key_trust=None, kex=None))
    alone = text_of(under_control(here))
    assert "On the machine itself one read-only script printed" in alone
    assert "SSH" not in alone
    both = text_of(under_control(here, a_calm_host("there")))
    assert "verified before any credential was sent, or on the machine itself, one read-only script" in both


def test_without_controls_the_page_says_how_to_name_them() -> None:
    assert "No policy of this run names a control." in squeeze(Reader(render(a_report(a_calm_host("a")))).text)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_the_structure(text: str) -> None:
    hostile, plain = Reader(render(hostile_fleet(text))), Reader(render(hostile_fleet("plain")))
    assert hostile.skeleton == plain.skeleton
    assert not [step for step in hostile.skeleton if step[0] in {"script", "img", "iframe"}]


def test_equal_reports_give_equal_bytes() -> None:
    assert render(mixed_fleet()) == render(mixed_fleet())


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


def test_it_prints_on_a4(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "evidence.html"
    path.write_bytes(render(mixed_fleet()))
    with browser.new_context(color_scheme="dark") as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(path.as_uri())
        page.emulate_media(media="print")
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
        # A4 is 595 x 842 points; Chromium writes the box of each page into the file.
        document = page.pdf(prefer_css_page_size=True)
        assert b"/MediaBox [0 0 594.95996 841.91998]" in document or b"/MediaBox [0 0 595" in document
        assert complaints == []
