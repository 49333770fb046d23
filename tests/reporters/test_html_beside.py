"""What stands beside listeners in the HTML reports: ports that lead elsewhere, unix sockets, states, the namespace."""

from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest

from auditor.model.facts import Coverage, UnixListener
from auditor.model.report import AuditReport
from auditor.reporters import html_dir, html_share
from auditor.reporters.html import render
from auditor.reporters.html_beside import ELSEWHERE, name_port
from tests.reporters.fleet import (
    UNIX,
    a_bad_host,
    a_calm_host,
    a_host_report,
    a_judged,
    a_lost_host,
    a_report,
    a_system,
    an_exposure,
    some_coverage,
)
from tests.reporters.test_html_data import build_island, unpack


class Text(HTMLParser):
    """The words of a page, without its scripts and styles."""

    def __init__(self, document: bytes) -> None:
        super().__init__()
        self.words: list[str] = []
        self.silent = False
        self.feed(document.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - its interface
        self.silent = tag in {"script", "style"}

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.words.append(data)


def said(document: bytes) -> str:
    return " ".join(" ".join(Text(document).words).split())


def host_page(report: AuditReport) -> str:
    return said(dict(html_dir.render_folder(report))["hosts-001.html"])


def test_ports_that_lead_elsewhere_are_listed_without_script() -> None:
    text = said(render(a_report(a_bad_host("web-03"), a_calm_host("web-01"))))
    assert "2 lead elsewhere (NAT)" in text
    assert "web-03 8080/tcp any IPv4 address 172.17.0.2:80 iptables -A DOCKER" in text
    assert "web-03 9000-9010/tcp 10.0.0.12 172.17.0.2:80 nftables" in text


def test_not_seen_is_not_nothing() -> None:
    """Only root sees what NAT and IPVS pass on."""
    text = said(render(a_report(a_calm_host("web-01"))))
    assert "— lead elsewhere (NAT)" in text
    assert "Not known: what NAT and IPVS pass on was read on no host" in text
    denied = some_coverage(Coverage(source="nat", status="denied"))
    for asked_in_vain in (denied, some_coverage()):  # the latter by the kit: as root, but for nothing else
        host = a_calm_host("web-01", facts=a_system(privileged=True), coverage=asked_in_vain)
        assert "— lead elsewhere (NAT)" in said(render(a_report(host)))
    seen = a_calm_host("web-01", coverage=some_coverage(Coverage(source="nat", status="ok")))
    assert "0 lead elsewhere (NAT)" in said(render(a_report(seen)))
    text = said(render(a_report(seen, a_calm_host("web-02", coverage=denied), a_lost_host("edge"))))
    assert "0 lead elsewhere (NAT, 1 of 2 hosts)" in text
    assert "Nothing, on the 1 host where it could be read." in text


def test_many_are_counted() -> None:
    crowded = a_bad_host("web-03", exposures=tuple(an_exposure(port) for port in range(1, ELSEWHERE + 6)))
    text = said(render(a_report(crowded)))
    assert f"{ELSEWHERE + 5} lead elsewhere (NAT)" in text
    assert "5 more are in report.json." in text
    assert "5 more are in report.json." in host_page(a_report(crowded))


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"port": 80}, "80/tcp"),
        ({"port": 80, "last_port": 80}, "80/tcp"),
        ({"port": 80, "last_port": 89}, "80-89/tcp"),
        ({"port": None}, "any port/tcp"),
        ({"port": None, "proto": "any"}, "any port/any"),
    ],
)
def test_a_port_is_named_by_what_the_rule_narrows_down(fields: dict[str, Any], name: str) -> None:
    assert name_port(an_exposure(**fields)) == name


def test_a_page_of_hosts_has_everything_beside_listeners() -> None:
    text = host_page(a_report(a_bad_host("web-03")))
    assert "Listening unix sockets (3)" in text
    assert all(one.path in text for one in UNIX)
    assert "never judged" in text
    assert "tcp: 12 ESTABLISHED, 3 TIME_WAIT, 9 LISTEN; udp: 5 UNCONNECTED" in text
    assert "Network namespace the host’s own Host key" in text
    assert "env=prod" in text
    assert "172.17.0.2:80" in text


@pytest.mark.parametrize(
    ("netns", "words"), [("other", "not the host’s own: what listens"), ("unknown", "not known whether")]
)
def test_whose_namespace_was_read_is_said(netns: Any, words: str) -> None:
    host = a_calm_host("web-01", facts=a_system(reader_netns=netns))
    assert f"Network namespace {words}" in host_page(a_report(host))


@pytest.mark.parametrize(
    ("trust", "words"),
    [("certificate", "an authority on file vouches"), ("accepted", "taken on trust"), ("ignored", "nobody looked")],
)
def test_why_a_key_was_trusted_is_said(trust: Any, words: str) -> None:
    host = a_calm_host("web-01", facts=a_system(host_key_trust=trust))
    assert words in host_page(a_report(host))


def test_ephemeral_sockets_are_counted_as_shown_and_not_judged() -> None:
    text = said(render(a_report(a_calm_host("web-01"), a_calm_host("web-02"))))
    assert "2 UDP sockets on an ephemeral port, probably clients: shown and counted, not judged" in text
    one = a_host_report("web-01", [a_judged("0.0.0.0", 40123, "unexpected", "udp", kind="ephemeral-udp")])
    assert "on an ephemeral port" not in said(render(a_report(one)))


def test_the_data_of_the_page_has_each_row_once() -> None:
    data = unpack(build_island(a_report(a_bad_host("a"), a_lost_host("b"), a_bad_host("c"))))
    text = data["text"]
    assert [text[number] for number in data["unix"]["path"]] == [one.path for one in UNIX]
    assert data["unix"]["row"] == [0, 1, 2, 0, 1, 2]
    assert data["unix"]["shown"] == [3, 0, 3]
    assert data["exposures"]["port"] == [8080, 9000]
    assert data["exposures"]["last_port"] == [-1, 9010]
    labels = [[text[number] for number in data["sets"][one]] for one in data["states"]["set"]]
    assert labels[0] == ["tcp ESTABLISHED", "tcp TIME_WAIT", "tcp LISTEN", "udp UNCONNECTED"]
    assert labels[1] == []
    assert data["states"]["count"] == [12, 3, 9, 5] * 2


def test_a_host_that_lists_too_much_keeps_nobody_else_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_share, "_ROWS_BASE", 500)
    flood = a_bad_host("a", unix=tuple(UnixListener(kind="stream", path=f"/tmp/{number}") for number in range(999)))
    island = build_island(a_report(flood, a_bad_host("b")))
    data = unpack(island)
    assert data["unix"]["shown"] == [0, 3]
    assert data["hosts"]["unix"] == [999, 3]
    assert [note for note in island.notes if note.startswith("the unix sockets of 1 of 2 hosts")]


def test_ignored_host_keys_are_unmistakable() -> None:
    report = a_report(a_calm_host("web-01"))
    loud = report.model_copy(update={"run": report.run.model_copy(update={"host_keys": "ignored"})})
    pages = [render(loud), dict(html_dir.render_folder(loud))["index.html"]]
    assert all("Host keys were not verified." in said(page) for page in pages)
    assert "Host keys were not verified." not in unescape(render(report).decode())
