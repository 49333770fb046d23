"""Findings in, what they say once and each host's as numbers out: what the HTML reports count and list of them.

As with listeners (html_census.py), a fleet's findings say a few hundred different things, hosts and places aside.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from operator import itemgetter
from typing import Any, NamedTuple

from auditor.model.finding import INCOMPLETE_RULES, Finding, RuleId, Waived
from auditor.model.policy import Severity
from auditor.reporters.html_numbers import Numbers

_said_in = itemgetter("rule", "severity", "message", "remediation", "controls", "waived")
_origin_of = itemgetter("origin")
_place_of = itemgetter("file", "line")
_NO_ORIGIN = {"file": None, "line": None}
_id_of = itemgetter("id")
_subject_of = itemgetter("subject")
Row = tuple[Any, ...]


class Matter(NamedTuple):
    """All that a finding says but its id, its host and its subject; its origin as it is written."""

    rule: RuleId
    severity: Severity
    message: str
    remediation: str
    controls: tuple[str, ...]
    waived: Waived | None
    origin: str | None

    @property
    def undecided(self) -> bool:
        """Whether it is something that could not be known, which severity does not decide."""
        return self.rule in INCOMPLETE_RULES


class Matters(NamedTuple):
    """Every different matter, in the order in which they come; `hosts` has for each host those of its findings.

    `tally` counts the findings of each; `ids` are those of all, `subjects` theirs by host.
    """

    kinds: tuple[Matter, ...]
    hosts: tuple[Sequence[int], ...]
    tally: Counter[int]
    ids: Sequence[str]
    subjects: tuple[Sequence[str], ...]


def take_matters(hosts: Iterable[Sequence[Finding]]) -> Matters:
    """Return what the findings of some hosts say."""
    numbers: Numbers[tuple[Row, Row]] = Numbers()
    counted: list[list[int]] = []
    ids: list[str] = []
    subjects: list[list[str]] = []
    for findings in hosts:
        fields = list(map(vars, findings))
        places = map(_place_of, map(getattr, map(_origin_of, fields), repeat("__dict__"), repeat(_NO_ORIGIN)))
        counted.append(numbers.add_all(zip(map(_said_in, fields), places, strict=True)))
        ids += map(_id_of, fields)
        subjects.append(list(map(_subject_of, fields)))
    return Matters(
        kinds=tuple(Matter._make((*said, _spell_origin(*place))) for said, place in numbers),
        hosts=tuple(counted),
        tally=Counter(chain.from_iterable(counted)),
        ids=ids,
        subjects=tuple(subjects),
    )


def _spell_origin(file: object, line: object) -> str | None:
    """Return what str() makes of an Origin; None for none."""
    return None if file is None else f"{file}:{line}"
