"""The data island: it holds the report, in few bytes, and says what it leaves out."""

import base64
import gzip
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import pytest

from auditor.model.facts import Owner
from auditor.model.finding import Waived
from auditor.model.policy import Severity
from auditor.model.report import AuditReport, JudgedListener
from auditor.reporters import html_data, html_share
from auditor.reporters.html import render
from auditor.reporters.html_census import KIND, take_census
from auditor.reporters.html_data import Island
from auditor.reporters.html_findings import build_findings, list_findings
from auditor.reporters.html_fleet import count_fleet
from auditor.reporters.html_place import Locator, Place
from auditor.reporters.html_words import Words
from tests.reporters.fleet import (
    a_finding,
    a_host_report,
    a_judged,
    a_report,
    fleets,
    hostile_fleet,
    large_fleet,
    mixed_fleet,
    twins,
)
from tests.reporters.test_html import Reader


def build_island(report: AuditReport) -> Island:
    return html_data.build_island(count_fleet(report))


def locate_finding(subject: str | None, listeners: Sequence[JudgedListener]) -> Place:
    (place,) = Locator(take_census([listeners])).locate(0, [subject])
    return place


def unpack(island: Island) -> dict[str, Any]:
    if island.media_type == "application/json":
        plain = island.content
    else:
        plain = gzip.decompress(base64.b64decode(island.content)).decode()
    found: dict[str, Any] = json.loads(plain)
    return found


def list_listeners(data: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Read the columns back the way the page's script does."""
    text, kinds = data["text"], data["kinds"]
    raw = dict(zip(*data["listeners"]["raw"], strict=True))
    found, at = [], 0
    for host, count in enumerate(data["hosts"]["listeners"]):
        kind = 0
        for place in range(count):
            step = data["listeners"]["step"][at]
            kind = step if place == 0 else kind + step
            address = data["addresses"][host][data["listeners"]["address"][at]]
            service = kinds["service"][kind]
            found.append(
                (
                    text[data["hosts"]["name"][host]],
                    *(text[kinds[name][kind]] for name in ("proto", "scope", "verdict", "netns", "owner_status")),
                    text[address],
                    kinds["port"][kind],
                    kinds["sockets"][kind],
                    text[service] if service >= 0 else None,
                    raw.get(at),
                )
            )
            at += 1
    return found


@pytest.mark.parametrize("name", ["mixed", "failing", "passing", "lost", "none"])
def test_every_listener_comes_back(name: str) -> None:
    report = fleets()[name]
    assert list_listeners(unpack(build_island(report))) == [
        (
            *(host.name, one.proto, one.scope, one.verdict, one.netns, one.owner_status),
            *(one.address, one.port, one.sockets, one.service, one.raw),
        )
        for host in report.hosts
        for one in host.listeners
    ]


def test_a_small_report_is_plain_and_a_large_one_is_packed() -> None:
    assert build_island(mixed_fleet()).media_type == "application/json"
    large = build_island(large_fleet(600))
    assert large.media_type == "application/octet-stream"
    assert len(unpack(large)["hosts"]["name"]) == 600


def test_no_markup_can_begin_inside() -> None:
    island = build_island(hostile_fleet("</script><!--<script>"))
    assert "<" not in island.content


def test_names_are_numbered_in_their_natural_order() -> None:
    text = unpack(build_island(large_fleet(20)))["text"]
    names = [word for word in text if word.startswith("host-") and "." not in word]
    assert names == sorted(names)


def test_what_has_no_room_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_share, "_BASE", 0)
    island = build_island(mixed_fleet())
    left = [note for note in island.notes if "hosts, the least worrying ones, are not in this page" in note]
    assert len(left) == 1
    data = unpack(island)
    assert data["listeners"]["raw"][1] == []
    assert left[0] in render(mixed_fleet()).decode()


def test_the_worst_hosts_show_their_evidence_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_share, "_BASE", 900)
    data = unpack(build_island(mixed_fleet()))
    names = [data["text"][number] for number in data["hosts"]["name"]]
    assert [name for name, key in zip(names, data["hosts"]["key"], strict=True) if key] == ["db-02", "web-03"]


def test_beyond_what_a_page_can_carry_only_what_is_wrong_is_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_data, "LISTENERS", 10)
    island = build_island(mixed_fleet())
    data = unpack(island)
    assert {row[3] for row in list_listeners(data)} == {"denied", "unexpected", "waived"}
    assert sum(data["hosts"]["heard"]) == mixed_fleet().summary.listeners
    assert any("allowed and ignored listeners are not in this page" in note for note in island.notes)


def test_owners_are_there_once() -> None:
    owner = Owner(pid=7, comm="nginx", exe="/usr/sbin/nginx")
    base = fleets()["one"]
    host = base.hosts[0].model_copy(update={"listeners": twins(443, owner_status="known", owners=(owner,))})
    data = unpack(build_island(base.model_copy(update={"hosts": (host,)})))
    assert data["owners"]["pid"] == [7]
    assert data["listeners"]["owners"] == [[0, 1], [[0], [0]]]


@pytest.mark.parametrize(
    ("subject", "place"),
    [
        ("tcp 0.0.0.0:443 and [::]:443 (https)", Place(443, "tcp", 0)),
        ("tcp [::]:443", Place(443, "tcp", 1)),
        ("tcp [::]:443, [::1]:443 and [::2]:443 (https)", Place(443, "tcp", 1)),
        ("tcp [::]:443 (https) in netns web", Place(443, "tcp", 1)),
        ("udp 0.0.0.0:443", Place(443, "udp", -1)),
        ("9100/tcp (metrics)", Place(9100, "tcp", -1)),
        ("8000-8010/udp", Place(8000, "udp", -1)),
        ("https/tcp", Place(-1, None, -1)),
    ],
)
def test_a_finding_is_located_by_its_subject(subject: str, place: Place) -> None:
    listeners = (*twins(443), a_judged("0.0.0.0", 22))
    assert locate_finding(subject, listeners) == place


def test_what_is_not_known_is_about_no_port() -> None:
    assert locate_finding(None, twins(443)) == Place(-1, None, -1)
    finding = a_finding("a", "evidence-gap", subject="tcp 0.0.0.0:443")
    findings = unpack(build_island(a_report(a_host_report("a", twins(443), (finding,)))))["findings"]
    assert (findings["at"], findings["port"], findings["proto"]) == ([-1], [-1], [-1])


def test_words_come_in_their_natural_order() -> None:
    words = Words()
    numbers = words.add_all(["web-10", "web-9", "Web-9", None, "web-09", "web", "web-9a"])
    assert words.close() == ["web", "Web-9", "web-09", "web-9", "web-9a", "web-10"]
    assert words.settle(numbers) == [5, 3, 1, -1, 2, 0, 4]


def test_kinds_come_by_port_and_then_as_they_are_written() -> None:
    listeners = (*twins(443), *twins(22), a_judged("127.0.0.1", 443), a_judged("0.0.0.0", 443, "denied", "udp"))
    census = take_census([listeners, listeners[::-1]])
    port = KIND.index("port")
    assert list(census.kinds) == sorted(census.kinds, key=lambda kind: (kind[port], repr(kind)))
    assert [census.ports[number] for number in census.host_ports[0]] == [(one.port, one.proto) for one in listeners]


@pytest.mark.parametrize("most", [0, 1, 7, 1_000])
def test_the_worst_findings_stand_in_the_page(most: int) -> None:
    waived = Waived(waiver="w", reason="r", owner="o", expires="2027-01-01")
    levels: tuple[Severity, ...] = ("info", "critical", "low", "high", "medium", "high")
    hosts = [
        a_host_report(
            name, (), [a_finding(name, severity=level, waived=waived if name == "b" else None) for level in levels]
        )
        for name in ("a", "b", "c")
    ]
    report = a_report(*hosts)
    found = build_findings(count_fleet(report), most)
    assert (list(found.rows), found.total) == (list_findings(report)[:most], 18)


@pytest.mark.parametrize(("hosts", "most"), [(100, 250_000), (1_000, 500_000)])
def test_the_page_stays_small(hosts: int, most: int) -> None:
    assert len(render(large_fleet(hosts, listeners=22))) < most


def test_the_program_of_the_page_stays_small() -> None:
    page = Reader(render(fleets()["none"]))
    boot, _data, program = page.scripts
    assert len(page.raw["style"]) + len(boot) + len(program) < 120_000


def test_no_template_literal_goes_on_in_another_line() -> None:
    """For the page holds the program without its indentation."""
    folder = files("auditor.reporters") / "templates" / "app"
    programs = [path for path in folder.iterdir() if path.name.endswith(".js")]
    lines = [line for path in programs for line in path.read_text().splitlines()]
    assert programs
    assert [line for line in lines if line.count("`") % 2] == []
