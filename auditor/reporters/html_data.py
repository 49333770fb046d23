"""AuditReport in, the data the HTML report works on out: columns of numbers over a dictionary, compressed.

A fleet repeats itself: 300,000 listeners are a few thousand different ones. So every string stands once (`Words`),
every different listener once (`kinds`), and what is left per listener is one number. Checksums, host keys and the
kernel's lines do not repeat and do not compress; as many go in as `share_evidence` lets, and the page says so.
"""

import zlib
from base64 import b64encode
from collections.abc import Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from pydantic_core import to_json

from auditor.display import escape
from auditor.model.finding import INCOMPLETE_RULES
from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport, HostReport, JudgedListener
from auditor.reporters.html_census import Census, take_census
from auditor.reporters.html_columns import WordColumn, settle_columns, turn_rows
from auditor.reporters.html_data_beside import gather_beside
from auditor.reporters.html_data_findings import gather_findings
from auditor.reporters.html_data_listeners import ListenerColumns
from auditor.reporters.html_share import Share, share_evidence
from auditor.reporters.html_statuses import STATUSES
from auditor.reporters.html_waivers import suggest_expiry
from auditor.reporters.html_words import Sets, Words
from auditor.reporters.rules import RULE_TEXTS

LISTENERS = 1_000_000
"""Listeners a page can carry; beyond it those that are allowed or ignored are left out, and the page says so."""
_PLAIN = 64_000
"""Bytes of JSON up to which nothing is gained by compressing."""
_FACTS = ("os", "kernel", "arch", "byte_order", "reader_netns", "host_key_trust", "kex")
_facts_of = attrgetter(*_FACTS)


class Island(NamedTuple):
    """What stands in the page's data element: its media type, and text without any `<`."""

    media_type: str
    content: str
    notes: tuple[str, ...]


def build_island(report: AuditReport, census: Census) -> Island:
    """Return the data of `report`, ready to stand in a script element that is never run; `census` is of its hosts."""
    data, notes = _gather(report, census)
    content = to_json(data, ensure_ascii=True).replace(b"<", b"\\u003c")
    if len(content) <= _PLAIN:
        return Island("application/json", content.decode(), notes)
    return Island("application/octet-stream", b64encode(_pack(content)).decode(), notes)


def _pack(content: bytes) -> bytes:
    """Return it as gzip. Numbers have few long repetitions: not to look for them takes half the time of what is usual,
    and no more room."""
    packer = zlib.compressobj(level=5, wbits=31, strategy=zlib.Z_FILTERED)
    return packer.compress(content) + packer.flush()


def _note_left_out(share: Share, hosts: int, *, brief: bool) -> list[str]:
    notes = []
    if brief:
        notes.append("allowed and ignored listeners are not in this page, so that it opens; report.json has them.")
    if share.left_out:
        notes.append(
            f"kernel lines, checksums and host keys of {share.left_out} of {hosts} hosts, the least "
            "worrying ones, are not in this page, so that it opens; report.json has them."
        )
    return notes


def _gather(report: AuditReport, census: Census) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the data, and what to say about what is not in it."""
    brief = report.summary.listeners > LISTENERS
    listed: list[Sequence[JudgedListener]] = [host.listeners for host in report.hosts]
    share = share_evidence(report.hosts, census)
    if brief:
        listed = [_keep_flagged(host, census.flagged, at) for host, at in zip(report.hosts, census.hosts, strict=True)]
        census = take_census(listed)
    words = Words()
    sets = Sets(words)
    columns = ListenerColumns(words, census)
    for at, (host, listeners) in enumerate(zip(report.hosts, listed, strict=True)):
        columns.add(listeners, census.hosts[at], flagged=at in share.hosts, whole=at in share.whole)
        columns.add_ledger(host, shared=at in share.hosts)
    beside, notes = gather_beside(report.hosts, words, sets)
    gathered = {
        **columns.build(),
        **beside,
        "hosts": _gather_hosts(report, listed, words, sets, share),
        "findings": gather_findings(report, listed, census, words, sets),
        "gaps": {
            name: WordColumn(words.add(getattr(gap, name)) for host in report.hosts for gap in host.gaps)
            for name in ("source", "reason")
        },
    }
    lists = {"sets": sets.list_words(), "addresses": columns.addresses}
    text = words.close()
    settled = settle_columns(gathered, words.settle)
    data = {
        "version": 1,
        "run": {"started": report.run.started_at.timestamp(), "expires": suggest_expiry(report.run.started_at)},
        "rules": {rule: text._asdict() for rule, text in RULE_TEXTS.items()},
        "open": sorted(INCOMPLETE_RULES),
        "severities": list(SEVERITIES),
        "statuses": list(STATUSES),
        "text": text,
        **settled,
        **{name: [words.settle(one) for one in some] for name, some in lists.items()},
    }
    return data, (*_note_left_out(share, len(report.hosts), brief=brief), *notes)


def _keep_flagged(host: HostReport, flagged: Sequence[bool], kinds: Sequence[int]) -> list[JudgedListener]:
    return [one for one, kind in zip(host.listeners, kinds, strict=True) if flagged[kind]]


def _gather_hosts(
    report: AuditReport, listed: Sequence[Sequence[JudgedListener]], words: Words, sets: Sets, share: Share
) -> dict[str, Any]:
    hosts, started = report.hosts, report.run.started_at.timestamp()
    systems = [host.facts for host in hosts]
    facts = [(None,) * len(_FACTS) if system is None else _facts_of(system) for system in systems]
    hostnames = [system.hostname if system else None for system in systems]
    errors = [None if host.error is None else (host.error.phase, host.error.code) for host in hosts]
    return {
        "name": WordColumn(words.add_all(host.name for host in hosts)),
        "address": WordColumn(words.add_all(host.address for host in hosts)),
        "status": [STATUSES.index(host.status) for host in hosts],
        "full": [int(host.fully_audited) for host in hosts],
        "groups": [sets.add(host.groups) for host in hosts],
        "policies": [sets.add(host.policies) for host in hosts],
        "labels": [sets.add(tuple(f"{name}={value}" for name, value in host.labels.items())) for host in hosts],
        "listeners": [len(listeners) for listeners in listed],
        "heard": [len(host.listeners) for host in hosts],
        "findings": [len(host.findings) for host in hosts],
        "gaps": [len(host.gaps) for host in hosts],
        "coverage": [len(host.coverage) for host in hosts],
        "unix": [len(host.unix) for host in hosts],
        "exposures": [len(host.exposures) for host in hosts],
        "phase": WordColumn(words.add(error and error[0]) for error in errors),
        "code": WordColumn(words.add(error and error[1]) for error in errors),
        "error": WordColumn(words.add(host.error.message if host.error else None) for host in hosts),
        "hint": WordColumn(words.add(host.error.hint if host.error else None) for host in hosts),
        **turn_rows(facts, words, _FACTS, _FACTS),
        "namesake": [int(called == host.name) for called, host in zip(hostnames, hosts, strict=True)],
        "hostname": WordColumn(
            words.add(None if called == host.name else called) for called, host in zip(hostnames, hosts, strict=True)
        ),
        "root": [int(system is not None and system.privileged) for system in systems],
        "collected": [system and round(system.collected_at.timestamp() - started, 1) for system in systems],
        "skew": [system and system.clock_skew_s for system in systems],
        "ephemeral": [system and system.ephemeral_ports for system in systems],
        "key": [
            escape(host.facts.host_key, 400) if at in share.hosts and host.facts and host.facts.host_key else 0
            for at, host in enumerate(hosts)
        ],
        "keyed": [int(bool(system and system.host_key)) for system in systems],
    }
