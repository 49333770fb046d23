"""`--baseline OLD`: a run held against an earlier one."""

from pathlib import Path

from auditor.cli.report import load_saved
from auditor.errors import EvidenceError, UsageError
from auditor.model.policy import Severity
from auditor.model.report import AuditReport, judge_news, list_failing


def choose_baseline(path: Path | None, only_new: bool) -> AuditReport | None:
    """Return the report to compare with. Raises UsageError, and EvidenceError for a run that did not see everything.

    What an incomplete run missed would pass for new, or worse, hide what it could not see.
    """
    if path is None:
        if only_new:
            raise UsageError("--fail-on-new needs an earlier report", "name it with --baseline REPORT")
        return None
    report = load_saved(path)
    missing = report.summary.hosts.total - report.fully_audited
    if report.run.partial or missing:
        why = "was interrupted" if report.run.partial else f"did not fully audit {missing} of its hosts"
        raise EvidenceError(
            f"{path} cannot be a baseline: that run {why}", "take a run that audited every host completely"
        )
    return report


def compare_with(
    report: AuditReport, baseline: AuditReport, fail_on: Severity, *, strict: bool, only_new: bool
) -> AuditReport:
    """Return `report` with what changed since `baseline` and, with `only_new`, judged by what is new."""
    from auditor.diff import diff

    changed = report.model_copy(update={"changes": diff(baseline, report)})
    return judge_news(changed, list_failing(baseline, fail_on), fail_on, strict) if only_new else changed
