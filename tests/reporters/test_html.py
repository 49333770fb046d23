"""The HTML report as text: nothing in it that is not ours, nothing left out unsaid, the same bytes every time."""

import re
import subprocess
import sys
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.report import AuditReport, JudgedListener, build_report
from auditor.reporters import html_findings, html_listeners, html_page
from auditor.reporters.html import render
from auditor.reporters.html_statuses import STATUSES
from tests.reporters.fleet import (
    a_calm_host,
    a_finding,
    a_host_report,
    a_judged,
    a_lost_host,
    a_partial_host,
    a_report,
    fleets,
    hostile_fleet,
    large_fleet,
    mixed_fleet,
    twins,
)

ROOT = Path(__file__).parents[2]
HOSTILE = [
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    '" onmouseover="alert(1)" x="',
    "' autofocus onfocus='alert(1)",
    "javascript:alert(1)",
    "{{7*7}}",
    "{% include '/etc/passwd' %}",
    "{# gone #}",
    "${7*7} <%= 7*7 %>",
    "[fe80::1]",
    "[/bold]",
    "-->",
    "<!--",
    "]]>",
    "&lt;b&gt;&amp;",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "\x9b31m",
    "a\u202egnp.exe",
    "a\u2066b\u2069\u200bc\u00ad\ufeff",
    "\ud800\udfff",
    "a\r\nb\tc\x00d",
    "../../etc/passwd",
    "http://example.com/",
    "&#x3c;script&#x3e;",
    "=HYPERLINK(1)",
    "%3Cscript%3E",
    "x" * 9000,
]
# What no text may carry onto the page: controls but the newlines of our own templates, and what reorders or hides text.
RAW = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
VOID = {"meta", "link", "img", "input", "br", "use", "rect", "path", "circle"}


class Reader(HTMLParser):
    """An HTML document as another program tokenises it: its tags with attribute names, attributes, and its text."""

    def __init__(self, document: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.skeleton: list[tuple[str, ...]] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.raw: dict[str, str] = {"style": "", "script": ""}
        self.scripts: list[str] = []
        self.feed(document.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skeleton.append((tag, *(name for name, _ in attrs)))
        self.attributes += [(tag, name, value) for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.skeleton.append((tag, *(name for name, _ in attrs)))
        self.attributes += [(tag, name, value) for name, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        self.skeleton.append((f"/{tag}",))
        assert self.open.pop() == tag, f"{tag} is closed out of order"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]] += data
            if self.open[-1] == "script":
                self.scripts[-1] += data
        else:
            self.words.append(data)

    def handle_comment(self, data: str) -> None:
        self.skeleton.append(("comment", data))

    @property
    def text(self) -> str:
        """The words, with a space wherever a tag stands: cells of a table do not run into each other."""
        return " ".join(self.words)

    def values(self, name: str) -> list[str]:
        return [value or "" for _, attribute, value in self.attributes if attribute == name]


def read(report: AuditReport) -> Reader:
    return Reader(render(report))


@pytest.fixture(scope="module")
def samples() -> dict[str, Reader]:
    return {name: read(report) for name, report in fleets().items()}


# Nothing a stranger wrote becomes markup.


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_the_structure(text: str) -> None:
    hostile, plain = read(hostile_fleet(text)), read(hostile_fleet("plain"))
    assert hostile.skeleton == plain.skeleton
    assert hostile.open == []
    assert hostile.raw["style"] == plain.raw["style"]
    assert [hostile.scripts[0], hostile.scripts[2]] == [plain.scripts[0], plain.scripts[2]]
    assert len(hostile.scripts) == 3


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(), min_size=1).filter(str.strip))
def test_no_text_at_all_changes_the_structure(text: str) -> None:
    plain = "\n".join("plain" if line.strip() else "" for line in text.split("\n"))
    assert read(hostile_fleet(text)).skeleton == read(hostile_fleet(plain)).skeleton


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_stays_unsafe_to_show(text: str) -> None:
    document = render(hostile_fleet(text)).decode()
    assert not RAW.search(document)


def test_text_is_shown_as_it_was_written() -> None:
    text = read(hostile_fleet("<b>{{7*7}}</b> [fe80::1]\x1b[31m\u202e</script>")).text
    assert text.count("<b>{{7*7}}</b> [fe80::1]\\x1b[31m\\u202e</script>") > 40
    assert "49" not in re.sub(r"[0-9a-f]{16,}", "", text)


def test_only_our_own_elements_and_attributes_appear(samples: dict[str, Reader]) -> None:
    tags = {step[0] for reader in samples.values() for step in reader.skeleton if not step[0].startswith("/")}
    names = {name for reader in samples.values() for _, name, _ in reader.attributes}
    assert tags <= {
        *(
            "html",
            "head",
            "meta",
            "title",
            "link",
            "style",
            "body",
            "script",
            "header",
            "main",
            "footer",
            "section",
            "nav",
        ),
        *("h1", "h2", "h3", "p", "a", "span", "strong", "code", "pre", "ul", "li", "dl", "dt", "dd", "div", "kbd", "b"),
        *("figure", "figcaption", "dialog", "g", "text", "time"),
        *("table", "caption", "thead", "tbody", "tr", "th", "td", "details", "summary"),
        *("form", "fieldset", "legend", "label", "input", "button"),
        *("svg", "symbol", "path", "circle", "use", "rect", "desc"),
    }
    assert not [name for name in names if name.startswith("on") or name in {"style", "src", "srcset", "action"}]


def test_every_link_stays_on_the_page() -> None:
    for report in (mixed_fleet(), hostile_fleet("http://example.com/"), hostile_fleet("javascript:alert(1)")):
        reader = read(report)
        links = [value for tag, name, value in reader.attributes if name == "href" and tag != "link"]
        assert {link for link in links if not (link or "").startswith("#")} == set()
        assert {link[1:] for link in links if link} <= set(reader.values("id"))


def test_ids_are_unique(samples: dict[str, Reader]) -> None:
    for reader in samples.values():
        ids = reader.values("id")
        assert len(ids) == len(set(ids))


# Nothing is loaded, and only our own style and script may run.


def test_the_policy_admits_exactly_what_is_inside() -> None:
    reader = read(hostile_fleet("</style></script>"))
    (policy,) = (value for value in reader.values("content") if value.startswith("default-src"))
    style, boot, _, app = (
        b64encode(sha256(text.encode()).digest()).decode() for text in (reader.raw["style"], *reader.scripts)
    )
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{boot}' 'sha256-{app}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    assert [value for tag, name, value in reader.attributes if tag == "script" and name == "type"] == [
        "application/json"
    ]


def test_nothing_is_loaded() -> None:
    reader = read(mixed_fleet())
    icons = [value for tag, name, value in reader.attributes if tag == "link" and name == "href"]
    assert [icon for icon in icons if icon and icon.startswith("data:")] == icons
    assert not re.search(r"url\(|@import|@font-face|https?:", reader.raw["style"])
    script = "".join((reader.scripts[0], reader.scripts[2])).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(
        r"fetch|XMLHttpRequest|import\(|[iI]nnerHTML|outerHTML|insertAdjacent|write\(|eval",
        script.replace("write(records)", ""),
    )
    assert not re.search(r"Storage|https?:|blob:|WebSocket|beacon", script)


# The same report gives the same bytes.


def test_equal_reports_give_equal_bytes() -> None:
    assert render(mixed_fleet()) == render(mixed_fleet())


def test_the_order_of_the_hosts_leaves_no_trace() -> None:
    report = mixed_fleet()
    turned = build_report(report.run, report.hosts[::-1], report.hygiene[::-1], "low", report.generator)
    assert render(turned) == render(report)


def test_the_hash_seed_leaves_no_trace() -> None:
    program = (
        "import sys; from auditor.reporters.html import render; from tests.reporters.fleet import mixed_fleet;"
        "sys.stdout.buffer.write(render(mixed_fleet()))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Pacific/Auckland"))
    }
    assert outputs == {render(mixed_fleet())}


# Everything is there.


def test_the_header_says_which_run_it_was() -> None:
    report = mixed_fleet()
    text = squeeze(read(report).text)
    assert "5 of 8 hosts fully audited: 1 with a wrong host key, 1 not reached, 1 read only in part" in text
    assert "1 host answered with a host key that must not be trusted (edge-02): somebody else may be answering" in text
    assert "2026-03-04 05:06:07 UTC" in text
    assert "2026-03-04 05:06:19 UTC" in text
    assert all(reason in text for reason in report.exit.reasons)
    assert report.run.inventory.sha256 in text
    assert all(policy.path in text and policy.sha256 in text for policy in report.run.policies)
    assert "Sockets, not reachability." in text


def test_findings_come_worst_first_and_waived_last() -> None:
    levels = [value[2:] for value in read(mixed_fleet()).values("class") if value.startswith("l-")]
    assert levels == ["critical", "high", "medium", "low", "waived"]


def test_hosts_come_worst_first() -> None:
    statuses = [
        value[3:] for value in read(mixed_fleet()).values("class") if value[3:] in STATUSES and value[:3] == "is-"
    ]
    assert statuses == ["violating"] * 2 + ["incomplete"] + ["unreachable"] * 2 + ["compliant"] * 3


def test_twins_fold_only_when_they_are_alike() -> None:
    def places(*listeners: JudgedListener) -> list[tuple[str, ...]]:
        return [row.addresses for row in html_listeners.build_listeners(listeners).rows]

    assert places(*twins(443)) == [("0.0.0.0", "::")]
    assert places(a_judged("127.0.0.1", 53), a_judged("::1", 53)) == [("127.0.0.1", "::1")]
    assert places(a_judged("10.0.0.1"), a_judged("fd00::1")) == [("10.0.0.1",), ("fd00::1",)]
    assert places(a_judged("0.0.0.0"), a_judged("::", verdict="unexpected")) == [("::",), ("0.0.0.0",)]
    assert places(a_judged("0.0.0.0"), a_judged("::", netns="4026532281")) == [("::",), ("0.0.0.0",)]


# Not known is never shown as nothing.


def cards(report: AuditReport) -> str:
    text = squeeze(read(report).text)
    return text[text.index("In short") : text.index(" Findings", text.index("ending in 30 days"))]


def test_what_is_bound_to_every_address_is_counted_in_two_ways_and_says_so() -> None:
    clients = [a_judged(port=40000 + at, proto="udp", kind="ephemeral-udp", verdict="ignored") for at in range(3)]
    page = read(a_report(a_host_report("web-01", [a_judged(), *clients])))
    assert "1 bound to every address" in " ".join(page.text.split())
    assert page.text.count("here with ephemeral UDP, which “bound to every address” leaves out") == 1
    assert "4 wildcard" in page.text


def test_not_measured_is_not_zero() -> None:
    assert "— critical — high — medium — low — info — waived" in cards(fleets()["lost"])
    assert "— listeners — bound to every address" in cards(fleets()["lost"])
    assert "0 critical 0 high 0 medium 0 low 0 info 0 waived" in cards(fleets()["passing"])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("passing", "None, and every host could be read in full."),
        ("lost", "Nothing is known: no host could be read."),
        ("none", "No host was audited."),
        ("stopped", "None so far: the run was interrupted."),
    ],
)
def test_no_findings_is_said_with_what_it_rests_on(samples: dict[str, Reader], name: str, said: str) -> None:
    assert said in squeeze(samples[name].text)


def test_no_findings_on_a_host_read_in_part_is_not_all_clear() -> None:
    text = squeeze(read(a_report(a_partial_host("db-01"), a_calm_host("db-02"))).text)
    assert "None in what could be read. That is not all of it" in text
    assert "every host could be read" not in text


def test_the_head_says_which_run_it_was_and_what_made_it() -> None:
    report = mixed_fleet()
    reader = read(report)
    text = squeeze(reader.text)
    head = text[text.index("Run " + report.run.id) : text.index("Findings")]
    for part in (
        "Started 2026-",
        "Finished 2026-",
        report.run.inventory.path,
        report.run.policies[0].name,
        "Made by netaudit",
    ):
        assert part in head, part


def test_the_unreachable_are_grouped_with_their_next_step() -> None:
    report = a_report(a_lost_host("a"), a_lost_host("b"), a_lost_host("c", "hostkey-changed"))
    text = squeeze(read(report).text)
    changed, refused = (
        text.index("hostkey-changed while checking the host key · 1 host "),
        text.index("tcp-refused while connecting · 2 hosts "),
    )
    assert changed < text.index("on c Next step: If the change was planned") < refused
    assert refused < text.index("on a, b Next step: Is sshd running")
    assert text.count("Is sshd running") == 1


# One host, or many, do not make the page useless; what is left out is said.


def test_a_noisy_host_does_not_bury_the_others() -> None:
    shouting = [a_finding("loud", severity="critical", subject=f"tcp 10.0.0.1:{port}") for port in range(1, 1000)]
    report = a_report(a_host_report("loud", (), shouting), a_host_report("quiet", (), (a_finding("quiet"),)))
    reader = read(report)
    assert sum(value.startswith("l-") for value in reader.values("class")) == html_findings.PER_HOST + 1
    assert f"{1000 - 41} more findings are not in this table" in squeeze(reader.text)
    assert "Only some findings are shown of: loud." in squeeze(reader.text)


def test_a_large_fleet_shows_its_worst_findings_and_hosts_without_script(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html_page, "HOSTS", 50)
    monkeypatch.setattr(html_page, "WORST_HOSTS", 30)
    report = large_fleet(200)
    reader = read(report)
    text = squeeze(reader.text)
    assert sum(value.startswith("is-") for value in reader.values("class") if value[3:] in STATUSES) == 30
    assert "170 more hosts, the least worrying ones, are not in this table." in text
    unread = [host.name for host in report.hosts if not host.fully_audited]
    assert len(unread) > 10
    assert all(name in text[text.index("What is not known is not clean") :] for name in unread)


def test_two_hundred_hosts_are_all_there(samples: dict[str, Reader]) -> None:
    assert sum(value[3:] in STATUSES for value in samples["large"].values("class") if value.startswith("is-")) == 200


def squeeze(text: str) -> str:
    return " ".join(text.split())
