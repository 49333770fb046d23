"""Redacted reports: no host is named in any format, and what is left still says the same."""

import io
import re
import zipfile

import pytest

from auditor.model.delta import Caveat, Delta, HostChange, RunRef
from auditor.model.report import AuditReport
from auditor.reporters import FORMATS, render
from auditor.reporters.redact import redact_hosts
from tests.reporters.fleet import (
    FINISHED,
    a_bad_host,
    a_calm_host,
    a_finding,
    a_host_report,
    a_judged,
    a_lost_host,
    a_report,
    a_system,
    hostile_fleet,
    mixed_fleet,
)
from tests.reporters.naughty import NAUGHTY

NAMES = re.compile(r"(web|db|edge)-0\d")


def read(document: bytes) -> str:
    """Return what stands in a file; a workbook is a ZIP archive of XML."""
    if not document.startswith(b"PK"):
        return document.decode()
    with zipfile.ZipFile(io.BytesIO(document)) as book:
        return "".join(book.read(name).decode() for name in book.namelist())


@pytest.mark.parametrize("name", FORMATS)
def test_no_format_names_a_host(name: str) -> None:
    assert NAMES.search(read(render(mixed_fleet(), name)))
    assert not NAMES.search(read(render(redact_hosts(mixed_fleet()), name)))


def test_what_is_left_says_the_same() -> None:
    report, redacted = mixed_fleet(), redact_hosts(mixed_fleet())
    assert (redacted.verdict, redacted.exit, redacted.summary) == (report.verdict, report.exit, report.summary)
    kept = {(one.rule, one.severity, one.origin) for host in redacted.hosts for one in host.findings}
    assert kept == {(one.rule, one.severity, one.origin) for host in report.hosts for one in host.findings}
    listed = sorted((one.proto, one.port, one.verdict) for host in redacted.hosts for one in host.listeners)
    assert listed == sorted((one.proto, one.port, one.verdict) for host in report.hosts for one in host.listeners)


def test_evidence_stays_at_home() -> None:
    text = render(redact_hosts(a_report(a_bad_host("web-03"))), "json").decode()
    for kept in ("00000000:0017", "SHA256:uNiV", "/run/docker.sock", "-A DOCKER", '"prod"'):
        assert kept in render(a_report(a_bad_host("web-03")), "json").decode()
        assert kept not in text


def test_pseudonyms_last_and_depend_on_the_key() -> None:
    def names(*hosts: str, key: bytes = b"") -> set[str]:
        return {host.name for host in redact_hosts(a_report(*map(a_calm_host, hosts)), key).hosts}

    assert names("web-01") < names("web-01", "web-02")
    assert names("web-01") != names("web-01", key=b"secret")
    assert names("web-01", key=b"secret") == names("web-01", key=b"secret")


def said_of(message: str, *hosts: str, **fields: str) -> str:
    finding = a_finding("web-01", message=message)
    seen = a_host_report("web-01", findings=[finding], facts=a_system(hostname=fields.get("hostname", "web-01")))
    redacted = redact_hosts(a_report(seen, *map(a_calm_host, hosts)))
    return next(one.message for host in redacted.hosts for one in host.findings)


@pytest.mark.parametrize(
    "message",
    [
        "web-01",
        "web-01: refused",
        "connect to web-01:22 failed",
        "ssh-keygen -R web-01.example.com.",
        "from root@web-01, again",
        "see inventory/web-01.yaml:3",
        "[web-01]:22",
    ],
)
def test_a_name_is_found_wherever_it_stands(message: str) -> None:
    assert "web-01" not in said_of(message)
    assert "host-" in said_of(message)


@pytest.mark.parametrize("message", ["web-010 is another", "the web-0 site", "port 22 on 0.0.0.0:22", "policy web"])
def test_what_is_no_name_stays(message: str) -> None:
    assert said_of(message) == message


def test_a_host_cannot_rewrite_the_words_of_others() -> None:
    """A host that calls itself `port` puts its pseudonym into its own texts, and into nobody else's."""
    liar = a_host_report("liar", facts=a_system(hostname="refused"))
    redacted = redact_hosts(a_report(liar, a_lost_host("edge-01")))
    assert any("connection refused" in (host.error.message if host.error else "") for host in redacted.hosts)


def test_an_address_of_the_host_goes_wherever_it_is_bound() -> None:
    own = a_host_report("web-01", [a_judged("10.0.0.11", 22), a_judged("10.9.9.9", 22)], address="10.0.0.11")
    (host,) = redact_hosts(a_report(own)).hosts
    assert [one.address for one in host.listeners] == [host.name, "10.9.9.9"]


def test_hosts_of_the_earlier_report_go_too() -> None:
    run = RunRef(id="a", finished_at=FINISHED)
    caveat = Caveat(kind="gaps", host="x", message="web-09 had gaps")
    delta = Delta(old=run, new=run, hosts=(HostChange(kind="gone", host="web-09"),), caveats=(caveat,))
    report: AuditReport = a_report(a_calm_host("web-01")).model_copy(update={"changes": delta})
    text = render(redact_hosts(report), "json").decode()
    assert "web-09" not in text
    assert '"host":"x"' not in text


@pytest.mark.parametrize("text", NAUGHTY)
def test_hostile_names_are_redacted_as_well(text: str) -> None:
    redacted = redact_hosts(hostile_fleet(text))
    assert all(re.fullmatch("host-[0-9a-f]{10}", host.name) for host in redacted.hosts)
