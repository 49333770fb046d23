"""AuditReport in, why a run ended with its exit code, and what would change it, out."""

from auditor.display import escape
from auditor.model.report import AuditReport

_MEANINGS: dict[int, tuple[str, str]] = {
    0: ("every host was audited completely, and nothing at or above --fail-on was found", "nothing: this is a pass"),
    1: (
        "something at or above --fail-on was found",
        "fix it, allow it in a policy with a reason, or waive it until a date; a higher --fail-on only looks away",
    ),
    3: (
        "nothing failing was found, but not everything could be looked at",
        "make the hosts below reachable and readable; what is not known is never a pass",
    ),
    130: ("the run was interrupted (SIGINT)", "run it again to the end"),
    143: ("the run was ended (SIGTERM)", "run it again to the end"),
}
_NOTHING = (
    "there was no host to audit, and --allow-empty lets that pass",
    "name hosts in the inventory, or choose others with --limit: nothing is known of any",
)
_ORDER = (
    "If several hold, the first of 130 and 143, 5, 2, 4, 1, 3, 0 is the exit code; the JSON report has every reason."
)
_MOST = 10


def explain_exit(report: AuditReport) -> str:
    """Return the explanation as lines of text, with a newline at the end."""
    meaning, remedy = _MEANINGS.get(report.exit.code, ("see the table in `netaudit --help`", ""))
    if report.exit.code == 0 and not report.hosts:
        meaning, remedy = _NOTHING
    lines = [f"why exit {report.exit.code}: {meaning}"]
    lines += [f"  because: {escape(reason)}" for reason in report.exit.reasons]
    lines += [f"  {line}" for line in _name_hosts(report)]
    findings = report.summary.findings
    if findings.waived:
        lines.append(f"  not counted: {findings.waived} waived")
    if remedy:
        lines.append(f"  to change it: {remedy}")
    return "".join(f"{line}\n" for line in (*lines, f"  {_ORDER}"))


def _name_hosts(report: AuditReport) -> list[str]:
    """Return the hosts that stand in the way of a pass, the first of each status."""
    lines: list[str] = []
    for status in ("violating", "incomplete", "unreachable"):
        names = [escape(host.name) for host in report.hosts if host.status == status]
        if names:
            more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
            lines.append(f"{status}: {', '.join(names[:_MOST])}{more}")
    return lines
