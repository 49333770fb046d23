"""One host before and after in, its findings that differ out."""

from collections.abc import Iterator, Mapping

from auditor.diff.resolution import Resolution
from auditor.model.delta import FindingChange, FindingChangeKind
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.report import HostReport


def compare_findings(
    old: HostReport | None, new: HostReport | None, paths: Mapping[str, str]
) -> Iterator[FindingChange]:
    """Yield the findings that are new, gone, or rated otherwise; None: the host is not in that report.

    A finding is resolved only where what it is about was looked at, on the same machine and by the policy that found
    it; else it is no longer observable, and nobody knows. `paths` are the files of the old run's policies, by name.
    What makes a host incomplete is said of the host, not here.
    """
    before, after = _by_id(old), _by_id(new)
    for key, finding in after.items():
        was = before.get(key)
        if was is None and new is not None:
            yield FindingChange(kind="new", host=new.name, finding=finding)
        elif was is not None and new is not None and (was.severity, was.waived) != (finding.severity, finding.waived):
            yield FindingChange(kind="changed", host=new.name, finding=finding, before=was)
    gone = [finding for key, finding in before.items() if key not in after]
    if old is not None and gone:
        resolution = Resolution(old, new, paths)
        for finding in gone:
            reason = resolution.doubt(finding)
            kind: FindingChangeKind = "unobservable" if reason else "resolved"
            yield FindingChange(kind=kind, host=old.name, finding=finding, reason=reason)


def _by_id(host: HostReport | None) -> dict[str, Finding]:
    found = host.findings if host else ()
    return {finding.id: finding for finding in found if finding.rule not in INCOMPLETE_RULES}
