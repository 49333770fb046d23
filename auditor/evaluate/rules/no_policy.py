"""`no-policy`: no policy applies to the host, so nothing was checked there."""

from collections.abc import Iterable

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.wording import join_words
from auditor.model.finding import Finding


def find(case: Case) -> Iterable[Finding]:
    if case.book is not None:
        return
    groups = f"groups {join_words(case.host.groups)}" if case.host.groups else "no groups"
    labels = ", ".join(f"{name}={value}" for name, value in sorted(case.host.labels.items())) or "no labels"
    yield Finding(
        id=fingerprint(Identity("no-policy", case.host.name)),
        rule="no-policy",
        severity="high",
        subject="policies",
        message=f"no policy applies to this host ({groups}; {labels})",
        remediation="Name it in a policy's `applies_to`, or add a policy without one, which holds for every host.",
        origin=case.host.origin,
    )
