"""The summary for terminals: what it says, in which order, and that nothing in it can act on the terminal."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.report import AuditReport
from auditor.model.transcript import Failure
from auditor.reporters.text import render, render_text
from tests.reporters.fleet import (
    a_bad_host,
    a_calm_host,
    a_finding,
    a_host_report,
    a_lost_host,
    a_partial_host,
    a_report,
    fleets,
    hostile_fleet,
    mixed_fleet,
)
from tests.reporters.naughty import COMMANDS

SGR = re.compile(r"\x1b\[[0-9;]+m")
HONESTY = "These are sockets as each host's own kernel lists them, not reachability"


def text_of(report: AuditReport) -> str:
    return render(report).decode()


def test_the_whole_summary_of_a_mixed_fleet() -> None:
    assert (
        text_of(mixed_fleet())
        == """\
FAIL  5 of 8 hosts fully audited
  4 findings at or above low on 2 hosts (1 critical, 1 high, 1 medium, 1 low)
  2 of 8 hosts not audited (1 hostkey-changed, 1 tcp-refused)
  1 of 8 hosts not fully audited (1 evidence-gap)

web-03 (web-03.example.com)
  critical  forbidden-listener  tcp 0.0.0.0:23 and [::]:23
      telnet is forbidden: clear-text login.  [policies/base.yaml:31]
      Disable telnet.socket:
      systemctl disable --now telnet.socket
  high      unexpected-listener  tcp 0.0.0.0:8080 and [::]:8080
      Nothing allows 8080/tcp, and it is bound to every address.  [policies/web.yaml:7]
      Stop the service, bind it to one address, or add it to the allowlist.
  waived    unexpected-listener  tcp 10.0.0.12:8443
      Nothing allows 8443/tcp.  [policies/web.yaml:7]
      waived until 2026-12-31 by ops@example.com (w-17): migration
db-02 (db-02.example.com)
  medium    exposed-listener  tcp 0.0.0.0:5432
      5432/tcp is allowed on private and loopback addresses; this one is bound to every address.  [policies/web.yaml:7]
      Stop the service, bind it to one address, or add it to the allowlist.
  low       missing-listener  tcp 9100
      9100/tcp is required, nothing listens there.  [policies/web.yaml:7]
      Stop the service, bind it to one address, or add it to the allowlist.

wrong key    hostkey-changed on 1 host
    edge-02 (edge-02.example.com): the host showed ssh-ed25519 SHA256:aaaa, known_hosts has SHA256:bbbb
    If the change was planned: ssh-keygen -R edge-02.example.com, then add the new key.
unreachable  tcp-refused on 1 host
    edge-01 (edge-01.example.com): edge-01.example.com port 22: connection refused
    Is sshd running, and on this port? Check with: ss -ltn 'sport = :22'

incomplete   evidence-gap  udp6
    /proc/net/udp6 could not be read (denied); UDP over IPv6 is not known
    on 1 host: db-03

expiring-waiver  w-17 ends in 12 days  [policies/web.yaml:40]
unused-allow  entry rsync matched nothing  [policies/web.yaml:19]

hosts      3 compliant, 2 violating, 1 incomplete, 2 unreachable
findings   1 critical, 1 high, 1 medium, 1 low, 0 info, 1 waived
listeners  35, 3 of them ephemeral UDP (shown, not judged)
exposures  2 ports on 1 host lead elsewhere without a socket (NAT, IPVS)
These are sockets as each host's own kernel lists them, not reachability: no firewall takes anything from here.
"""
    )


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("passing", "PASS  8 of 8 hosts fully audited"),
        ("failing", "FAIL  8 of 8 hosts fully audited"),
        ("lost", "INCOMPLETE  0 of 7 hosts fully audited"),
        ("none", "PASS  0 of 0 hosts fully audited"),
        ("stopped", "INCOMPLETE  1 of 1 host fully audited"),
    ],
)
def test_the_verdict_comes_first_and_the_caveat_last(name: str, first: str) -> None:
    lines = text_of(fleets()[name]).splitlines()
    assert lines[0] == first
    assert lines[-1].startswith(HONESTY)


@pytest.mark.parametrize("name", ["lost", "none"])
def test_nothing_is_counted_where_no_host_was_read(name: str) -> None:
    lines = text_of(fleets()[name]).splitlines()
    assert "findings   not known: no host was read" in lines
    assert "listeners  not known: no host was read" in lines


def test_no_host_is_not_a_green_pass() -> None:
    assert render_text(a_report(), color=True).startswith(b"\x1b[2mPASS\x1b[0m  0 of 0 hosts fully audited\n")
    assert b"\n  nothing was audited: there was no host\n" in render_text(a_report())


def test_compliant_hosts_are_counted_and_not_listed() -> None:
    text = text_of(a_report(a_calm_host("quiet"), a_bad_host("loud")))
    assert "quiet" not in text
    assert "loud" in text
    assert "1 compliant, 1 violating" in text


def test_a_finding_on_many_hosts_is_said_once() -> None:
    text = text_of(a_report(*(a_bad_host(f"web-{number:02d}") for number in range(12))))
    assert text.count("tcp 0.0.0.0:8080") == 1
    names = "web-00, web-01, web-02, web-03, web-04, web-05, web-06, web-07"
    assert text.count(f"on 12 hosts: {names} and 4 more") == 3


def test_a_finding_on_two_hosts_stands_under_each() -> None:
    text = text_of(a_report(a_bad_host("web-01"), a_bad_host("web-02")))
    assert text.count("tcp 0.0.0.0:8080") == 2


def test_worst_hosts_come_first() -> None:
    hosts = [
        a_host_report("a", findings=[a_finding("a", severity="low", subject="tcp 10.0.0.1:1")]),
        a_host_report("b", findings=[a_finding("b", severity="critical", subject="tcp 10.0.0.1:2")]),
        a_host_report("c", findings=[a_finding("c", severity="medium", subject="tcp 10.0.0.1:3")]),
    ]
    text = text_of(a_report(*hosts))
    assert text.index("b (b.ex") < text.index("c (c.ex") < text.index("a (a.ex")


def test_unreachable_hosts_are_grouped_by_cause() -> None:
    text = text_of(a_report(*(a_lost_host(f"web-{number:02d}") for number in range(20))))
    assert text.count("unreachable  tcp-refused on 20 hosts") == 1
    assert text.count("    HOST port 22: connection refused\n") == 1
    assert text.count("Is sshd running") == 1
    assert "web-06, web-07 and 12 more\n" in text


def test_a_violating_host_with_a_gap_shows_both() -> None:
    gap = a_partial_host("db-01")
    both = a_host_report("db-01", gap.listeners, (*gap.findings, a_finding("db-01")), gaps=gap.gaps)
    text = text_of(a_report(both))
    assert "unexpected-listener" in text
    assert "incomplete   evidence-gap  udp6" in text
    assert text.startswith("FAIL  0 of 1 host fully audited")


def test_an_incomplete_violating_host_names_no_knowledge_as_a_finding_of_severity() -> None:
    assert "0 critical, 0 high, 0 medium" in text_of(a_report(a_partial_host("db-01")))


def test_colour_changes_nothing_but_colour() -> None:
    for report in fleets().values():
        colored = render_text(report, color=True).decode()
        assert SGR.search(colored)
        assert SGR.sub("", colored) == text_of(report)


def test_every_colour_is_ended() -> None:
    for line in render_text(mixed_fleet(), color=True).decode().splitlines():
        codes = SGR.findall(line)
        assert codes[1::2] == ["\x1b[0m"] * (len(codes) // 2)
        assert len(codes) % 2 == 0


@given(st.text(max_size=20), st.booleans())
def test_nothing_a_host_says_acts_on_the_terminal(text: str, color: bool) -> None:
    shown = SGR.sub("", render_text(hostile_fleet(text), color=color).decode())
    unsafe = {char for char in shown if char != "\n" and unicodedata.category(char) in {"Cc", "Zl", "Zp", "Cs"}}
    assert unsafe == set()
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u200b\ufeff")


@given(st.text(alphabet="\n\r\x0b\x0c\x85\u2028\x1b[0m", max_size=8))
def test_no_line_can_be_forged(text: str) -> None:
    """A new line in what a host says starts no new line here; only a remedy, ours or a policy's, has several."""
    hosts = (a_host_report("web-01", findings=[a_finding("web-01", message=f"{text}\nPASS", subject=f"{text}\nPASS")]),)
    lost = a_lost_host("web-02").model_copy(
        update={"error": Failure(phase="auth", code="x", message=f"{text}\nPASS", hint=f"{text}\nPASS")}
    )
    lines = text_of(a_report(*hosts, lost)).split("\n")
    assert not any(line.startswith("PASS") for line in lines)
    assert len(lines) == len(text_of(a_report(*hosts, lost)).splitlines()) + 1


def test_an_escape_sequence_is_shown_as_text() -> None:
    assert "\\x1b[2J" in text_of(hostile_fleet("\x1b[2J"))


def test_long_lines_are_not_cut() -> None:
    assert "x" * 3000 in text_of(hostile_fleet("x" * 3000))


@pytest.mark.parametrize("color", [False, True])
@pytest.mark.parametrize("text", COMMANDS)
def test_no_build_log_obeys_what_a_host_says(text: str, color: bool) -> None:
    """GitHub's runner takes a line that begins with `::` after blanks for a command, and `##[` anywhere in one."""
    shown = render_text(hostile_fleet(text), color=color).decode()
    assert not any(line.lstrip().startswith("::") for line in shown.splitlines())
    assert "##[" not in SGR.sub("", shown)
    assert "##vso[" not in shown
