"""Findings in, their columns for the page's data out."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from auditor.model.finding import Finding
from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport, JudgedListener
from auditor.reporters.html_census import Census
from auditor.reporters.html_columns import Numbers, WordColumn, number_row, turn_rows
from auditor.reporters.html_place import Locator
from auditor.reporters.html_words import Sets, Words, spell

FULL_IDS = 2_000
"""Findings up to which their whole ids are in the page; beyond it the beginnings are, which still find them."""
_SHORT_ID = 10
_WAIVED = ("waiver", "reason", "owner", "expires")
_matter_of = attrgetter("rule", "severity", "message", "remediation", "controls", "origin", "waived")


def gather_findings(
    report: AuditReport, listed: Sequence[Sequence[JudgedListener]], census: Census, words: Words, sets: Sets
) -> dict[str, Any]:
    """Return the findings. What many of them share (all but id, subject and place) is a `matter`."""
    matters: Numbers = {}
    findings = [finding for host in report.hosts for finding in host.findings]
    locator = Locator(census)
    places = [
        place
        for host, listeners, kinds in zip(report.hosts, listed, census.hosts, strict=True)
        if host.findings
        for place in locator.locate(host.findings, listeners, kinds)
    ]
    news = {change.finding.id: change.kind for change in report.changes.findings} if report.changes else {}
    width = None if len(findings) <= FULL_IDS else _SHORT_ID
    return {
        "id": _pack_ids([spell(finding.id, 80)[:width] for finding in findings]),
        "matter": [number_row(matters, _key_matter(finding)) for finding in findings],
        "subject": WordColumn(words.add_all(finding.subject for finding in findings)),
        "at": [place.listener for place in places],
        "port": [place.port if place.listener < 0 else -1 for place in places],
        "proto": WordColumn(words.add_all(place.proto if place.listener < 0 else None for place in places)),
        "change": WordColumn(words.add_all(news.get(finding.id) for finding in findings)) if news else [],
        "of": _gather_matters(matters, words, sets),
    }


def _key_matter(finding: Finding) -> tuple[object, ...]:
    """Return what makes a matter; its origin as it is written, for models are slow to compare."""
    rule, severity, message, remedy, controls, origin, waived = _matter_of(finding)
    return rule, severity, message, remedy, controls, str(origin) if origin else None, waived


def _pack_ids(ids: Sequence[str]) -> dict[str, Any]:
    """Return fingerprints as bytes in base64, `digits` hex digits each; anything else as it is."""
    digits = len(ids[0]) if ids else 0
    together = "".join(ids)
    if digits % 2 == 0 and all(len(one) == digits for one in ids) and set(together) <= set("0123456789abcdef"):
        return {"digits": digits, "packed": b64encode(bytes.fromhex(together)).decode()}
    return {"list": list(ids)}


def _gather_matters(matters: Iterable[tuple[Any, ...]], words: Words, sets: Sets) -> dict[str, Any]:
    rows = [
        (
            *(rule, SEVERITIES.index(severity), message, _keep_lines(remedy), sets.add(controls)),
            *(origin, int(waived is not None)),
            *(getattr(waived, name, None) for name in _WAIVED),
        )
        for rule, severity, message, remedy, controls, origin, waived in matters
    ]
    names = ("rule", "severity", "message", "remedy", "controls", "origin", "waived", *_WAIVED)
    return turn_rows(rows, words, names, ("rule", "message", "remedy", "origin", *_WAIVED))


def _keep_lines(text: str) -> str:
    """Return a remediation with its line ends as U+2424, which spelling out leaves alone; the page splits there."""
    return text.replace("\u2424", "?").replace("\n", "\u2424")
