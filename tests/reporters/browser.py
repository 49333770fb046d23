"""A real browser for the HTML reports: what it asked of the network, and what it complained about."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tests.requirements import require

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SPY = "window.broken = []; addEventListener('securitypolicyviolation', (e) => window.broken.push(e.violatedDirective));"
READY = "html[data-ready]"


@contextmanager
def open_browser() -> Iterator[Browser]:
    require("chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield chromium
        chromium.close()


@dataclass
class Viewer:
    """Opens documents as files; `settle` then says that nothing was asked of the network and nothing went wrong."""

    browser: Browser
    path: Path
    contexts: list[BrowserContext] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def show(self, document: bytes, fragment: str = "", **settings: Any) -> Page:
        self.path.write_bytes(document)
        context = self.browser.new_context(**settings)
        context.set_default_timeout(10_000)
        self.contexts.append(context)
        context.add_init_script(SPY)
        page = context.new_page()
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("dialog", lambda dialog: self.complaints.append(f"dialog {dialog.message}"))
        page.goto(f"{self.path.as_uri()}{fragment}")
        if settings.get("java_script_enabled", True) and b'id="data"' in document:
            page.wait_for_selector(READY, state="attached")
        return page

    def settle(self) -> None:
        broken = [
            page.evaluate("window.broken") for context in self.contexts for page in context.pages if scripted(page)
        ]
        for context in self.contexts:
            context.close()
        assert {url for url in self.asked if not url.startswith((self.path.as_uri(), "data:"))} == set()
        assert [one for one in broken if one] == []
        assert self.complaints == []


def scripted(page: Page) -> bool:
    """Whether the page runs scripts, and can be asked what it noticed."""
    return page.locator("html.js, html:has(script)").count() > 0 and page.evaluate("typeof window.broken") == "object"
