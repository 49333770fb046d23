"""What was accepted stays in sight: by whom, until when, why, under which ticket, and how bad it would be."""

import pytest

from auditor.model.finding import Waived
from auditor.model.origin import Origin
from auditor.model.report import AuditReport
from auditor.reporters import render
from auditor.reporters.csv import render as render_csv
from auditor.reporters.html import render as render_html
from tests.reporters.fleet import a_finding, a_host_report, a_report
from tests.reporters.test_html import Reader, squeeze

WAIVED = Waived(
    waiver="w-17",
    reason="migration",
    owner="ops@example.com",
    expires="2026-12-31",
    ticket="OPS-17",
    origin=Origin(file="policies/web.yaml", line=40),
)


def waived_report() -> AuditReport:
    critical = a_finding("a", severity="critical", subject="tcp 0.0.0.0:23", waived=WAIVED)
    open_one = a_finding("a", subject="tcp 0.0.0.0:9")  # the summary for a terminal leaves compliant hosts out
    return a_report(a_host_report("a", (), (critical, a_finding("a", severity="low", waived=WAIVED), open_one)))


@pytest.mark.parametrize("name", ["text", "markdown", "sarif", "junit", "gitlab", "evidence-html", "html"])
def test_the_ticket_is_told(name: str) -> None:
    assert "migration (OPS-17)" in render(waived_report(), name).decode()


def test_tables_have_a_column_for_the_ticket() -> None:
    header, *rows = [line.split(",") for line in render_csv(waived_report()).decode().splitlines()]
    assert header[-1] == "waiver_ticket"
    assert sorted(row[-1] for row in rows) == ["", "OPS-17", "OPS-17"]


def test_the_waivers_tab_says_what_is_covered_and_how_bad_it_would_be() -> None:
    text = squeeze(Reader(render_html(waived_report())).text)
    assert "w-17 policies/web.yaml:40 2026-12-31 ops@example.com migration (OPS-17) 2 findings , up to critical" in text
    assert "unexpected-listener: tcp 0.0.0.0:23 ; tcp 0.0.0.0:8080 and [::]:8080" in text
    assert 'data-tab="findings" data-q="waiver:w-17"' in render_html(waived_report()).decode()
