"""AuditReport in, SARIF 2.1.0 out, within the limits of GitHub code scanning and GitLab.

One run. A result stands at the line of the policy (or inventory) that decided, since a port on a host has no line. Its
fingerprint is the finding's id, so it survives edits. Waived findings are suppressed results; what could not be audited
is a notification, never a result. GitHub rejects a file of more than 25,000 results and shows 5,000: above that, like
findings of several hosts share a result that names them.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from re import sub
from typing import Any

from auditor.display import escape
from auditor.model.finding import INCOMPLETE_RULES, RULES, Finding, RuleId
from auditor.model.policy import SEVERITIES, Severity
from auditor.model.report import AuditReport
from auditor.reporters.fold import Key, Sighting, fold, list_hosts, list_sightings, rank_sightings
from auditor.reporters.inert import write_json
from auditor.reporters.place import locate
from auditor.reporters.rules import RULE_TEXTS, title_rule

MOST_RESULTS = 5_000
"""GitHub shows this many of a file's results."""
MOST_NOTIFICATIONS = 1_000
MOST_TAGS = 20
LONGEST = 1_024
"""Characters GitHub takes of a rule's descriptions; used for every text of ours."""
_HOSTS = 50
_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS: dict[Severity, str] = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "note",
    "info": "note",
}
# GitHub's ranges: over 9.0 critical, 7.0 to 8.9 high, 4.0 to 6.9 medium, 0.1 to 3.9 low. Info is no security alert.
_SCORES: dict[Severity, str | None] = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": None}
_RANKS: dict[Severity, float] = {"critical": 95.0, "high": 80.0, "medium": 55.0, "low": 20.0, "info": 1.0}
_RuleKey = tuple[RuleId, Severity]


def render(report: AuditReport) -> bytes:
    """Return the report as one SARIF log. Equal reports give equal bytes."""
    sightings = rank_sightings(list_sightings(report, incomplete=False))
    groups = fold(sightings, _LADDER, MOST_RESULTS)
    rules = _list_rules(sightings)
    run = {
        "tool": {"driver": _describe_tool(report, sightings, rules)},
        "automationDetails": {"id": _text(f"netaudit/{report.run.id}")},
        "columnKind": "unicodeCodePoints",
        "invocations": [_describe_invocation(report)],
        "results": [
            _describe_result(group, report, rules[_rule_key(group[0])], _fingerprint(key, group))
            for key, group in groups.items()
        ],
    }
    return write_json({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}) + b"\n"


def _by_finding(sighting: Sighting) -> tuple[str, ...]:
    return sighting.host.name, sighting.finding.id


def _by_subject(sighting: Sighting) -> tuple[str, ...]:
    return *_by_file(sighting), sighting.finding.subject


def _by_file(sighting: Sighting) -> tuple[str, ...]:
    finding = sighting.finding
    return *_by_rule(sighting), finding.origin.file if finding.origin else ""


def _by_rule(sighting: Sighting) -> tuple[str, ...]:
    finding = sighting.finding
    return finding.rule, finding.severity, finding.waived.waiver if finding.waived else ""


_LADDER: tuple[Key, ...] = (_by_finding, _by_subject, _by_file, _by_rule)
"""From each finding by itself to one result for each rule; none depends on a line, so fingerprints last."""


def _text(text: str, limit: int = LONGEST) -> str:
    """Return text for a message: SARIF §3.11.5 and §3.11.6 give `{0}` and `[text](target)` a meaning in plain text."""
    shown = escape(text, limit) or "—"
    return sub(r"\{(\d+)}", r"{{\1}}", shown).replace("](", "\\](")


def _list_rules(sightings: Iterable[Sighting]) -> dict[_RuleKey, int]:
    """Return every (rule, severity) that occurs, numbered: GitHub rates a result by its rule only."""
    found = {_rule_key(each) for each in sightings}
    ordered = sorted(found, key=lambda key: (RULES.index(key[0]), SEVERITIES.index(key[1])))
    return {key: number for number, key in enumerate(ordered)}


def _rule_key(sighting: Sighting) -> _RuleKey:
    return sighting.finding.rule, sighting.finding.severity


def _describe_tool(report: AuditReport, sightings: Sequence[Sighting], rules: dict[_RuleKey, int]) -> dict[str, Any]:
    controls: dict[_RuleKey, set[str]] = {}
    for each in sightings:
        controls.setdefault(_rule_key(each), set()).update(each.finding.controls)
    return {
        "name": "netaudit",
        "version": _text(report.generator.version),
        "rules": [_describe_rule(*key, controls[key]) for key in rules],
        "notifications": [{"id": rule, **_describe_texts(rule)} for rule in RULES if rule in INCOMPLETE_RULES],
    }


def _describe_rule(rule: RuleId, severity: Severity, controls: set[str]) -> dict[str, Any]:
    score = _SCORES[severity]
    own = ["security", "network", rule] if score else ["network", rule]
    tags = list(dict.fromkeys([*own, *(escape(control, 100) or "—" for control in sorted(controls))]))
    return {
        "id": _name_rule(rule, severity),
        **_describe_texts(rule),
        "defaultConfiguration": {"level": _LEVELS[severity]},
        "properties": {
            "tags": tags[:MOST_TAGS],
            "precision": "very-high",
            **({"security-severity": score} if score else {}),
        },
    }


def _describe_texts(rule: RuleId) -> dict[str, Any]:
    texts = RULE_TEXTS[rule]
    return {
        "name": title_rule(rule).title().replace(" ", ""),
        "shortDescription": {"text": title_rule(rule)},
        "fullDescription": {"text": texts.meaning},
        "help": {"text": texts.help},
    }


def _name_rule(rule: RuleId, severity: Severity) -> str:
    return f"{rule}/{severity}"


def _describe_result(
    group: Sequence[Sighting], report: AuditReport, rule_index: int, fingerprint: str
) -> dict[str, Any]:
    host, finding = group[0]
    waived = finding.waived
    hosts = len({each.host.name for each in group})
    owner = escape(host.name, LONGEST) or "—"
    return {
        "ruleId": _name_rule(finding.rule, finding.severity),
        "ruleIndex": rule_index,
        "level": _LEVELS[finding.severity],
        "rank": _RANKS[finding.severity],
        "message": {"text": _say_result(group)},
        "locations": [
            {
                "physicalLocation": _locate(finding, report),
                "logicalLocations": [{"name": owner, "fullyQualifiedName": owner, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:1"},
        "suppressions": [
            {
                "kind": "external",
                "status": "accepted",
                "justification": _text(f"{waived.why} (waiver {waived.waiver}, {waived.owner}, {waived.expires})"),
            }
        ]
        if waived
        else [],
        "properties": {"hosts": hosts, "findings": len(group)},
    }


def _say_result(group: Sequence[Sighting]) -> str:
    finding = group[0].finding
    subjects = len({each.finding.subject for each in group})
    if len(group) == 1:
        return f"{_text(f'{finding.subject} on {group[0].host.name}: {finding.message}')}\n{_text(finding.remediation)}"
    what = f"{finding.subject}: {finding.message}" if subjects == 1 else f"{len(group)} findings ({finding.rule})"
    hosts = len({each.host.name for each in group})
    return f"{_text(what)}\nOn {hosts} hosts: {_text(list_hosts(group, _HOSTS))}"


def _fingerprint(key: tuple[str, ...], group: Sequence[Sighting]) -> str:
    """Return what GitHub knows an alert by: the finding's id, or a digest of what a folded group has in common."""
    finding = group[0].finding
    if key == _by_finding(group[0]):
        return finding.id
    return sha256("|".join(key).encode(errors="surrogatepass")).hexdigest()[:32]


def _locate(finding: Finding, report: AuditReport) -> dict[str, Any]:
    place = locate(finding.origin, report)
    return {
        "artifactLocation": {"uri": place.uri},
        "region": {
            "startLine": place.line,
            "startColumn": place.column,
            "endLine": place.line,
            "endColumn": place.column + 1,
        },
    }


def _describe_invocation(report: AuditReport) -> dict[str, Any]:
    lacking = list(list_sightings(report, incomplete=True))
    notes = [_describe_notification(each, report) for each in lacking[:MOST_NOTIFICATIONS]]
    if len(lacking) > MOST_NOTIFICATIONS:
        more = len(lacking) - MOST_NOTIFICATIONS
        notes.append({"level": "error", "message": {"text": f"{more} more; the JSON report has them all"}})
    whole = report.fully_audited == report.summary.hosts.total and not report.run.partial
    return {
        "executionSuccessful": whole,
        "exitCode": report.exit.code,
        "exitCodeDescription": _text("; ".join(report.exit.reasons)),
        "startTimeUtc": _spell_time(report.run.started_at),
        "endTimeUtc": _spell_time(report.run.finished_at),
        "toolExecutionNotifications": notes,
    }


def _describe_notification(sighting: Sighting, report: AuditReport) -> dict[str, Any]:
    host, finding = sighting
    return {
        "level": "error" if finding.rule == "unreachable" else "warning",
        "descriptor": {"id": finding.rule},
        "message": {"text": _text(f"{host.name}: {finding.message}")},
        "locations": [{"physicalLocation": _locate(finding, report)}],
    }


def _spell_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC) if moment.tzinfo else moment:%Y-%m-%dT%H:%M:%SZ}"
