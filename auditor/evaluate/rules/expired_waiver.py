"""`expired-waiver`: a waiver would cover a finding, and its last day is over."""

from collections.abc import Sequence

from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.wording import join_some, join_words
from auditor.model.finding import Finding
from auditor.model.host import Host
from auditor.model.policy import Waiver, severity_rank


def describe(host: Host, waiver: Waiver, about: Sequence[Finding]) -> Finding:
    """Return the finding about a waiver that ended: as bad as the worst of those it would cover, `about`."""
    worst = max(about, key=lambda finding: severity_rank(finding.severity))
    subjects = join_some([f"{finding.rule} {finding.subject}" for finding in about])
    agreed = ", ".join(filter(None, (waiver.owner, waiver.ticket)))
    return Finding(
        id=fingerprint(Identity("expired-waiver", host.name, scope=waiver.id, port=waiver.origin.file)),
        rule="expired-waiver",
        severity=worst.severity,
        subject=f"{waiver.id} ({join_words(list(waiver.rules))})",
        message=f"the waiver ended on {waiver.expires} ({agreed}: {waiver.reason}), and there is still {subjects}",
        remediation="Do what the waiver was to give time for; or renew it, with a new date and the reason for that.",
        controls=worst.controls,
        origin=waiver.origin,
    )
