"""AuditReport in, JUnit XML out, as GitLab and Jenkins read it.

A test case is a finding, or a host without any. Violations are failures, what could not be audited is an error, waived
findings are skipped; findings of severity info pass, with what they say as output. What else the exit code is about
(hosts that are missing, problems in the policies) is one case more, so that all is green only where it is 0. The class
name is `netaudit.GROUP.HOST`, which Jenkins splits at the dots, so those of a name become `_`. GitLab reads less than
30 MB and 250,000 XML objects of a file and drops repeated names: above that, like cases share one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from html import escape as escape_markup
from re import compile as compile_pattern
from typing import Literal, NamedTuple

from auditor.display import escape
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.report import AuditReport, HostReport
from auditor.reporters.fold import Sighting, group_by, list_hosts, list_sightings
from auditor.reporters.place import locate

MOST_BYTES = 29_000_000
MOST_OBJECTS = 240_000
_OBJECTS = 7
"""The least a finding takes of them."""
_HOSTS = 50
_SHORT, _LONG = 300, 2_000
_NOT_XML = compile_pattern("[\ufffe\uffff]")
"""Not characters of XML 1.0 (§2.2); the others that are not were spelled out by `escape`."""
Outcome = Literal["failure", "error", "skipped", "passed"]


class _Case(NamedTuple):
    """One test case: `type` and `message` and `text` say what happened, '' where it passed without a word."""

    class_name: str
    name: str
    outcome: Outcome
    type: str = ""
    message: str = ""
    text: str = ""
    file: str = ""


def render(report: AuditReport) -> bytes:
    """Return the report as one XML document. Equal reports give equal bytes."""
    document = ""
    for level in range(len(_LADDER)):
        groups = _group(report, level)
        if len(groups) * _OBJECTS > MOST_OBJECTS and level + 1 < len(_LADDER):
            continue
        document = "".join(_write(report, _tell_apart(_list_cases(report, level, groups))))
        # Markup is escaped inside text, so these count tags and attributes: never fewer than XML objects.
        if document.count(">") + document.count('="') <= MOST_OBJECTS and len(document.encode()) <= MOST_BYTES:
            break
    return document.encode()


def _name_fleet(_host: HostReport) -> tuple[str, ...]:
    return ("fleet",)


def _name_group(host: HostReport) -> tuple[str, ...]:
    return (host.groups[0] if host.groups else "ungrouped",)


def _name_host(host: HostReport) -> tuple[str, ...]:
    return *_name_group(host), host.name


_LADDER = (_name_host, _name_host, _name_group, _name_fleet)
"""Whose cases share a class: each host's (each finding a case, then each rule), each group's, or all."""


def _group(report: AuditReport, level: int) -> list[list[Sighting]]:
    """Return the sightings that share a case, the cases of a class together."""
    scope = _LADDER[level]

    def key(each: Sighting) -> tuple[str, ...]:
        one = (each.finding.id,) if level == 0 else ()
        return *scope(each.host), each.finding.rule, _judge(each.finding), *one

    found = [*list_sightings(report, incomplete=False), *list_sightings(report, incomplete=True)]
    found.sort(key=lambda each: scope(each.host))
    return list(group_by(found, key).values())


def _list_cases(report: AuditReport, level: int, groups: Iterable[Sequence[Sighting]]) -> Iterator[_Case]:
    scope = _LADDER[level]
    for group in groups:
        yield _describe(group, report, _name_class(scope(group[0].host)))
    silent = Counter((scope(host), host.fully_audited) for host in report.hosts if not host.findings)
    for (owner, audited), hosts in silent.items():
        name = "nothing found" if audited else "not fully audited"
        shown = name if level < 2 else f"{name} on {hosts} hosts"
        yield _Case(_name_class(owner), shown, "passed" if audited else "error", message="" if audited else shown)
    if report.unsaid:
        outcome: Outcome = "failure" if report.verdict == "fail" else "error"
        why = "; ".join(report.unsaid)
        message, text = escape(why, _SHORT), escape(why, _LONG)
        yield _Case("netaudit", "the run as a whole", outcome, "run", message, text, locate(None, report).path)


def _name_class(parts: Iterable[str]) -> str:
    return ".".join(["netaudit", *(escape(part, _SHORT).replace(".", "_") for part in parts)])


def _judge(finding: Finding) -> Outcome:
    if finding.rule in INCOMPLETE_RULES:
        return "error"
    if finding.waived is not None:
        return "skipped"
    return "passed" if finding.severity == "info" else "failure"


def _describe(group: Sequence[Sighting], report: AuditReport, class_name: str) -> _Case:
    host, finding = group[0]
    alone = len(group) == 1
    waived = finding.waived
    rest = f"{len(group)} findings on {list_hosts(group, _HOSTS)}"
    message = f"{finding.subject}: {finding.message}" if alone else rest
    if waived:
        message = f"waived until {waived.expires} by {waived.owner}: {waived.why}"
    subjects = dict.fromkeys(each.finding.subject for each in group)
    body = _tell(host, finding) if alone else [rest, *list(subjects)[:_HOSTS]]
    return _Case(
        class_name,
        escape(f"{finding.rule} {finding.subject}" if alone else finding.rule, _SHORT),
        _judge(finding),
        finding.rule,
        escape(message, _SHORT),
        "\n".join(escape(line, _LONG) for line in body),
        locate(finding.origin, report).path,
    )


def _tell(host: HostReport, finding: Finding) -> list[str]:
    """Return what a reader of the failure needs, as lines; GitLab shows this text and not the message."""
    lines = [f"{finding.severity} {finding.rule} on {host.name} ({host.address})", finding.subject, finding.message]
    if finding.remediation:
        lines += finding.remediation.split("\n")
    if finding.controls:
        lines.append(f"controls: {', '.join(finding.controls)}")
    if finding.origin:
        lines.append(f"decided by: {finding.origin}")
    return [*lines, f"finding: {finding.id}"]


def _tell_apart(cases: Iterable[_Case]) -> Iterator[_Case]:
    """Yield the cases under names that are unique in their class."""
    seen: Counter[tuple[str, str]] = Counter()
    for case in cases:
        seen[case.class_name, case.name] += 1
        times = seen[case.class_name, case.name]
        yield case if times == 1 else case._replace(name=f"{case.name} ({times})")


def _write(report: AuditReport, cases: Iterable[_Case]) -> Iterator[str]:
    """Yield the document in the order all readers take: properties, then cases."""
    written = list(cases)
    counts = Counter(case.outcome for case in written)
    run = report.run
    sums = _attributes(
        tests=str(len(written)),
        failures=str(counts["failure"]),
        errors=str(counts["error"]),
        skipped=str(counts["skipped"]),
        time=f"{(run.finished_at - run.started_at).total_seconds():.3f}",
    )
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites{_attributes(name="netaudit")}{sums}>\n'
    moment = _attributes(timestamp=f"{run.started_at:%Y-%m-%dT%H:%M:%S}")
    yield f"<testsuite{_attributes(name='netaudit')}{sums}{moment}>\n"
    properties = {"run": run.id, "verdict": report.verdict, "exit": "; ".join(report.exit.reasons)}
    yield "<properties>\n"
    for name, value in properties.items():
        yield f"<property{_attributes(name=name, value=escape(value, _LONG))}/>\n"
    yield "</properties>\n"
    for case in written:
        yield _write_case(case)
    yield "</testsuite>\n</testsuites>\n"


def _write_case(case: _Case) -> str:
    shown = _attributes(classname=case.class_name, name=case.name)
    if case.outcome == "passed" and not case.text:
        return f"<testcase{shown}/>\n"
    file = _attributes(file=case.file)
    if case.outcome == "passed":
        return f"<testcase{shown}{file}><system-out>{_markup(case.text)}</system-out></testcase>\n"
    detail = (
        _attributes(message=case.message)
        if case.outcome == "skipped"
        else _attributes(message=case.message, type=case.type)
    )
    return f"<testcase{shown}{file}><{case.outcome}{detail}>{_markup(case.text)}</{case.outcome}></testcase>\n"


def _attributes(**values: str) -> str:
    return "".join(f' {name}="{_markup(value)}"' for name, value in values.items())


def _markup(text: str) -> str:
    return escape_markup(_NOT_XML.sub(lambda match: f"\\u{ord(match.group()):04x}", text))
