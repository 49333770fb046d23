"""Two reports in, what changed between them out.

    AuditReport (old) ─┐
    AuditReport (new) ─┴─diff→ Delta

Pure. Hosts are matched by name, listeners by (netns, proto, port), findings by their fingerprint. What one side could
not see (`sight`), or not by the same rule (`resolution`), is neither closed nor resolved: it is no longer observable.
"""

from collections.abc import Iterator

from auditor.diff.caveats import doubt_host, doubt_runs
from auditor.diff.findings import compare_findings
from auditor.diff.listeners import compare_listeners
from auditor.model.delta import (
    FINDING_CHANGES,
    LISTENER_CHANGES,
    Caveat,
    Delta,
    FindingChange,
    HostChange,
    ListenerChange,
    RunRef,
)
from auditor.model.policy import severity_rank
from auditor.model.report import AuditReport, HostReport, Run

__all__ = ["diff"]


def diff(old: AuditReport, new: AuditReport) -> Delta:
    """Return what differs from `old` to `new`. Equal reports give an empty delta."""
    before = {host.name: host for host in old.hosts}
    after = {host.name: host for host in new.hosts}
    both = [(before[name], after[name]) for name in before if name in after]
    gone = [host for name, host in before.items() if name not in after]
    appeared = [host for name, host in after.items() if name not in before]
    paths = {ref.name: ref.path for ref in old.run.policies}
    findings = [change for pair in both for change in compare_findings(*pair, paths)]
    findings += [change for host in gone for change in compare_findings(host, None, paths)]
    findings += [change for host in appeared for change in compare_findings(None, host, paths)]
    caveats = [*doubt_runs(old, new), *(caveat for pair in both for caveat in doubt_host(*pair))]
    hosts = [HostChange(kind="appeared", host=host.name) for host in appeared]
    hosts += [HostChange(kind="gone", host=host.name) for host in gone]
    hosts += [change for pair in both for change in _compare_reach(*pair)]
    return Delta(
        old=_name(old.run),
        new=_name(new.run),
        hosts=tuple(sorted(hosts, key=lambda change: (change.kind, change.host))),
        listeners=tuple(sorted((change for pair in both for change in compare_listeners(*pair)), key=_place)),
        findings=tuple(sorted(findings, key=_badness)),
        caveats=tuple(sorted(caveats, key=_doubt)),
    )


def _name(run: Run) -> RunRef:
    return RunRef(id=run.id, finished_at=run.finished_at)


def _compare_reach(old: HostReport, new: HostReport) -> Iterator[HostChange]:
    if old.error is None and new.error is not None:
        yield HostChange(kind="lost", host=new.name, reason=f"{new.error.code}: {new.error.message}")
    if old.error is not None and new.error is None:
        yield HostChange(kind="regained", host=new.name)


def _place(change: ListenerChange) -> tuple[int, str, str, int, str]:
    return LISTENER_CHANGES.index(change.kind), change.host, change.netns, change.port, change.proto


def _badness(change: FindingChange) -> tuple[int, int, str, str, str]:
    finding = change.finding
    return FINDING_CHANGES.index(change.kind), -severity_rank(finding.severity), finding.rule, change.host, finding.id


def _doubt(caveat: Caveat) -> tuple[bool, str, str, str]:
    return caveat.host is not None, caveat.host or "", caveat.kind, caveat.message
