"""`netaudit policy test`: a policy folder's own cases, as its continuous integration runs them."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from auditor.display import escape

if TYPE_CHECKING:
    from auditor.cases import Case, Coverage, Difference, Said
    from auditor.cases.compare import Entries
    from auditor.model.finding import Finding
    from auditor.model.origin import Origin
    from auditor.model.policy import Entry, PolicySet
    from auditor.model.report import JudgedListener, Judgement


def try_cases(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The folder of the policies; their cases stand in its folder `tests`.")
    ],
    cover: Annotated[
        bool, typer.Option("--cover", help="Fail, too, when an entry lacks a passing or a failing case.")
    ] = False,
) -> int:
    """Try the cases beside the policies. Exit 0: all as written; 1: a case differs; 2: a file is wrong."""
    from auditor.cases import Coverage, find_cases, load_cases
    from auditor.cli.boundary import say_exit
    from auditor.cli.clock import read_clock
    from auditor.policies import load_policies

    now = read_clock()
    policies = load_policies([folder], now.date())
    cases = load_cases(find_cases(folder), policies)
    coverage = Coverage([entry for policy in policies.policies for entry in (*policy.allow, *policy.deny)])
    differing = 0
    for case in cases:
        differences = try_case(case, policies, coverage, now)
        differing += bool(differences)
        _print_case(case, differences)
    lacking = coverage.list_lacking()
    covered, total = len(coverage.entries) - len(lacking), len(coverage.entries)
    as_written = f"{len(cases) - differing} of {len(cases)} cases as written"
    print(f"{as_written}; {covered} of {total} entries shown from both sides")
    for entry, what in lacking:
        print(f"  {escape(str(entry.origin))}: {entry.action} {escape(entry.id)}: {what}")
    if differing:
        return say_exit(1, [f"{differing} of {len(cases)} cases differ"])
    if cover and lacking:
        return say_exit(1, [f"{len(lacking)} of {total} entries are not shown from both sides"])
    return say_exit(0, [as_written])


def try_case(case: "Case", policies: "PolicySet", coverage: "Coverage", now: datetime) -> "tuple[Difference, ...]":
    """Judge one case and return how it differs; `coverage` learns what it showed, of each policy alone as well."""
    from auditor.cases import compare_case
    from auditor.evaluate import evaluate
    from auditor.model.policy import PolicySet

    entries = group_entries(coverage.entries)
    at = case.at or now
    judgement = evaluate(case.host, case.facts, policies, at)
    said = link_findings(case, judgement)
    coverage.note(judgement.policies, said, judgement.findings, entries)
    for policy in policies.policies:
        if policy.name in judgement.policies:
            alone = evaluate(case.host, case.facts, PolicySet(policies=(policy,)), at)
            coverage.note(alone.policies, link_findings(case, alone), alone.findings, entries)
    return compare_case(case, said, judgement.findings, entries)


def group_entries(entries: "Sequence[Entry]") -> "Entries":
    """Return the entries by where they are written."""
    grouped: dict[Origin, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.origin, []).append(entry)
    return grouped


def link_findings(case: "Case", judgement: "Judgement") -> "list[Said]":
    """Return each listener with the finding about it; a finding's id says which listeners it is about."""
    from auditor.cases import Said

    by_id = {finding.id: finding for finding in judgement.findings}
    linked = ((one, _find(case.host.name, one, by_id)) for one in judgement.listeners)
    return [
        Said(listener=one, rule=found.rule if found else None, message=found.message if found else "")
        for one, found in linked
    ]


def _find(host: str, listener: "JudgedListener", by_id: "dict[str, Finding]") -> "Finding | None":
    from auditor.cases.case import LISTENER_RULES
    from auditor.evaluate.fingerprint import Identity, fingerprint

    if listener.verdict in ("allowed", "ignored"):
        return None
    for rule in LISTENER_RULES:
        identity = Identity(rule, host, listener.netns, listener.proto, listener.scope, str(listener.port))
        if finding := by_id.get(fingerprint(identity)):
            return finding
    return None


def _print_case(case: "Case", differences: "Sequence[Difference]") -> None:
    print(f"{'FAIL' if differences else 'ok  '}  {escape(case.name)}")
    for difference in differences:
        for row in str(difference).split("\n"):
            print(f"      {escape(row)}")
