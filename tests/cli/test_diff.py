"""`netaudit diff`, `--baseline` and `--fail-on-new` as a pipeline meets them."""

import json
import socket
from pathlib import Path

import pytest

from auditor.model.report import AuditReport
from auditor.reporters.json import load_report, render
from tests.cli.site import LENIENT, make_site, netaudit
from tests.diff.pairs import a_blind_host, a_seen_host
from tests.reporters.fleet import a_finding, a_judged, a_lost_host, a_report, hostile_fleet


def save(folder: Path, name: str, report: AuditReport) -> Path:
    path = folder / name
    path.write_bytes(render(report))
    return path


UNSEEN = "exit 3: nothing got worse where both could look, but one could not look everywhere"
CALM = a_report(a_seen_host(a_judged(port=443)))


@pytest.mark.parametrize(
    ("new", "code", "last"),
    [
        (CALM, 0, "exit 0: nothing got worse; nothing differs"),
        (a_report(a_seen_host()), 0, "exit 0: nothing got worse; listeners: 1 closed"),
        (
            a_report(a_seen_host(a_judged(port=443), a_judged(port=80))),
            1,
            "exit 1: something got worse; listeners: 1 opened",
        ),
        (
            a_report(a_seen_host(a_judged(port=443), findings=[a_finding("web-01")])),
            1,
            "exit 1: something got worse; findings: 1 new",
        ),
        (
            a_report(a_lost_host("web-01")),
            3,
            f"{UNSEEN}; hosts: 1 lost",
        ),
        (
            a_report(a_blind_host(source="tcp")),
            3,
            f"{UNSEEN}; listeners: 1 unobservable",
        ),
    ],
)
def test_exit_codes(new: AuditReport, code: int, last: str, tmp_path: Path) -> None:
    result = netaudit("diff", save(tmp_path, "old.json", CALM), save(tmp_path, "new.json", new), cwd=tmp_path)
    assert result.returncode == code
    assert result.stderr.splitlines()[-1] == last


def test_a_report_that_cannot_be_read_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    missing = netaudit("diff", "x.json", "no.json", cwd=tmp_path)
    assert missing.returncode == 2
    assert "not a report of netaudit" in missing.stderr
    assert netaudit("diff", tmp_path, tmp_path, cwd=tmp_path).returncode == 2


def test_a_runs_folder_names_its_report_and_the_answer_comes_in_three_forms(tmp_path: Path) -> None:
    for name, report in (("a", CALM), ("b", a_report(a_lost_host("web-01")))):
        (tmp_path / name).mkdir()
        save(tmp_path / name, "report.json", report)
    shown = json.loads(netaudit("diff", "a", "b", "-o", "json", cwd=tmp_path).stdout)
    assert shown["kind"] == "netaudit.delta"
    assert [(each["kind"], each["host"]) for each in shown["hosts"]] == [("lost", "web-01")]
    assert netaudit("diff", "a", "b", "-o", "markdown", cwd=tmp_path).stdout.startswith("# netaudit diff: ⚠️")
    assert "host lost  web-01" in netaudit("diff", "a", "b", cwd=tmp_path).stdout


def test_hostile_reports_compare(tmp_path: Path) -> None:
    old = save(tmp_path, "old.json", hostile_fleet("\x1b[2J::error::"))
    new = save(tmp_path, "new.json", hostile_fleet("plain"))
    result = netaudit("diff", old, new, cwd=tmp_path)
    assert result.returncode == 1
    assert "\x1b" not in result.stdout + result.stderr


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path)


def deny(site: Path, *ports: int) -> None:
    lines = "".join(f"  - {{id: p{port}, port: {port}/tcp, severity: high, reason: test}}\n" for port in ports)
    (site / "policies" / "lenient.yaml").write_text(f"{LENIENT}deny:\n{lines}")


def test_fail_on_new_fails_on_what_is_new_and_on_nothing_else(site: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as known, socket.create_server(("127.0.0.1", 0)) as fresh:
        ports = known.getsockname()[1], fresh.getsockname()[1]
        deny(site, ports[0])
        first = netaudit("run", "inventory.yaml", "-o", "json=old/report.json", cwd=site)
        again = netaudit("run", "inventory.yaml", "-o", "json=-", "--baseline", "old", "--fail-on-new", cwd=site)
        plain = netaudit("run", "inventory.yaml", "-o", "json=-", "--baseline", "old", cwd=site)
        deny(site, *ports)
        worse = netaudit("run", "inventory.yaml", "-o", "json=-", "--baseline", "old", "--fail-on-new", cwd=site)
    assert [each.returncode for each in (first, again, plain, worse)] == [1, 0, 1, 1]
    assert again.stderr.splitlines()[-1].endswith("nothing new at or above low (1 finding known from the baseline)")
    assert worse.stderr.splitlines()[-1].startswith("exit 1: 1 new finding at or above low on 1 host (1 high)")
    report = load_report(worse.stdout)
    assert report.changes is not None
    assert [(each.kind, str(ports[1]) in each.finding.subject) for each in report.changes.findings] == [("new", True)]
    assert load_report(again.stdout).hosts[0].status == "violating"  # nothing is hidden: only the gate looks away


def test_a_finding_whose_waiver_ended_is_new_again(site: Path) -> None:
    from auditor.model.finding import Waived
    from auditor.model.report import judge_news, list_failing

    waived = Waived(waiver="w", reason="r", owner="o", expires="2026-01-01")
    bad = a_finding("web-01")
    old = a_report(a_seen_host(findings=[bad.model_copy(update={"waived": waived})]))
    new = a_report(a_seen_host(findings=[bad]))
    assert judge_news(new, list_failing(old, "low"), "low").verdict == "fail"
    assert judge_news(new, list_failing(new, "low"), "low").verdict == "pass"


@pytest.mark.parametrize(
    ("report", "why"),
    [
        (a_report(a_lost_host("here")), "did not fully audit 1 of its hosts"),
        (a_report(a_blind_host(source="tcp")), "did not fully audit 1 of its hosts"),
        (a_report(a_seen_host(), partial=True), "was interrupted"),
    ],
)
def test_an_incomplete_run_cannot_become_a_baseline(report: AuditReport, why: str, site: Path) -> None:
    path = save(site, "old.json", report)
    result = netaudit("run", "inventory.yaml", "--baseline", path, "--fail-on-new", cwd=site)
    assert result.returncode == 2
    assert f"cannot be a baseline: that run {why}" in result.stderr
    assert not (site / "reports").exists()


def test_fail_on_new_needs_a_baseline(site: Path) -> None:
    result = netaudit("run", "inventory.yaml", "--fail-on-new", cwd=site)
    assert result.returncode == 2
    assert "name it with --baseline REPORT" in result.stderr


def test_a_gap_is_incomplete_whatever_the_baseline_knew(tmp_path: Path) -> None:
    """Not known is never clean: --fail-on-new excuses findings, not hosts that could not be looked at."""
    from auditor.model.report import judge_news

    news = judge_news(a_report(a_lost_host("web-01")), frozenset(), "low")
    assert (news.verdict, news.exit.code) == ("incomplete", 3)
