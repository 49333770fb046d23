"""The rules as the HTML reports explain them, and what each found."""

from collections import Counter
from typing import NamedTuple

from auditor.model.finding import INCOMPLETE_RULES, RULES, RuleId
from auditor.reporters.html_matters import Matters
from auditor.reporters.rules import RULE_TEXTS, RuleText


class RuleRow(NamedTuple):
    """One rule, and its findings in this report: open ones, waived ones, and on how many hosts."""

    rule: RuleId
    text: RuleText
    undecided: bool
    open: int | None
    waived: int | None
    hosts: int | None
    controls: tuple[str, ...]


def build_rules(matters: Matters, *, measured: bool) -> tuple[RuleRow, ...]:
    """Return every rule with None where nothing could be measured."""
    open_, waived = Counter[str](), Counter[str]()
    controls: dict[str, set[str]] = {}
    for kind, number in matters.tally.items():
        matter = matters.kinds[kind]
        (waived if matter.waived else open_)[matter.rule] += number
        controls.setdefault(matter.rule, set()).update(matter.controls)
    rules = [matter.rule for matter in matters.kinds]
    hosts = Counter(rule for kinds in matters.hosts for rule in set(map(rules.__getitem__, kinds)))
    rows = []
    for rule in RULES:
        known = measured or rule in INCOMPLETE_RULES
        rows.append(
            RuleRow(
                rule=rule,
                text=RULE_TEXTS[rule],
                undecided=rule in INCOMPLETE_RULES,
                open=open_[rule] if known else None,
                waived=waived[rule] if known else None,
                hosts=hosts[rule] if known else None,
                controls=tuple(sorted(controls.get(rule, ()))),
            )
        )
    return tuple(rows)
