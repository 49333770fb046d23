"""The rules as the HTML reports explain them, and what each found."""

from collections import Counter
from typing import NamedTuple

from auditor.model.finding import INCOMPLETE_RULES, RULES, RuleId
from auditor.model.report import AuditReport
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


def build_rules(report: AuditReport, *, measured: bool) -> tuple[RuleRow, ...]:
    """Return every rule with None where nothing could be measured."""
    open_, waived, hosts = Counter[str](), Counter[str](), Counter[str]()
    controls: dict[str, set[str]] = {}
    for host in report.hosts:
        for rule in {finding.rule for finding in host.findings}:
            hosts[rule] += 1
        for finding in host.findings:
            (waived if finding.waived else open_)[finding.rule] += 1
            controls.setdefault(finding.rule, set()).update(finding.controls)
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
