"""Redacted reports: no host is named in any format, and what is left still says the same."""

import gzip
import io
import re
import zipfile
from base64 import b64decode
from ipaddress import IPv4Address, IPv6Address
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.address import unmap
from auditor.model.delta import Caveat, Delta, FindingChange, HostChange, ListenerChange, RunRef
from auditor.model.facts import Gap
from auditor.model.finding import Waived
from auditor.model.origin import Origin
from auditor.model.report import AuditReport, Hygiene, InventoryRef
from auditor.model.transcript import Failure
from auditor.reporters import FOLDERS, FORMATS, render, render_folder
from auditor.reporters.pseudonyms import Pseudonyms, is_general
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
    an_exposure,
    hostile_fleet,
    mixed_fleet,
    spell_kernel,
)
from tests.reporters.naughty import NAUGHTY

NAMES = re.compile(r"(web|db|edge)-0\d")


def read(document: bytes) -> str:
    """Return what stands in a file; a workbook is a ZIP archive of XML."""
    if not document.startswith(b"PK"):
        return document.decode()
    with zipfile.ZipFile(io.BytesIO(document)) as book:
        return "".join(book.read(name).decode() for name in book.namelist())


def read_all(report: AuditReport, name: str) -> str:
    """Return a report in one format, its payload unpacked as well; a folder as all its files."""
    if name in FOLDERS:
        return "".join(f"{path}\n{document.decode()}" for path, document in render_folder(report, name))
    text = read(render(report, name))
    return text + "".join(unpack(each) for each in re.findall(r"[A-Za-z0-9+/]{200,}={0,2}", text))


def unpack(encoded: str) -> str:
    """Return what is packed into a page, '' where it is something else in base64."""
    try:
        return gzip.decompress(b64decode(encoded)).decode()
    except (OSError, ValueError, EOFError):
        return ""


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
    assert host.listeners[0].address == host.name
    assert re.fullmatch("address-[0-9a-f]{10}", host.listeners[1].address)


V4, V6, ZONED, MAPPED, TARGET, DIALLED = (
    "203.0.113.77",
    "2001:db8:77::99",
    "fe80::5054:ff:fe77:9977",
    "198.51.100.78",
    "192.0.2.79",
    "10.77.0.80",
)
KEYS = (
    "SHA256:uNiVztksCsDhcc0u9e8BrHXyvzdJVNrpFnDJmVCdx1k",
    "SHA256:1qO2ldbDzzCsDhcc0u9e8BrHXyvzdJVNrpFnDJmVCdx",
    "MD5:16:27:ac:a5:76:28:2d:36:63:1b:56:4d:eb:df:a6:48",
    "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl",
)
STRANGERS = ("gate-91.example.net", "alias-92", "spare-93.example.net")
CANARIES = (
    *(V4, V6, ZONED, MAPPED, TARGET, DIALLED, spell_kernel(V4), "2001:0db8:0077:0000", "ens77"),
    *(part for key in KEYS for part in (key, key[-20:])),
    *STRANGERS,
    *("canary-01", "inner-94", "canary-05"),
)
"""What must not be found again: addresses in every spelling, names, and what identifies a host key."""


def a_canary_fleet() -> AuditReport:
    """A report in which hosts are called something, bound somewhere and show keys wherever a report can say so."""
    bound = f"tcp {V4}:9100, [{V6}]:9100 and [{ZONED}%ens77]:9100"
    said = f"{bound}; ::ffff:{MAPPED}, 2001:0db8:0077:0000:0000:0000:0000:0099 and {V6}: refused; {' '.join(KEYS)}"
    row = f'the first: tcp:3 "   0: {spell_kernel(V4)}:1F90 on inner-94"'
    listeners = (
        *(a_judged(each, 9100, "denied") for each in (V4, V6, ZONED)),
        a_judged(MAPPED, 9200, decided_by=None),
        a_judged(service="canary-01", netns=V4),
    )
    waived = Waived(waiver="w-1", reason=said, owner="canary-01", expires="2026-12-31")
    texts: dict[str, Any] = {"subject": bound, "message": said, "remediation": f'bind: [{V4}, "{V6}"]\n{said}'}
    findings = (
        a_finding("canary-01", **texts),
        a_finding("canary-01", severity="low", **{**texts, "waived": waived}),
        a_finding("canary-01", "evidence-gap", subject="tcp", message=row),
    )
    seen = a_host_report(
        "canary-01",
        listeners,
        findings,
        facts=a_system(hostname="inner-94", host_key=f"ssh-ed25519 {KEYS[0]}"),
        gaps=(Gap(source="tcp", reason=row),),
        exposures=(an_exposure(80, address=V4, target=f"{TARGET}:80"), an_exposure(81, address=f"{V4}/32")),
    )
    way = f"{DIALLED}:22 through the jump host {STRANGERS[0]}: no answer"
    errors = (
        Failure(phase="hostkey", code="hostkey-mismatch", message=f"it shows {KEYS[0]}, known is {KEYS[1]}", hint=said),
        Failure(
            phase="hostkey",
            code="hostkey-unknown",
            message=f"no known key for {DIALLED}:22 (as {STRANGERS[1]}): it shows {KEYS[1]}",
            hint=f"`ssh-keyscan -p 22 -t ed25519 {DIALLED} >> known_hosts`; `ssh-keygen -R '[{STRANGERS[1]}]:22'`",
        ),
        Failure(phase="tcp", code="tcp-timeout", message=way, hint=f"see {STRANGERS[0]}"),
        Failure(
            phase="hostkey",
            code="hostkey-certificate",
            message=f"it does not count: it is for {STRANGERS[2]}, x.example.net, not for canary-05",
        ),
    )
    lost = [
        a_host_report(
            f"canary-0{number}",
            (),
            (a_finding("x", "unreachable", "high", f"{DIALLED}:22", error.message, remediation=error.hint),),
            error=error,
            address=DIALLED,
        )
        for number, error in enumerate(errors, 2)
    ]
    origin = Origin(file="inventory/canary-01.yaml", line=3)
    note = Hygiene(kind="unused-allow", message=f"{V4} matched nothing", origin=origin)
    report = a_report(seen, *lost, hygiene=(note,))
    run = RunRef(id="a", finished_at=FINISHED)
    opened = ListenerChange(
        kind="rebound",
        host="canary-01",
        netns="host",
        proto="tcp",
        port=9100,
        before=(V4,),
        after=(V6,),
        direction="moved",
    )
    delta = Delta(
        old=run,
        new=run,
        hosts=(HostChange(kind="lost", host="canary-02", reason=f"tcp-timeout: {way}"),),
        listeners=(opened,),
        findings=(FindingChange(kind="new", host="canary-01", finding=findings[0]),),
    )
    named = report.run.model_copy(update={"inventory": InventoryRef(path="canary-01.yaml", sha256="0" * 64)})
    return report.model_copy(update={"changes": delta, "run": named})


@pytest.mark.parametrize("name", [*FORMATS, *FOLDERS])
def test_nothing_of_a_host_is_found_again_in_any_format(name: str) -> None:
    report = a_canary_fleet()
    shown, left = (read_all(each, name) for each in (report, redact_hosts(report)))
    assert [each for each in CANARIES if each in left] == []
    assert "canary-01" in shown or name in {"prometheus", "github-summary"}


def test_every_canary_stands_in_the_report_before() -> None:
    text = render(a_canary_fleet(), "json").decode()
    assert [each for each in CANARIES if each not in text] == []


def test_a_host_key_leaves_its_kind() -> None:
    errors = [host.error.message for host in redact_hosts(a_canary_fleet()).hosts if host.error]
    assert "it shows SHA256:…, known is SHA256:…" in errors


ADDRESSES = (
    st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(unmap).filter(lambda each: not is_general(str(each)))
)
FORMS = ["{}", "[{}]:22", "{}.", "see {}: refused", "a={},", "tcp:{}", "{}-x", "{}%eth0.7 up"]


@given(ADDRESSES, st.sampled_from(FORMS))
def test_an_address_has_one_pseudonym_however_it_is_written(address: IPv4Address | IPv6Address, form: str) -> None:
    spelled = [str(address), address.exploded, address.exploded.upper()]
    if isinstance(address, IPv4Address):
        spelled = [str(address), f"::ffff:{address}", f"::FFFF:{address.packed[:2].hex()}:{address.packed[2:].hex()}"]
    pseudonyms = Pseudonyms(b"", {})
    texts = [pseudonyms.redact(form.format(each)) for each in spelled]
    assert not [each for each, text in zip(spelled, texts, strict=True) if each in text]
    assert {name for text in texts for name in re.findall("address-[0-9a-f]{10}", text)} == {
        pseudonyms.redact(str(address))
    }


@pytest.mark.parametrize(
    "text",
    [
        *("0.0.0.0:22", "[::]:22", "127.0.0.53%lo:53", "[::1]:25", "224.0.0.251", "ff02::fb", "255.255.255.255"),
        *(
            "allowed on 10.0.0.0/8 and fd00::/8",
            "at 03:04:05",
            "std::vector",
            "Linux 5.14.0-427.13.1.el9_4",
            "1.2.3.4.5",
        ),
    ],
)
def test_what_is_no_address_of_a_host_stays(text: str) -> None:
    assert Pseudonyms(b"", {}).redact(text) == text


@pytest.mark.parametrize("word", ["tcp", "high", "wildcard", "host", "unexpected-listener", "ipv4", "little"])
def test_a_host_may_be_called_what_netaudit_says(word: str) -> None:
    report = a_report(a_host_report(word, [a_judged()], [a_finding(word)], facts=a_system(hostname=word)))
    assert redact_hosts(report).hosts[0].findings[0].rule == "unexpected-listener"


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
