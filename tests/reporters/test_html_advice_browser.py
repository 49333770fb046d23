"""What the page says to paste, pasted: it lints clean, and does what the page says it does, to no other finding."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from auditor.lint import lint_policies
from auditor.model.finding import Finding
from auditor.model.policy import WAIVABLE_RULES
from auditor.model.report import AuditReport
from auditor.policies import load_policies
from auditor.reporters.html import render
from tests.builders import NOW
from tests.reporters.browser import Viewer, open_browser
from tests.reporters.every_finding import GROUPS, judge_files, write_policies

READ = """
async (ids) => {
  const read = {};
  for (const id of ids) {
    await new Promise((done) => {
      addEventListener("hashchange", () => done(), { once: true });
      location.hash = `finding=${id}`;
    });
    const detail = document.getElementById("detail");
    const links = [...detail.querySelectorAll("p.sub a[href*='finding=']")];
    read[id] = {
      text: detail.innerText,
      snippets: [...detail.querySelectorAll("pre.can-copy")].map((one) => ({
        text: one.querySelector("code").textContent,
        said: one.previousElementSibling.textContent,
        also: links.map((link) => link.href.split("finding=")[1]),
      })),
    };
  }
  return read;
}
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@pytest.fixture
def viewer(browser: Browser, tmp_path: Path) -> Iterator[Viewer]:
    made = Viewer(browser, tmp_path / "report.html")
    yield made
    made.settle()


def read_page(page: Page, report: AuditReport) -> dict[str, Any]:
    """Return what the page says of each finding: its text, and each snippet with the sentence before it."""
    read: dict[str, Any] = page.evaluate(READ, list(by_id(report)))
    return read


def by_id(report: AuditReport) -> dict[str, Finding]:
    return {finding.id: finding for host in report.hosts for finding in host.findings}


def host_of(report: AuditReport, finding: str) -> str:
    return next(host.name for host in report.hosts if any(one.id == finding for one in host.findings))


def paste(folder: Path, snippet: dict[str, Any]) -> tuple[str, Path, AuditReport]:
    """Return the key and the file that a snippet is for, and the report once it stands there."""
    named = re.search(r"under `?(allow|waivers):`? in (\S+?)[,:]", snippet["said"])
    assert named, snippet["said"]
    key, path = named[1], Path(named[2])
    before = path.read_text()
    try:
        path.write_text(before.replace(f"\n{key}:\n", f"\n{key}:\n{snippet['text']}\n"))
        assert lint_policies(load_policies([folder], today=NOW.date())) == []
        return key, path, judge_files(folder)
    finally:
        path.write_text(before)


def test_what_is_pasted_settles_what_it_says_and_nothing_else(viewer: Viewer, tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    files = write_policies(folder)
    report = judge_files(folder)
    found = by_id(report)
    read = read_page(viewer.show(render(report)), report)
    waivable: set[str] = set()
    for one, told in read.items():
        for snippet in told["snippets"]:
            key, path, after = paste(folder, snippet)
            if key == "waivers":
                waivable.add(found[one].rule)
                assert settled(found, by_id(after)) == {one, *snippet["also"]}, (found[one].subject, snippet)
            else:
                assert path == files["web" if "web" in GROUPS[host_of(report, one)] else "base"]
                changed = gone(found, by_id(after))
                assert one in changed
                reached = [name for name, groups in GROUPS.items() if path == files["base"] or "web" in groups]
                assert {host_of(report, each) for each in changed} <= set(reached)
                ports = {port_of(found[each]) for each in changed}
                assert ports == {port_of(found[one])} or port_of(found[one]) == "7777/any", found[one].subject
    assert waivable == set(WAIVABLE_RULES)
    silent = {found[one].subject for one, told in read.items() if not told["snippets"]}
    assert "every port/icmp to 172.17.0.2:80 (iptables)" in silent
    assert {found[one].rule for one, told in read.items() if not told["snippets"]} == {
        "evidence-gap",
        "expired-waiver",
        "unexpected-listener",
        "unreachable",
    }


def settled(before: dict[str, Finding], after: dict[str, Finding]) -> set[str]:
    """Return what a waiver settles. One that ended is forgotten with what it covered; nothing else comes or goes."""
    assert not after.keys() - before.keys()
    assert {before[one].rule for one in before.keys() - after.keys()} <= {"expired-waiver"}
    return {one for one, finding in after.items() if finding.waived}


def gone(before: dict[str, Finding], after: dict[str, Finding]) -> set[str]:
    return {one for one in before.keys() - after.keys() if before[one].rule != "expired-waiver"}


def port_of(finding: Finding) -> str:
    """Return the number and the protocol that a finding about a listener or an exposure names."""
    said = re.match(r"([a-z]+) \S+?:(\d+)\b|(\d+(?:-\d+)?)/([a-z]+)", finding.subject)
    assert said, finding.subject
    return f"{said[2] or said[3]}/{said[1] or said[4]}"


def test_a_finding_that_no_listener_shows_has_its_evidence(viewer: Viewer, tmp_path: Path) -> None:
    """What was read for it, how that went, and how the script ended."""
    folder = tmp_path / "policies"
    folder.mkdir()
    write_policies(folder)
    report = judge_files(folder)
    found = by_id(report)
    read = read_page(viewer.show(render(report)), report)
    told = {(host_of(report, one), found[one].subject): " ".join(said["text"].split()) for one, said in read.items()}
    expected = {
        ("web-01", "9999/tcp"): [
            "No line of the kernel’s tables shows it; that is the finding.",
            "/proc/net/tcp ok, 14 rows, SHA-256",
            "/proc/net/tcp6 ok, 9 rows, SHA-256",
        ],
        ("web-01", "https/tcp"): ["gives the name: https 4444/tcp", "/etc/services ok, 361 rows, SHA-256", "cat /etc/"],
        ("web-01", "tcp CLOSE_WAIT"): ["tcp: 6 CLOSE_WAIT, 7 TIME_WAIT, 20 LISTEN", "/proc/net/tcp ok"],
        ("web-01", "8085/tcp to 172.17.0.2:80 (iptables)"): ["-A DOCKER ! -i docker0 -p tcp -m tcp --dport 8085"],
        ("db-01", "udp"): [
            "/proc/net/udp: this table is empty",
            "What could not be known is the finding.",
            "empty, 0 rows",
        ],
        ("web-01", "w-old (unexpected-listener)"): ["It is about the inventory and the policies"],
    }
    for place, words in expected.items():
        assert [word for word in words if word not in told[place]] == [], told[place]
    assert "ended with exit status 0" in told["web-01", "9999/tcp"]
    assert "+415.5 s More than a minute off" in told["web-01", "9999/tcp"]
    assert "More than a minute off" not in told["web-02", "9999/tcp"]
    shown = [text for text in told.values() if "No line of the kernel’s tables" in text]
    assert len(shown) == sum(finding.rule == "missing-listener" for finding in found.values())
