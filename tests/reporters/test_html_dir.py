"""The folder of pages: complete without script, and under the policy that Jenkins sends."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from auditor.cli.outputs import Output, write_report
from auditor.errors import UsageError
from auditor.reporters import FOLDERS, render_folder
from tests.reporters.browser import open_browser
from tests.reporters.fleet import a_bad_host, a_report, hostile_fleet, large_fleet, mixed_fleet
from tests.reporters.test_html import HOSTILE, RAW, Reader, squeeze

# Jenkins handbook, "Configuring Content Security Policy": the default for what a build archived.
JENKINS = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"


class Strict(SimpleHTTPRequestHandler):
    """Serves files the way Jenkins does."""

    def end_headers(self) -> None:
        self.send_header("Content-Security-Policy", JENKINS)
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    for name, data in render_folder(mixed_fleet(), "html-dir"):
        (tmp_path / name).write_bytes(data)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Strict, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_it_is_whole_under_the_policy_of_jenkins(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto(f"{address}/index.html")
        assert (
            page.evaluate("getComputedStyle(document.querySelector('.verdict')).backgroundColor") == "rgb(168, 20, 26)"
        )
        page.locator("#hosts").get_by_role("link", name="web-03").click()
        host = page.locator("#host-web-03")
        host.locator("summary").first.click()
        assert host.locator(".listeners tbody tr").count() == 5
        assert host.get_by_text("telnet is forbidden").is_visible()
        assert [text for text in complaints if "favicon" not in text] == []


def test_every_link_leads_somewhere() -> None:
    files = dict(render_folder(large_fleet(120), "html-dir"))
    assert list(files)[-1] == "index.html"
    assert {"style.css", "hosts-001.html", "hosts-002.html", "hosts-003.html"} <= set(files)
    readers = {name: Reader(data) for name, data in files.items() if name.endswith(".html")}
    for name, reader in readers.items():
        assert len(reader.values("id")) == len(set(reader.values("id")))
        for href in (value for tag, key, value in reader.attributes if key == "href" and tag in {"a", "link"}):
            path, _, anchor = (href or "").partition("#")
            target = path or name
            assert target in files, href
            assert not anchor or anchor in readers[target].values("id"), href


def test_every_listener_finding_and_source_is_there() -> None:
    report = mixed_fleet()
    files = dict(render_folder(report, "html-dir"))
    text = squeeze(" ".join(Reader(data).text for name, data in files.items() if name.startswith("hosts")))
    for host in report.hosts:
        for listener in host.listeners:
            assert squeeze(listener.raw) in text
        for source in host.coverage:
            assert source.sha256 is None or source.sha256 in text
        assert all(gap.reason in text for gap in host.gaps)
        assert all(finding.subject in text and finding.message in text for finding in host.findings)


def test_many_findings_have_pages_of_their_own() -> None:
    files = dict(render_folder(a_report(*(a_bad_host(f"web-{number}") for number in range(200))), "html-dir"))
    pages = [data.decode() for name, data in files.items() if name.startswith("findings-")]
    assert len(pages) == 2
    assert sum(page.count('<tr class="l-') for page in pages) == 600


def test_it_has_no_script_and_no_inline_style() -> None:
    for text in ("<script>alert(1)</script>", '" style="color:red'):
        for name, data in render_folder(hostile_fleet(text), "html-dir"):
            if name == "style.css":
                continue
            reader = Reader(data)
            assert not [step for step in reader.skeleton if step[0] in {"script", "style", "img", "iframe"}]
            assert not [key for _, key, _ in reader.attributes if key == "style" or key.startswith("on")]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_changes_the_structure(text: str) -> None:
    plain = dict(render_folder(hostile_fleet("plain"), "html-dir"))
    for name, data in render_folder(hostile_fleet(text), "html-dir"):
        assert not RAW.search(data.decode())
        if name != "style.css":
            assert Reader(data).skeleton == Reader(plain[name]).skeleton


def test_equal_reports_give_equal_files() -> None:
    assert dict(render_folder(mixed_fleet(), "html-dir")) == dict(render_folder(mixed_fleet(), "html-dir"))


def test_the_folder_is_written(tmp_path: Path) -> None:
    write_report(mixed_fleet(), Output("html-dir", tmp_path / "html"))
    assert sorted(path.name for path in (tmp_path / "html").iterdir()) == ["hosts-001.html", "index.html", "style.css"]


def test_a_folder_does_not_go_to_standard_output(tmp_path: Path) -> None:
    from auditor.cli.outputs import plan_outputs

    assert plan_outputs(["html-dir"], tmp_path) == [Output("html-dir", tmp_path / FOLDERS["html-dir"].file_name)]
    with pytest.raises(UsageError, match="html-dir is a folder"):
        plan_outputs(["html-dir=-"], tmp_path)
