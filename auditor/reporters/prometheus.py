"""AuditReport in, Prometheus text format out, for the textfile collector of node_exporter.

No time stamps, as that collector asks, and no label for ports: a series for each would be too many. A count of 0 is
only said of hosts that were fully audited; of the others what was found is counted, and what was not has no series. Of
a fleet of which no host was read nothing is counted at all.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import NamedTuple, get_args

from auditor.display import escape
from auditor.model.finding import INCOMPLETE_RULES
from auditor.model.host import HostKeyTrust
from auditor.model.policy import SEVERITIES
from auditor.model.report import AuditReport, HostReport, HostStatus, Summary, Verdict
from auditor.reporters.fold import list_sightings

HORIZONS = (7, 30, 90)
"""Days within which waivers run out, each counting the shorter ones too."""


class _Sample(NamedTuple):
    labels: dict[str, str]
    value: float


class _Metric(NamedTuple):
    """A gauge: what it is, and its samples."""

    name: str
    help: str
    samples: list[_Sample]


def render(report: AuditReport) -> bytes:
    """Return the metrics. Equal reports give equal bytes."""
    return "".join(_write(metric) for metric in (*_list_fleet(report), *_list_hosts(report))).encode()


def _list_fleet(report: AuditReport) -> Iterator[_Metric]:
    hosts = report.summary.hosts
    finished = report.run.finished_at
    moment = finished if finished.tzinfo else finished.replace(tzinfo=UTC)
    yield _one("run_timestamp_seconds", "When the run ended, in seconds since 1970.", moment.timestamp())
    yield _one("exit_code", "The exit code: 0 is a pass, 1 a fail, 3 incomplete.", report.exit.code)
    verdicts = [_Sample({"verdict": word}, word == report.verdict) for word in get_args(Verdict)]
    yield _Metric("netaudit_verdict", "1 for the verdict of the run.", verdicts)
    statuses = [_Sample({"status": word}, getattr(hosts, word)) for word in get_args(HostStatus)]
    yield _Metric("netaudit_hosts", "Hosts by status.", statuses)
    yield _one("coverage_ratio", "The part of the hosts that was fully audited; NaN: not known.", _cover(report))
    read = any(host.facts is not None for host in report.hosts)
    if read:
        yield from _count_fleet(report.summary)
    trust = Counter(host.facts.host_key_trust for host in report.hosts if host.facts is not None)
    keys = [_Sample({"trust": word}, trust[word]) for word in get_args(HostKeyTrust)]
    yield _Metric("netaudit_host_keys", "Hosts by why their SSH key was believed; ignored: it was not looked at.", keys)
    if read:
        left = _count_days_left(report, moment)
        expiring = [_Sample({"days": str(days)}, sum(0 <= each <= days for each in left)) for days in HORIZONS]
        yield _Metric("netaudit_waivers_expiring", "Waivers in use that end within so many days.", expiring)


def _count_fleet(summary: Summary) -> Iterator[_Metric]:
    levels = [_Sample({"severity": level}, getattr(summary.findings, level)) for level in SEVERITIES]
    yield _Metric("netaudit_fleet_findings", "Findings that are not waived, on all hosts that were audited.", levels)
    yield _one("findings_waived", "Findings that a waiver covers.", summary.findings.waived)
    yield _one("listeners", "Listeners on all hosts that were audited.", summary.listeners)


def _cover(report: AuditReport) -> float:
    """Return the part of the hosts that was fully audited; those that are missing count. Of none: not known."""
    total = report.asked
    all_known = report.run.chosen is not None or not report.run.partial
    known = total and (all_known or report.fully_audited < total)
    return report.fully_audited / total if known else float("nan")


def _list_hosts(report: AuditReport) -> Iterator[_Metric]:
    up = [_Sample({"host": host.name}, host.error is None) for host in report.hosts]
    yield _Metric("netaudit_host_up", "1 for a host that could be reached and read.", up)
    audited = [_Sample({"host": host.name}, host.fully_audited) for host in report.hosts]
    yield _Metric("netaudit_host_fully_audited", "1 for a host of which everything needed was read.", audited)
    counts = [sample for host in report.hosts for sample in _count_findings(host)]
    yield _Metric("netaudit_findings", "Findings that are not waived; no series where that is not known.", counts)


def _count_findings(host: HostReport) -> Iterator[_Sample]:
    decided = (finding for finding in host.findings if finding.rule not in INCOMPLETE_RULES)
    counts = Counter(finding.severity for finding in decided if finding.waived is None)
    for level in SEVERITIES:
        if counts[level] or host.fully_audited:
            yield _Sample({"host": host.name, "severity": level}, counts[level])


def _count_days_left(report: AuditReport, moment: datetime) -> list[int]:
    """Return for each waiver in use the days until it ends; a date that is none is left out."""
    ends = {each.finding.waived for each in list_sightings(report, incomplete=False) if each.finding.waived}
    days: list[int] = []
    for _waiver, expires in {(each.waiver, each.expires) for each in ends}:
        try:
            days.append((date.fromisoformat(expires) - moment.astimezone(UTC).date()).days)
        except ValueError:
            continue
    return days


def _one(name: str, description: str, value: float) -> _Metric:
    return _Metric(f"netaudit_{name}", description, [_Sample({}, value)])


def _write(metric: _Metric) -> str:
    rows = [f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} gauge\n"]
    for labels, value in metric.samples:
        listed = ",".join(f'{name}="{_quote(text)}"' for name, text in labels.items())
        rows.append(f"{metric.name}{f'{{{listed}}}' if listed else ''} {_spell(value)}\n")
    return "".join(rows)


def _quote(text: str) -> str:
    """Return a label value: backslash, quote and newline are escaped; `escape` has already spelled newlines out."""
    return escape(text).replace("\\", "\\\\").replace('"', '\\"')


def _spell(value: float) -> str:
    return "NaN" if value != value else str(int(value)) if float(value).is_integer() else repr(float(value))  # noqa: PLR0124 - only NaN differs from itself
