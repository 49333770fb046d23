"""Findings and the rules that make them."""

from typing import Literal, get_args

from auditor.model.origin import Origin
from auditor.model.policy import Severity
from auditor.model.value import Value

RuleId = Literal[
    "unexpected-listener",
    "forbidden-listener",
    "missing-listener",
    "exposed-listener",
    "wrong-owner",
    "service-name-conflict",
    "connection-states",
    "accept-queue",
    "expired-waiver",
    "evidence-gap",
    "no-policy",
    "unreachable",
]
RULES: tuple[RuleId, ...] = get_args(RuleId)
INCOMPLETE_RULES: frozenset[RuleId] = frozenset({"evidence-gap", "no-policy", "unreachable"})
"""Rules that make a host incomplete or unreachable; their severity decides nothing and they cannot be waived."""


class Waived(Value):
    """The waiver that covers a finding; `expires` is the last day (ISO 8601) it does, to its end in UTC."""

    waiver: str
    reason: str
    owner: str
    expires: str
    ticket: str = ""
    origin: Origin | None = None

    @property
    def why(self) -> str:
        """The reason, and the ticket in which it can be looked up: `migration (OPS-17)`."""
        return f"{self.reason} ({self.ticket})" if self.ticket else self.reason


class Finding(Value):
    """One thing wrong on one host.

    `id` is 32 hex digits: a fingerprint of (rule, host, netns, proto, scope, port), so it survives edits of the
    policy, restarts and renumbered sockets. `subject` is what it is about (`tcp 0.0.0.0:23 and [::]:23`); `origin` the
    line of the policy (or inventory) that decided.
    """

    id: str
    rule: RuleId
    severity: Severity
    subject: str
    message: str
    remediation: str = ""
    controls: tuple[str, ...] = ()
    origin: Origin | None = None
    waived: Waived | None = None
