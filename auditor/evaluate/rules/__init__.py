"""The rules, one module each. To add one: write its module, name it in `model.finding.RULES`, and list it here.

A rule about listeners gets the outcomes of one finding's twins (the same port in the same scope, on IPv4 and IPv6); a
rule about a host gets its `Case`. Both say what is wrong in words; whether it is wrong was decided in `judge`.
"""

from collections.abc import Callable, Iterable, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity
from auditor.evaluate.judge import Outcome
from auditor.evaluate.rules import (
    evidence_gap,
    exposed_listener,
    forbidden_listener,
    missing_listener,
    no_policy,
    service_name_conflict,
    unexpected_listener,
)
from auditor.model.finding import Finding, RuleId

LISTENER_RULES: dict[RuleId, Callable[[Identity, Sequence[Outcome]], Finding]] = {
    "forbidden-listener": forbidden_listener.describe,
    "unexpected-listener": unexpected_listener.describe,
    "exposed-listener": exposed_listener.describe,
}
HOST_RULES: tuple[Callable[[Case], Iterable[Finding]], ...] = (
    missing_listener.find,
    service_name_conflict.find,
    evidence_gap.find,
    no_policy.find,
)
