"""Findings for the HTML report: worst first, each with its remedy and, where there is one, lines ready to paste."""

from hashlib import sha256
from itertools import chain, islice
from operator import itemgetter
from typing import NamedTuple

from auditor.model.finding import INCOMPLETE_RULES, Finding, Waived
from auditor.model.policy import SEVERITIES, severity_rank
from auditor.model.report import AuditReport, HostReport
from auditor.reporters.html_fleet import Fleet
from auditor.reporters.html_matters import Matter

PER_HOST = 40
"""Findings shown of one host in a list of the worst: one noisy or hostile host must not bury the others."""

_PLACES = {severity: -severity_rank(severity) for severity in SEVERITIES}


class FindingRow(NamedTuple):
    """One finding as it is shown. `level` is the severity, or `waived`."""

    id: str
    level: str
    severity: str
    rank: int
    rule: str
    host: str
    anchor: str
    subject: str
    message: str
    remedy: str
    snippet: tuple[str, ...]
    controls: tuple[str, ...]
    origin: str | None
    waived: Waived | None


class Findings(NamedTuple):
    """What is shown, of how many: `noisy` names hosts of which only some are."""

    rows: tuple[FindingRow, ...]
    total: int
    noisy: tuple[str, ...]

    @property
    def hidden(self) -> int:
        return self.total - len(self.rows)


def list_findings(report: AuditReport) -> list[FindingRow]:
    """Return every finding that severity decides, worst first and waived last; what is not known stands elsewhere."""
    rows = [_row(host, one) for host in report.hosts for one in host.findings if one.rule not in INCOMPLETE_RULES]
    rows.sort(key=lambda row: (row.waived is not None, -row.rank))
    return rows


def build_findings(fleet: Fleet, most: int) -> Findings:
    """Return the `most` worst findings, worst first and waived last."""
    ranks = [None if matter.undecided else _worst(matter) for matter in fleet.matters.kinds]
    picked: dict[int, list[tuple[HostReport, Finding]]] = {
        rank: [] for rank in sorted({rank for rank in ranks if rank is not None})
    }
    noisy: list[str] = []
    total = 0
    for host, findings, kinds in zip(fleet.report.hosts, fleet.roll.findings, fleet.matters.hosts, strict=True):
        ranked = zip(map(ranks.__getitem__, kinds), findings, strict=True)
        counted = [(rank, finding) for rank, finding in ranked if rank is not None]
        total += len(counted)
        if len(counted) > PER_HOST:
            noisy.append(host.name)
            counted.sort(key=itemgetter(0))
        for rank, finding in counted[:PER_HOST]:
            if len(picked[rank]) < most:
                picked[rank].append((host, finding))
    rows = tuple(_row(host, finding) for host, finding in islice(chain.from_iterable(picked.values()), most))
    return Findings(rows=rows, total=total, noisy=tuple(noisy[:most]))


def anchor_host(name: str) -> str:
    """Return the id of a host on the page: its name where that is a plain word, else a digest of it."""
    plain = name.isascii() and len(name) <= 80 and all(char.isalnum() or char in "._-" for char in name)
    return f"host-{name}" if plain else f"host-{sha256(name.encode(errors='surrogatepass')).hexdigest()[:16]}"


def split_remedy(remediation: str) -> tuple[str, tuple[str, ...]]:
    """Return the sentence and the lines to paste: a remediation's first line is prose, what follows is a snippet."""
    prose, _, rest = remediation.partition("\n")
    return prose.strip(), tuple(rest.strip("\n").split("\n")) if rest.strip() else ()


def _worst(matter: Matter) -> int:
    return _PLACES[matter.severity] + (len(_PLACES) if matter.waived else 0)


def _row(host: HostReport, finding: Finding) -> FindingRow:
    remedy, snippet = split_remedy(finding.remediation)
    return FindingRow(
        id=finding.id,
        level="waived" if finding.waived else finding.severity,
        severity=finding.severity,
        rank=severity_rank(finding.severity),
        rule=finding.rule,
        host=host.name,
        anchor=anchor_host(host.name),
        subject=finding.subject,
        message=finding.message,
        remedy=remedy,
        snippet=snippet,
        controls=finding.controls,
        origin=str(finding.origin) if finding.origin else None,
        waived=finding.waived,
    )
