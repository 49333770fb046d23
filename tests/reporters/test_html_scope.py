"""What the page says of hosts it does not speak of: left out by a limit, missing, or none at all."""

import pytest

from auditor.model.report import AuditReport
from auditor.reporters.html import render
from tests.reporters.fleet import a_calm_host, a_lost_host, a_report, a_system, limit
from tests.reporters.test_html import Reader, squeeze


def text_of(report: AuditReport) -> str:
    return squeeze(Reader(render(report)).text)


def test_a_limited_run_says_of_how_many_hosts() -> None:
    text = text_of(limit(a_report(a_calm_host("a")), 1, of=13))
    assert "1 of its 13 hosts" in text
    assert "1 of 13 in the inventory were chosen (--limit); nothing here speaks of the other 12" in text
    assert "12 more hosts of the inventory were not chosen for this run" in text
    assert "all 1 in the inventory" in text_of(limit(a_report(a_calm_host("a")), 1, of=1))


def test_hosts_that_are_missing_count() -> None:
    report = limit(a_report(a_calm_host("a"), partial=True), 13, of=13)
    text = text_of(report)
    assert "1 of 13 hosts fully audited" in text
    assert "12 hosts it had not asked yet are missing here." in text
    assert "12 more hosts were to be audited and are missing here." in text


def test_of_an_interrupted_run_that_tells_of_every_host_none_is_called_missing() -> None:
    text = text_of(limit(a_report(a_calm_host("a"), a_lost_host("b"), partial=True), 2, of=2))
    assert "hosts it had not finished count as not audited." in text
    assert "missing" not in text.replace("missing-listener", "").replace("and hosts may be missing", "")


def test_nothing_is_claimed_of_a_report_that_does_not_say() -> None:
    text = text_of(a_report(a_calm_host("a"), partial=True))
    assert "hosts it had not asked yet are missing here." in text
    assert "in the inventory" not in text


def test_no_host_is_not_a_green_pass() -> None:
    page = render(a_report()).decode()
    assert 'class="verdict v-none"' in page
    assert "<title>Nothing audited, " in page
    assert "1a7f4b" not in page.split("<style>")[0]  # the green mark of the icon
    text = text_of(a_report())
    assert "Nothing audited" in text
    assert "verdict pass, exit code 0" in text
    assert 'class="verdict v-pass"' in render(a_report(a_calm_host("a"))).decode()


@pytest.mark.parametrize(
    ("treated", "trust", "said"),
    [
        ("strict", None, "with the host key verified before anything was sent"),
        ("accept-new", None, "host keys that were not on file taken on trust at first use"),
        ("strict", "accepted", "host keys that were not on file taken on trust at first use"),
        ("ignored", None, "with host keys not verified"),
        ("strict", "ignored", "with host keys not verified"),
    ],
)
def test_how_host_keys_were_treated(treated: str, trust: str | None, said: str) -> None:
    host = a_calm_host("a", facts=a_system(host_key_trust=trust))
    text = text_of(limit(a_report(host), 1, of=1, host_keys=treated))
    assert said in text
    assert ("with the host key verified" in text) == (treated == "strict" and trust is None)


def test_a_verdict_by_other_policies_than_the_runs_own_says_so() -> None:
    report = a_report(a_calm_host("a"))
    again = report.model_copy(update={"run": report.run.model_copy(update={"judged_again": True})})
    text = text_of(again)
    assert "Judged again. The run gathered the evidence; other policies than its own made this verdict" in text
    assert "Judged again" not in text_of(report)
