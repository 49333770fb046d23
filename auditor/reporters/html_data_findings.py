"""Findings in, their columns for the page's data out."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

from auditor.model.policy import SEVERITIES
from auditor.reporters.html_census import Census
from auditor.reporters.html_columns import WordColumn, turn_rows
from auditor.reporters.html_fleet import Fleet
from auditor.reporters.html_matters import Matter
from auditor.reporters.html_place import Locator
from auditor.reporters.html_words import Sets, Words, spell_all

FULL_IDS = 2_000
"""Findings up to which their whole ids are in the page; beyond it the beginnings are, which still find them."""
_SHORT_ID = 10
_WAIVED = {"waiver": "waiver", "reason": "why", "owner": "owner", "expires": "expires"}
"""Columns that tell of a waiver, and where they come from."""


def gather_findings(fleet: Fleet, census: Census, words: Words, sets: Sets) -> dict[str, Any]:
    """Return the findings. What many of them share (all but id, subject and place) is a `matter`.

    `census` is of the listeners that are listed.
    """
    report, matters = fleet.report, fleet.matters
    undecided = [matter.undecided for matter in matters.kinds]
    locator = Locator(census)
    places = [
        place
        for at, (kinds, subjects) in enumerate(zip(matters.hosts, matters.subjects, strict=True))
        if kinds
        for place in locator.locate(
            at, [None if undecided[kind] else subject for kind, subject in zip(kinds, subjects, strict=True)]
        )
    ]
    news = {change.finding.id: change.kind for change in report.changes.findings} if report.changes else {}
    width = None if len(matters.ids) <= FULL_IDS else _SHORT_ID
    return {
        "id": _pack_ids([one[:width] for one in spell_all(matters.ids, 80)]),
        "matter": list(chain.from_iterable(matters.hosts)),
        "subject": WordColumn(words.add_all(chain.from_iterable(matters.subjects))),
        "at": [place.listener for place in places],
        "port": [place.port if place.listener < 0 else -1 for place in places],
        "proto": WordColumn(words.add_all(place.proto if place.listener < 0 else None for place in places)),
        "change": WordColumn(words.add_all(map(news.get, matters.ids))) if news else [],
        "of": _gather_matters(matters.kinds, words, sets),
    }


def _pack_ids(ids: Sequence[str]) -> dict[str, Any]:
    """Return fingerprints as bytes in base64, `digits` hex digits each; anything else as it is."""
    digits = len(ids[0]) if ids else 0
    together = "".join(ids)
    if digits % 2 == 0 and all(len(one) == digits for one in ids) and set(together) <= set("0123456789abcdef"):
        return {"digits": digits, "packed": b64encode(bytes.fromhex(together)).decode()}
    return {"list": list(ids)}


def _gather_matters(kinds: Iterable[Matter], words: Words, sets: Sets) -> dict[str, Any]:
    rows = [
        (
            *(one.rule, SEVERITIES.index(one.severity), one.message, _keep_lines(one.remediation)),
            *(sets.add(one.controls), one.origin, int(one.waived is not None)),
            *(getattr(one.waived, name, None) for name in _WAIVED.values()),
        )
        for one in kinds
    ]
    names = ("rule", "severity", "message", "remedy", "controls", "origin", "waived", *_WAIVED)
    return turn_rows(rows, words, names, ("rule", "message", "remedy", "origin", *_WAIVED))


def _keep_lines(text: str) -> str:
    """Return a remediation with its line ends as U+2424, which spelling out leaves alone; the page splits there."""
    return text.replace("\u2424", "?").replace("\n", "\u2424")
