"""AuditReport in, the data the HTML report works on out: columns of numbers over a dictionary, compressed.

A fleet repeats itself: 300,000 listeners are a few thousand different ones. So every string stands once (`Words`),
every different listener once (`kinds`), and what is left per listener is one number. Checksums, host keys and the
kernel's lines do not repeat and do not compress; as many go in as `share_evidence` lets, and the page says so.
"""

import zlib
from base64 import b64encode
from collections.abc import Sequence
from itertools import repeat
from operator import itemgetter
from typing import Any, NamedTuple

from pydantic_core import to_json

from auditor.display import escape
from auditor.model.finding import INCOMPLETE_RULES
from auditor.model.policy import SEVERITIES
from auditor.model.report import JudgedListener
from auditor.reporters.html_census import take_census
from auditor.reporters.html_columns import WordColumn, settle_columns, turn_rows
from auditor.reporters.html_data_beside import gather_beside
from auditor.reporters.html_data_findings import gather_findings
from auditor.reporters.html_data_listeners import gather_addresses, gather_listeners
from auditor.reporters.html_fleet import Fleet
from auditor.reporters.html_share import Share, share_evidence
from auditor.reporters.html_statuses import STATUSES
from auditor.reporters.html_waivers import suggest_expiry
from auditor.reporters.html_words import Sets, Words, spell
from auditor.reporters.rules import RULE_TEXTS

LISTENERS = 1_000_000
"""Listeners a page can carry; beyond it those that are allowed or ignored are left out, and the page says so."""
_PLAIN = 64_000
"""Bytes of JSON up to which nothing is gained by compressing."""
_TOLD = ("os", "kernel", "arch", "byte_order", "reader_netns", "host_key_trust", "kex")
_FACTS = (*_TOLD, "hostname", "privileged", "collected_at", "clock_skew_s", "ephemeral_ports", "host_key")
_NO_FACTS = (None,) * len(_FACTS)
_facts_of = itemgetter(*_FACTS)
_ERROR = ("phase", "code", "message", "hint")
_NO_ERROR = (None,) * len(_ERROR)
_error_of = itemgetter(*_ERROR)
_GAP = ("source", "reason")


class Island(NamedTuple):
    """What stands in the page's data element: its media type, and text without any `<`."""

    media_type: str
    content: str
    notes: tuple[str, ...]


def build_island(fleet: Fleet) -> Island:
    """Return the data of a fleet, ready to stand in a script element that is never run."""
    data, notes = _gather(fleet)
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


def _gather(fleet: Fleet) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the data, and what to say about what is not in it."""
    report, roll, census = fleet.report, fleet.roll, fleet.census
    brief = report.summary.listeners > LISTENERS
    listed: Sequence[Sequence[JudgedListener]] = roll.listeners
    share = share_evidence(fleet)
    if brief:
        listed = list(map(_keep_flagged, listed, census.hosts, repeat(census.flagged)))
        census = take_census(listed)
    words = Words()
    sets = Sets(words)
    addresses, places = gather_addresses(census, words)
    beside, notes = gather_beside(fleet, words, sets)
    gathered = {
        **gather_listeners(roll.coverage, listed, census, places, share, words),
        **beside,
        "hosts": _gather_hosts(fleet, listed, words, sets, share),
        "findings": gather_findings(fleet, census, words, sets),
        "gaps": turn_rows([(gap.source, gap.reason) for gaps in roll.gaps for gap in gaps], words, _GAP, _GAP),
    }
    lists = {"sets": sets.list_words(), "addresses": addresses}
    text = words.close()
    settled = settle_columns(gathered, words.settle)
    data = {
        "version": 1,
        "run": {
            "started": report.run.started_at.timestamp(),
            "expires": suggest_expiry(report.run.started_at),
            "policies": {spell(one.name): spell(one.path) for one in report.run.policies if not one.included},
        },
        "rules": {rule: text._asdict() for rule, text in RULE_TEXTS.items()},
        "open": sorted(INCOMPLETE_RULES),
        "severities": list(SEVERITIES),
        "statuses": list(STATUSES),
        "text": text,
        **settled,
        **{name: [words.settle(one) for one in some] for name, some in lists.items()},
    }
    return data, (*_note_left_out(share, len(report.hosts), brief=brief), *notes)


def _keep_flagged(
    listeners: Sequence[JudgedListener], kinds: Sequence[int], flagged: Sequence[bool]
) -> list[JudgedListener]:
    return [one for one, kind in zip(listeners, kinds, strict=True) if flagged[kind]]


def _gather_hosts(
    fleet: Fleet, listed: Sequence[Sequence[JudgedListener]], words: Words, sets: Sets, share: Share
) -> dict[str, Any]:
    roll, started = fleet.roll, fleet.report.run.started_at.timestamp()
    systems = [_NO_FACTS if system is None else _facts_of(vars(system)) for system in roll.facts]
    facts = {name: list(map(itemgetter(at), systems)) for at, name in enumerate(_FACTS)}
    errors = [_NO_ERROR if error is None else _error_of(vars(error)) for error in roll.error]
    return {
        "name": WordColumn(words.add_all(roll.name)),
        "address": WordColumn(words.add_all(roll.address)),
        "status": list(map(STATUSES.index, roll.status)),
        "full": list(map(int, fleet.full)),
        "groups": sets.add_all(roll.groups),
        "policies": sets.add_all(roll.policies),
        "labels": sets.add_all(tuple(map("=".join, labels.items())) for labels in roll.labels),
        "listeners": list(map(len, listed)),
        "heard": list(map(len, roll.listeners)),
        "findings": list(map(len, roll.findings)),
        "gaps": list(map(len, roll.gaps)),
        "coverage": list(map(len, roll.coverage)),
        "unix": list(map(len, roll.unix)),
        "exposures": list(map(len, roll.exposures)),
        **turn_rows(errors, words, ("phase", "code", "error", "hint"), ("phase", "code", "error", "hint")),
        **{name: WordColumn(words.add_all(facts[name])) for name in _TOLD},
        "namesake": [int(called == name) for called, name in zip(facts["hostname"], roll.name, strict=True)],
        "hostname": WordColumn(
            words.add_all(
                None if called == name else called for called, name in zip(facts["hostname"], roll.name, strict=True)
            )
        ),
        "root": [int(bool(privileged)) for privileged in facts["privileged"]],
        "collected": [moment and round(moment.timestamp() - started, 1) for moment in facts["collected_at"]],
        "skew": facts["clock_skew_s"],
        "ephemeral": facts["ephemeral_ports"],
        "key": [escape(key, 400) if key and at in share.hosts else 0 for at, key in enumerate(facts["host_key"])],
        "keyed": [int(bool(key)) for key in facts["host_key"]],
    }
