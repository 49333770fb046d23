"""One host before and after in, its findings that differ out."""

from collections.abc import Iterator

from auditor.model.delta import FindingChange
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.report import HostReport


def compare_findings(old: HostReport | None, new: HostReport | None) -> Iterator[FindingChange]:
    """Yield the findings that are new, gone, or rated otherwise; None: the host is not in that report.

    A finding is resolved only on a host that was audited wholly and no longer has it. On one that was not reached, not
    read in full, covered by no policy or left out of the run, it is no longer observable: nobody knows.
    What makes a host incomplete is said of the host, not here.
    """
    before, after = _by_id(old), _by_id(new)
    sure = new is not None and new.fully_audited
    for key, finding in after.items():
        was = before.get(key)
        if was is None and new is not None:
            yield FindingChange(kind="new", host=new.name, finding=finding)
        elif was is not None and new is not None and (was.severity, was.waived) != (finding.severity, finding.waived):
            yield FindingChange(kind="changed", host=new.name, finding=finding, before=was)
    for key, finding in before.items():
        if key not in after and old is not None:
            yield FindingChange(kind="resolved" if sure else "unobservable", host=old.name, finding=finding)


def _by_id(host: HostReport | None) -> dict[str, Finding]:
    found = host.findings if host else ()
    return {finding.id: finding for finding in found if finding.rule not in INCOMPLETE_RULES}
