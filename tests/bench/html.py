"""How large the HTML report of 10,000 hosts x 30 listeners is, and how fast it is, beside a page of static rows.

    python -m tests.bench.html [HOSTS [LISTENERS]] [--static]

Prints one table; `--static` also opens the page of static rows, which takes minutes. Nothing here is a test.
"""

import gc
import random
import sys
import tempfile
import time
from hashlib import sha256
from html import escape
from pathlib import Path
from statistics import median

from playwright.sync_api import Page, sync_playwright

from auditor.model.facts import Coverage, UnixListener
from auditor.model.report import AuditReport, HostReport, JudgedListener
from auditor.reporters.html import render
from tests.reporters.fleet import (
    LABELS,
    a_decision,
    a_finding,
    a_host_report,
    a_judged,
    a_lost_host,
    a_partial_host,
    a_report,
    a_system,
    an_exposure,
    spell_kernel,
)

USUAL = (22, 25, 53, 80, 111, 123, 443, 2049, 3306, 5432, 6379, 8080, 9090, 9100, 9200)
OFTEN = tuple(range(3000, 3100)) + tuple(range(8000, 8200)) + tuple(range(9000, 9100))
USUAL_UNIX = tuple(UnixListener(kind="stream", path=f"/run/systemd/service-{number}") for number in range(30))
ANY = 28
"""Listeners from this one on have a port of their own, as an RPC service has; those before it one of OFTEN."""
EVERY = 6.281
"""One listener in so many violates: 47,755 of 300,000, as in the reference measurement."""


def build_fleet(hosts: int, listeners: int) -> AuditReport:
    """Return a fleet whose checksums, keys, inodes and kernel pointers are as random as real ones."""
    dice = random.Random(7)
    return a_report(*(_build_host(number, listeners, dice) for number in range(hosts)))


def _build_host(number: int, listeners: int, dice: random.Random) -> HostReport:
    name, groups = f"host-{number:05d}.example.com", (f"site-{number % 12:02d}", ("web", "db", "app")[number % 3])
    if number % 100 == 3:
        return a_lost_host(name, groups=groups)
    if number % 100 == 7:
        return a_partial_host(name, groups=groups)
    address = f"10.{number >> 8 & 255}.{number & 255}.7"
    rows = tuple(sorted((_build_listener(at, address, dice) for at in range(listeners)), key=lambda one: one.port))
    findings = tuple(
        a_finding(
            name,
            severity=dice.choice(("critical", "high", "medium", "low")),
            subject=f"tcp {one.address}:{one.port}",
            message=f"no policy line allows {one.port}/tcp, and web-tier has `default: deny`",
            remediation="Stop the service; or, if it belongs there, allow it in policies/web.yaml:\nallow:\n"
            f"  - {{id: tcp-{one.port}, port: {one.port}/tcp, bind: any, reason: say who needs it}}",
        )
        for one in rows
        if one.verdict == "unexpected"
    )
    sums = tuple(
        Coverage(source=source, status="ok", rows=listeners, listeners=listeners, sha256=_roll(dice, 32))
        for source in ("tcp", "tcp6", "udp", "udp6", "raw", "services")
    )
    key = f"ssh-ed25519 SHA256:{_roll(dice, 22)[:43]}"
    root = number % 10 == 0
    states = {
        "tcp": {"ESTABLISHED": dice.randint(1, 400), "TIME_WAIT": dice.randint(0, 900), "LISTEN": listeners},
        "udp": {"UNCONNECTED": 8},
    }
    skew = round(dice.uniform(-2, 2), 2)
    facts = a_system(hostname=name, host_key=key, clock_skew_s=skew, privileged=root, states=states)
    own = [UnixListener(kind="stream", path=f"/run/user/{dice.randint(1000, 60000)}/bus") for _ in range(2)]
    beside = {"unix": (*USUAL_UNIX, *own), "exposures": [an_exposure(port) for port in OFTEN[:5]] if root else ()}
    return a_host_report(name, rows, findings, groups=groups, coverage=sums, facts=facts, **beside)


def _build_listener(at: int, address: str, dice: random.Random) -> JudgedListener:
    port = USUAL[at] if at < len(USUAL) else dice.choice(OFTEN) if at < ANY else dice.randint(1024, 60000)
    where = dice.choice(("0.0.0.0", "127.0.0.1", address))
    bad = dice.random() * EVERY < 1
    raw = (
        f"{at:4d}: {spell_kernel(where)}:{port:04X} 00000000:0000 0A 00000000:00000000 00:00000000 00000000"
        f"  1000        0 {dice.randint(10_000, 99_999)} 1 {_roll(dice, 8)} 100 0 0 10 0"
    )
    decided = a_decision(None, 7) if bad else a_decision("https", 12)
    return a_judged(where, port, "unexpected" if bad else "allowed", decided_by=decided, raw=raw)


def _roll(dice: random.Random, size: int) -> str:
    return sha256(dice.randbytes(8)).hexdigest()[: size * 2]


def write_static(report: AuditReport) -> str:
    """Return the page that most tools write: one row of markup for every listener."""
    rows = "".join(
        f"<tr><td>{escape(host.name)}</td><td>{escape(host.address)}</td><td>{one.proto}</td><td>{one.address}</td>"
        f"<td>{one.port}</td><td>{LABELS.get(one.port, '')}</td><td>{one.scope}</td><td>{one.verdict}</td></tr>\n"
        for host in report.hosts
        for one in host.listeners
    )
    return f"<!DOCTYPE html><title>static</title><table><tbody>{rows}</tbody></table>"


MEASURES = "performance.getEntriesByType('measure').map((m) => [m.name, m.duration])"
HEAP = "performance.memory.usedJSHeapSize / 1e6"


def measure_page(page: Page, path: Path) -> dict[str, float]:
    """Return milliseconds (and MB of heap) of the interactive report: the median and the worst of what it was asked."""
    page.goto(path.as_uri())
    page.wait_for_selector("html[data-ready]", timeout=60_000)
    found = {
        "first paint": page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN"),
        "interactive": page.evaluate("performance.getEntriesByName('ready')[0].startTime"),
    }
    taken: dict[str, list[float]] = {}
    for tab in ("findings", "hosts", "ports&each=1", "ports&each=unix"):
        for query in ("port:443 host:host-00*", "unexpected", "scope:wildcard -group:web", ""):
            page.evaluate("performance.clearMeasures()")
            page.evaluate(f"location.hash = '#tab={tab}&q={query.replace(' ', '%20')}'")
            page.wait_for_timeout(400)
            _keep(taken, page)
        for sort in ("host", "-host", "port,-host"):
            page.evaluate("performance.clearMeasures()")
            page.evaluate(f"location.hash = '#tab={tab}&sort={sort}'")
            page.wait_for_timeout(500)
            _keep(taken, page)
    for name, durations in taken.items():
        found |= {f"{name}, median": median(durations), f"{name}, worst": max(durations)}
    found["heap (MB)"] = page.evaluate(HEAP)
    return found


def _keep(taken: dict[str, list[float]], page: Page) -> None:
    for name, duration in page.evaluate(MEASURES):
        taken.setdefault(name, []).append(duration)


def measure_static(page: Page, path: Path) -> dict[str, float]:
    """Return milliseconds of the page of static rows."""
    page.set_default_timeout(600_000)
    began = time.perf_counter()
    page.goto(path.as_uri(), timeout=600_000)
    page.evaluate("document.body.offsetHeight")
    loaded = 1000 * (time.perf_counter() - began)
    hide = (
        "(() => { const t = performance.now(); for (const r of document.querySelectorAll('tr')) "
        "r.hidden = !r.textContent.includes('443'); document.body.offsetHeight; return performance.now() - t; })()"
    )
    return {"interactive": loaded, "filter": page.evaluate(hide)}


def main(arguments: list[str]) -> None:
    numbers = [int(word) for word in arguments if word.isdigit()]
    hosts, listeners = (*numbers, *(10_000, 30)[len(numbers) :])
    gc.set_threshold(100_000, 20, 50)  # as the command itself does
    report = build_fleet(hosts, listeners)
    began, clock = time.perf_counter(), time.process_time()
    document = render(report)
    rendered, worked = time.perf_counter() - began, time.process_time() - clock
    print(f"{hosts} hosts x {listeners} listeners, {sum(len(host.findings) for host in report.hosts)} findings")
    print(f"  report: {len(document) / 1e6:.2f} MB, rendered in {rendered:.2f} s, {worked:.2f} s of the processor")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        options = ["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=options)
        path = Path(folder) / "report.html"
        path.write_bytes(document)
        for name, value in measure_page(browser.new_page(), path).items():
            print(f"  {name:15}{value:8.0f}")
        static = Path(folder) / "static.html"
        static.write_text(write_static(report))
        print(f"  static rows: {static.stat().st_size / 1e6:.2f} MB")
        if "--static" in arguments:
            for name, value in measure_static(browser.new_page(), static).items():
                print(f"  {name:15}{value:8.0f}")
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
