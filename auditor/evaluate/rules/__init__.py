"""The rules, one module each. To add one: write its module, name it in `model.finding.RULES`, and list it here.

A rule about listeners gets the outcomes of one finding's twins (the same port in the same scope, on IPv4 and IPv6); a
rule about ports of a policy gets the `Case` of a host, and says which ports each finding is about; a rule about queues
says which listeners; a rule about what is not known gets the `Case` too. All say what is wrong in words; whether a
listener is, was decided in `judge`.
"""

from collections.abc import Callable, Iterable, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity
from auditor.evaluate.judge import Outcome
from auditor.evaluate.rulebook import Rulebook
from auditor.evaluate.rules import (
    accept_queue,
    connection_states,
    evidence_gap,
    exposed_listener,
    forbidden_listener,
    missing_listener,
    no_policy,
    service_name_conflict,
    unexpected_listener,
    wrong_owner,
)
from auditor.model.facts import Listener
from auditor.model.finding import Finding, RuleId
from auditor.model.policy import Ports

LISTENER_RULES: dict[RuleId, Callable[[Identity, Sequence[Outcome]], Finding]] = {
    "forbidden-listener": forbidden_listener.describe,
    "unexpected-listener": unexpected_listener.describe,
    "exposed-listener": exposed_listener.describe,
    "wrong-owner": wrong_owner.describe,
}
PORT_RULES: tuple[Callable[[Case, Rulebook], Iterable[tuple[Finding, Sequence[Ports]]]], ...] = (
    missing_listener.find,
    service_name_conflict.find,
    connection_states.find,
)
QUEUE_RULES: tuple[Callable[[Case, Rulebook], Iterable[tuple[Finding, Sequence[Listener]]]], ...] = (accept_queue.find,)
HOST_RULES: tuple[Callable[[Case], Iterable[Finding]], ...] = (
    evidence_gap.find,
    no_policy.find,
)
