"""A title and a logo on the HTML pages: pictures by their first bytes, titles as text, and nothing live in either."""

from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from auditor.errors import UsageError
from auditor.reporters import render, render_folder
from auditor.reporters.brand import LARGEST_LOGO, Brand, Logo, recognise_logo
from tests.reporters.browser import Viewer, open_browser
from tests.reporters.fleet import mixed_fleet
from tests.reporters.naughty import NAUGHTY
from tests.reporters.test_html import RAW, Reader

# A red pixel as GIMP and ImageMagick write it, and an SVG that would run a script if it were a document of its own.
PNG = b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVQI12P4z8AAAAMBAQAY3Y2wAAAAAElFTkSuQmCC")
GIF = b64decode("R0lGODlhAQABAIAAAP8AAP///yH5BAAAAAAALAAAAAABAAEAAAICRAEAOw==")
SVG = (
    b'<?xml version="1.0"?>\n<!-- a logo -->\n<svg xmlns="http://www.w3.org/2000/svg" width="40" height="20"'
    b' onload="alert(1)"><script>alert(2)</script><image href="http://127.0.0.1:9/x.png"/>'
    b'<rect width="9" height="9"/></svg>'
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as chromium:
        yield chromium


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (PNG, "png"),
        (GIF, "gif"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF\x00", "jpg"),
        (b"RIFF\x24\x00\x00\x00WEBPVP8 ", "webp"),
        (SVG, "svg"),
        (b"\xef\xbb\xbf<svg>", "svg"),
        (b'<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "svg11.dtd">\n<svg\n/>', "svg"),
    ],
)
def test_a_picture_is_what_its_first_bytes_say(data: bytes, ending: str) -> None:
    assert recognise_logo(data, "logo.txt") == Logo(ending, data)


@pytest.mark.parametrize(
    "data", [b"", b"<html><svg>", b"<svgx>", b"GIF88a", b"%PDF-1.7", b"#!/bin/sh", b"RIFF\x24\x00\x00\x00WAVE", b" PNG"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UsageError, match=r"logo\.png does not begin like a picture"):
        recognise_logo(data, "logo.png")


def test_a_large_picture_is_refused() -> None:
    assert recognise_logo(PNG.ljust(LARGEST_LOGO, b"\0"), "logo.png").ending == "png"
    with pytest.raises(UsageError, match="larger than 100 kB"):
        recognise_logo(PNG.ljust(LARGEST_LOGO + 1, b"\0"), "logo.png")


@pytest.mark.parametrize("title", [text for text in NAUGHTY if text])
@pytest.mark.parametrize("name", ["html", "evidence-html"])
def test_a_title_is_text_and_nothing_else(title: str, name: str) -> None:
    plain = Reader(render(mixed_fleet(), name, brand=Brand("Quarterly audit")))
    page = render(mixed_fleet(), name, brand=Brand(title))
    assert Reader(page).skeleton == plain.skeleton
    assert not RAW.search(page.decode())


@pytest.mark.parametrize("title", [text for text in NAUGHTY if text])
def test_a_title_is_text_in_every_file_of_the_folder(title: str) -> None:
    plain = dict(render_folder(mixed_fleet(), "html-dir", Brand("Quarterly audit")))
    for name, data in render_folder(mixed_fleet(), "html-dir", Brand(title)):
        assert not RAW.search(data.decode())
        assert name == "style.css" or Reader(data).skeleton == Reader(plain[name]).skeleton


@pytest.mark.parametrize("name", ["html", "evidence-html"])
def test_the_logo_stands_in_the_page(name: str) -> None:
    page = Reader(render(mixed_fleet(), name, brand=Brand("Quarterly audit", Logo("svg", SVG))))
    assert page.values("src") == [f"data:image/svg+xml;base64,{b64encode(SVG).decode()}"]
    assert "Quarterly audit" in " ".join(page.words)
    (policy,) = (value for value in page.values("content") if value.startswith("default-src 'none'"))
    assert "img-src data:;" in policy
    assert "unsafe" not in policy


def test_the_logo_is_a_file_of_the_folder() -> None:
    files = dict(render_folder(mixed_fleet(), "html-dir", Brand("", Logo("png", PNG))))
    assert files["logo.png"] == PNG
    assert Reader(files["index.html"]).values("src") == ["logo.png"]


@pytest.mark.parametrize("name", ["html", "evidence-html", "json", "csv"])
def test_without_a_brand_nothing_changes(name: str) -> None:
    assert render(mixed_fleet(), name, brand=Brand()) == render(mixed_fleet(), name)


@pytest.mark.parametrize("logo", [Logo("png", PNG), Logo("gif", GIF), Logo("svg", SVG)], ids=["png", "gif", "svg"])
def test_a_browser_shows_the_logo_and_runs_nothing_of_it(browser: Browser, logo: Logo, tmp_path: Path) -> None:
    viewer = Viewer(browser, tmp_path / "report.html")
    page = viewer.show(render(mixed_fleet(), "html", brand=Brand("Quarterly audit", logo)))
    assert "Quarterly audit: Fail" in page.title()
    assert page.evaluate("(() => { const i = document.images[0]; return i.complete && i.naturalWidth > 0; })()")
    viewer.settle()
