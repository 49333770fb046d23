"""`evidence-gap`: something about the host could not be known, so it cannot be called compliant."""

from collections import Counter
from collections.abc import Iterable

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.model.finding import Finding


def find(case: Case) -> Iterable[Finding]:
    """Yield one finding per gap; several of one source are told apart by their order, as reasons may hold counts."""
    seen: Counter[str] = Counter()
    for gap in sorted(set(case.facts.gaps), key=lambda gap: (gap.source, gap.reason)):
        seen[gap.source] += 1
        yield Finding(
            id=fingerprint(Identity("evidence-gap", case.host.name, scope=gap.source, port=str(seen[gap.source]))),
            rule="evidence-gap",
            severity="high",
            subject=gap.source,
            message=gap.reason,
            remediation="Make it readable for the audit's user on that host, and audit it again.",
            origin=case.host.origin,
        )
