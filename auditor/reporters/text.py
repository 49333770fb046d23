"""AuditReport in, a summary for a terminal or a log out: worst first, nothing cut off at a width, no tables.

Only hosts that are not compliant are shown. The same finding on several hosts is said once.
"""

from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.policy import SEVERITIES, severity_rank
from auditor.model.report import AuditReport, HostReport, Verdict
from auditor.reporters.failures import group_failures
from auditor.reporters.text_layout import Line, Span, Style, count, list_some, write_lines

_REPEATED = 3
"""From this many hosts on, a finding is said once for all of them."""
_NAMES = 8
"""Hosts named under one such finding; the others are counted."""
_VERDICTS: dict[Verdict, tuple[str, Style]] = {
    "pass": ("PASS", "good"),
    "fail": ("FAIL", "critical"),
    "incomplete": ("INCOMPLETE", "medium"),
}
_UNKNOWN = "not known: no host was read"
_HONESTY = (
    "These are sockets as each host's own kernel lists them, not reachability: no firewall takes anything from here."
)
_BLANK: Line = ()
_all_but_id = itemgetter(*(name for name in Finding.model_fields if name != "id"))


class _Sighting(NamedTuple):
    """A finding and the host it is about."""

    host: HostReport
    finding: Finding


def render(report: AuditReport) -> bytes:
    """Return the summary as UTF-8 text without colour."""
    return render_text(report)


def render_text(report: AuditReport, *, color: bool = False) -> bytes:
    """Return the summary as UTF-8 text, with SGR colours if asked for. Equal reports give equal bytes."""
    parts = (
        _say_verdict(report),
        _say_violations(report),
        _say_unreachable(report),
        _say_incomplete(report),
        _say_hygiene(report),
        _say_counts(report),
    )
    lines: list[Line] = []
    for part in parts:
        block = list(part)
        lines += [_BLANK, *block] if lines and block else block
    return write_lines(lines, color=color).encode(errors="backslashreplace")


def _say_verdict(report: AuditReport) -> Iterator[Line]:
    word, style = _VERDICTS[report.verdict]
    nothing = report.verdict == "pass" and not report.hosts
    yield (
        Span(word, "faint" if nothing else style),
        Span(f"  {report.fully_audited} of {count(report.asked, 'host')} fully audited"),
    )
    for reason in report.exit.reasons:
        yield (Span(f"  {reason}"),)


def _say_violations(report: AuditReport) -> Iterator[Line]:
    """Yield what is found on many hosts, then each violating host with what is left, worst first."""
    violating = [host for host in report.hosts if host.status == "violating"]
    sightings = [
        _Sighting(host, finding)
        for host in violating
        for finding in host.findings
        if finding.rule not in INCOMPLETE_RULES
    ]
    groups = _group(sightings)
    repeated = [group for group in groups if len(group) >= _REPEATED]
    for group in sorted(repeated, key=lambda group: (_badness(group[0].finding), -len(group))):
        yield from _say_finding(group[0].finding, "")
        names = list_some((sighting.host.name for sighting in group), _NAMES)
        yield (Span(f"    on {count(len(group), 'host')}: {names}", "strong"),)
    single: dict[str, list[_Sighting]] = {}
    for group in groups:
        if len(group) < _REPEATED:
            for sighting in group:
                single.setdefault(sighting.host.name, []).append(sighting)
    for name in sorted(single, key=lambda name: (min(_badness(each.finding) for each in single[name]), name)):
        yield (Span(_name_host(single[name][0].host), "strong"),)
        for sighting in sorted(single[name], key=lambda each: _badness(each.finding)):
            yield from _say_finding(sighting.finding, "  ")


def _say_finding(finding: Finding, indent: str) -> Iterator[Line]:
    level: Style = "waived" if finding.waived else finding.severity
    yield Span(f"{indent}{level:8}", level), Span(f"  {finding.rule}  "), Span(finding.subject, "strong")
    origin = f"  [{finding.origin}]" if finding.origin else ""
    yield Span(f"{indent}    {finding.message}"), Span(origin, "faint")
    if finding.waived:
        waived = finding.waived
        yield (Span(f"{indent}    waived until {waived.expires} by {waived.owner} ({waived.waiver}): {waived.why}"),)
        return
    for line in finding.remediation.split("\n") if finding.remediation else ():
        yield (Span(f"{indent}    {line}", "faint"),)


def _say_unreachable(report: AuditReport) -> Iterator[Line]:
    """Yield the hosts that gave nothing, by why and what to do about it."""
    for group in group_failures(report):
        many = len(group.hosts) > 1
        where = count(len(group.hosts), "host")
        word = Span("wrong key  ", "critical") if group.hijacked else Span("unreachable", "medium")
        yield word, Span(f"  {group.code}", "strong"), Span(f" on {where}")
        yield (Span(f"    {'' if many else f'{_name_host(group.hosts[0])}: '}{group.message}"),)
        if many:
            yield (Span(f"    on {list_some((host.name for host in group.hosts), _NAMES)}", "strong"),)
        if group.hint:
            yield (Span(f"    {group.hint}", "faint"),)


def _say_incomplete(report: AuditReport) -> Iterator[Line]:
    """Yield why hosts were not fully audited, each reason once."""
    groups: dict[tuple[str, str, str], list[str]] = {}
    for host in report.hosts:
        for finding in host.findings:
            if host.error is None and finding.rule in INCOMPLETE_RULES:
                groups.setdefault((finding.rule, finding.subject, finding.message), []).append(host.name)
    for (rule, subject, message), names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        yield Span("incomplete ", "medium"), Span(f"  {rule}  "), Span(subject, "strong")
        yield (Span(f"    {message}"),)
        yield (Span(f"    on {count(len(names), 'host')}: {list_some(names, _NAMES)}", "strong"),)


def _say_hygiene(report: AuditReport) -> Iterator[Line]:
    for note in report.hygiene:
        yield Span(note.kind, "low"), Span(f"  {note.message}"), Span(f"  [{note.origin}]", "faint")


def _say_counts(report: AuditReport) -> Iterator[Line]:
    hosts, findings = report.summary.hosts, report.summary.findings
    yield (
        Span(
            f"hosts      {hosts.compliant} compliant, {hosts.violating} violating, {hosts.incomplete} incomplete, "
            f"{hosts.unreachable} unreachable"
        ),
    )
    levels = ", ".join(f"{getattr(findings, level)} {level}" for level in SEVERITIES)
    known = report.summary.measured
    yield (Span(f"findings   {f'{levels}, {findings.waived} waived' if known else _UNKNOWN}"),)
    yield (Span(f"listeners  {f'{report.summary.listeners}{_say_ephemeral(report)}' if known else _UNKNOWN}"),)
    exposed = [host for host in report.hosts if host.exposures]
    if exposed:
        ports = count(sum(len(host.exposures) for host in exposed), "port")
        where = count(len(exposed), "host")
        yield (Span(f"exposures  {ports} on {where} lead elsewhere without a socket (NAT, IPVS)"),)
    for earlier in report.run.resumed:
        yield (Span(f"resumed    some hosts answered an earlier run, {earlier.id}"),)
    yield (Span(_HONESTY, "faint"),)


def _say_ephemeral(report: AuditReport) -> str:
    """Return how many of the listeners no policy judges: UDP sockets that are probably clients."""
    seen = (one for host in report.hosts for one in host.listeners)
    clients = sum(one.kind == "ephemeral-udp" and one.verdict == "ignored" for one in seen)
    return f", {clients} of them ephemeral UDP (shown, not judged)" if clients else ""


def _group(sightings: Iterable[_Sighting]) -> list[list[_Sighting]]:
    """Return the sightings of equal findings together: all but the fingerprint, which names the host, is the same."""
    groups: dict[object, list[_Sighting]] = {}
    for sighting in sightings:
        groups.setdefault(_all_but_id(vars(sighting.finding)), []).append(sighting)
    return list(groups.values())


def _badness(finding: Finding) -> tuple[bool, int, str, str]:
    """Sort key: unwaived before waived, worst first."""
    return finding.waived is not None, -severity_rank(finding.severity), finding.rule, finding.subject


def _name_host(host: HostReport) -> str:
    return host.name if host.address == host.name else f"{host.name} ({host.address})"
