"""`netaudit policy test`: the diff of a case that differs, the coverage of entries, the exit codes."""

import shutil
from pathlib import Path

import pytest

from tests.cli.program import ROOT, closing, netaudit, write_files

POLICY = """\
version: 1
policy: web
applies_to: {groups: [web]}
allow:
  - {id: https, service: https/tcp, required: true}
  - {id: metrics, port: 9100/tcp, bind: [private, loopback]}
deny:
  - {id: telnet, service: telnet}
"""
CASES = """\
version: 1
cases:
  - case: as it should be
    groups: [web]
    listeners:
      tcp 0.0.0.0:443 nginx: allowed https
      tcp 10.0.0.5:9100: allowed web/metrics
      tcp 0.0.0.0:24: unexpected-listener
  - case: as it should not be
    groups: [web]
    listeners:
      tcp 0.0.0.0:9100: exposed-listener metrics
      tcp [::]:23: forbidden-listener telnet
    findings: [missing-listener https]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_files(tmp_path, web__yaml=POLICY, tests_web__yaml=CASES)
    return tmp_path


def test_all_as_written(folder: Path) -> None:
    result = netaudit("policy", "test", ".", "--cover", cwd=folder)
    assert result.stdout.splitlines() == [
        "ok    as it should be",
        "ok    as it should not be",
        "2 of 2 cases as written; 3 of 3 entries shown from both sides",
    ]
    assert (result.returncode, closing(result)) == (0, "exit 0: 2 of 2 cases as written")


def test_a_broken_policy_shows_as_a_diff(folder: Path) -> None:
    (folder / "web.yaml").write_text(POLICY.replace("bind: [private, loopback]", "bind: any").replace("443", "80"))
    result = netaudit("policy", "test", ".", cwd=folder)
    assert result.returncode == 1
    assert result.stdout.splitlines()[:6] == [
        "ok    as it should be",
        "FAIL  as it should not be",
        "      tests/web.yaml:12: tcp 0.0.0.0:9100",
        "        - exposed-listener metrics",
        "        + allowed metrics (web.yaml:6)",
        "1 of 2 cases as written; 2 of 3 entries shown from both sides",
    ]
    assert closing(result) == "exit 1: 1 of 2 cases differ"


def test_a_finding_says_why(folder: Path) -> None:
    (folder / "web.yaml").write_text(POLICY.replace("9100/tcp", "9101/tcp"))
    shown = netaudit("policy", "test", ".", cwd=folder).stdout
    assert "      tests/web.yaml:7: tcp 10.0.0.5:9100\n        - allowed web/metrics\n        + unexpected-" in shown
    assert "no policy line allows 9100/tcp" in shown


def test_findings_that_nobody_expected_and_findings_that_are_not_there(folder: Path) -> None:
    wrong = CASES.replace("    findings: [missing-listener https]\n", "    findings: [missing-listener metrics]\n")
    (folder / "tests/web.yaml").write_text(wrong)
    result = netaudit("policy", "test", ".", cwd=folder)
    assert "        + missing-listener https (web.yaml:5)" in result.stdout
    assert "      tests/web.yaml:14: the host host\n        - missing-listener metrics\n" in result.stdout
    assert result.returncode == 1


def test_an_entry_that_is_shown_from_one_side_only(folder: Path) -> None:
    (folder / "tests/web.yaml").write_text(CASES.partition("  - case: as it should not be")[0])
    plain = netaudit("policy", "test", ".", cwd=folder)
    strict = netaudit("policy", "test", ".", "--cover", cwd=folder)
    assert plain.stdout.splitlines()[-4:] == [
        "1 of 1 cases as written; 0 of 3 entries shown from both sides",
        "  web.yaml:5: allow https: no failing case",
        "  web.yaml:6: allow metrics: no failing case",
        "  web.yaml:8: deny telnet: no failing case",
    ]
    assert (plain.returncode, strict.returncode) == (0, 1)
    assert closing(strict) == "exit 1: 3 of 3 entries are not shown from both sides"


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "there are no cases in tests"),
        ({"tests_c__yaml": "version: 1\ncases: []\n"}, "tests/c.yaml:2:8: error:"),
        ({"tests_c__yaml": CASES, "b__yaml": "version: 1\n"}, "b.yaml:"),
    ],
)
def test_what_cannot_be_tried_is_no_pass(files: dict[str, str], message: str, tmp_path: Path) -> None:
    write_files(tmp_path, web__yaml=POLICY, **files)
    result = netaudit("policy", "test", ".", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (2, "")
    assert message in result.stderr


def test_the_shipped_policies_are_covered_both_ways() -> None:
    result = netaudit("policy", "test", "policies", "--cover", cwd=ROOT)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("policy", "before", "after", "told"),
    [
        ("base", "service: telnet", "port: 2323/tcp", "- forbidden-listener telnet"),
        ("database", "bind: [private, loopback]", "bind: any", "- exposed-listener postgresql"),
        ("mail", "    required: true\n", "", "- missing-listener mail/smtp"),
        ("bastion", "groups: [bastion]", "groups: [bastions]", "- missing-listener bastion/ssh"),
    ],
)
def test_a_shipped_policy_that_was_broken_fails(
    policy: str, before: str, after: str, told: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / f"{policy}.yaml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))
    result = netaudit("policy", "test", "policies", cwd=tmp_path)
    assert result.returncode == 1
    assert told in result.stdout


WHOLE_POLICY = """\
version: 1
policy: p
raw_sockets: deny
allow: [{id: web, port: 443/tcp, process: nginx}, {id: sniff, port: 3/packet}]
deny: [{id: nay, port: 23/tcp, netns: containers}]
waivers:
  - {id: w-1, rule: unexpected-listener, hosts: host, port: 8443/tcp, expires: 2026-12-31, owner: me, reason: soon}
"""
WHOLE_CASES = """\
version: 1
cases:
  - case: on the last day of the waiver
    at: 2026-12-31
    listeners:
      tcp 0.0.0.0:443 nginx: allowed web
      packet *:3: allowed sniff
      packet *:4: unexpected-listener
      tcp 0.0.0.0:8443: waived
      tcp 0.0.0.0:23 netns=4026532281: forbidden-listener nay
      tcp 0.0.0.0:23: unexpected-listener
  - case: a day later, with somebody else on the port and nobody to be seen
    at: 2027-01-01
    listeners:
      tcp 0.0.0.0:443 nc: wrong-owner web
      tcp [::1]:443: unknown web
      tcp 0.0.0.0:8443: unexpected-listener
    findings: [evidence-gap owners, expired-waiver w-1]
"""


def test_a_case_can_say_everything_the_language_has(tmp_path: Path) -> None:
    write_files(tmp_path, p__yaml=WHOLE_POLICY, tests_p__yaml=WHOLE_CASES)
    result = netaudit("policy", "test", ".", "--cover", cwd=tmp_path)
    assert result.returncode == 0, result.stdout
    assert result.stdout.splitlines()[-1] == "2 of 2 cases as written; 3 of 3 entries shown from both sides"


def test_a_case_can_say_how_many_connections_there_are(tmp_path: Path) -> None:
    policy = (
        "version: 1\npolicy: p\nallow: [{port: 1-65535/tcp}]\nstates: {CLOSE_WAIT: {max: 5}}\naccept_queue: {max: 5}\n"
    )
    cases = (
        "version: 1\ncases:\n"
        "  - {case: few, states: {CLOSE_WAIT: 5}, listeners: {'tcp 0.0.0.0:443 queue=5': allowed}}\n"
        "  - {case: many, states: {CLOSE_WAIT: 6, ESTABLISHED: 9}, listeners: {'tcp 0.0.0.0:443 queue=6': allowed},\n"
        "     findings: [connection-states tcp CLOSE_WAIT, 'accept-queue tcp 0.0.0.0:443']}\n"
        "  - {case: nobody said so, states: {CLOSE_WAIT: 6}}\n"
    )
    write_files(tmp_path, p__yaml=policy, tests_p__yaml=cases)
    shown = netaudit("policy", "test", ".", cwd=tmp_path).stdout
    assert "ok    few" in shown
    assert "ok    many" in shown
    assert "FAIL  nobody said so" in shown
    assert "6 sockets are in CLOSE_WAIT, and p allows 5" in shown


def test_an_included_entry_holds_in_each_policy_that_includes_it(tmp_path: Path) -> None:
    part = "version: 1\npolicy: part\nallow: [{id: https, port: 443/tcp, required: true}]\n"
    web, db = (
        f"version: 1\npolicy: {name}\napplies_to: {{groups: [{name}]}}\ninclude: parts/p.yaml\n" for name in "ab"
    )
    cases = (
        "version: 1\ncases:\n"
        "  - {case: there, groups: [a], listeners: {'tcp 0.0.0.0:443': allowed a/https}}\n"
        "  - {case: missing, groups: [a], findings: [missing-listener a/https]}\n"
        "  - {case: of another host, groups: [b], listeners: {'tcp 0.0.0.0:443': allowed b/https}}\n"
    )
    write_files(tmp_path, parts_p__yaml=part, a__yaml=web, b__yaml=db, tests_c__yaml=cases)
    shown = netaudit("policy", "test", ".", cwd=tmp_path).stdout.splitlines()
    assert shown[-2:] == [
        "3 of 3 cases as written; 1 of 2 entries shown from both sides",
        "  parts/p.yaml:3: allow https: no failing case",
    ]
