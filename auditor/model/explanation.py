"""Why a listener is judged as it is: everything that was asked, and each answer."""

from typing import Literal

from auditor.model.finding import Finding
from auditor.model.origin import Origin
from auditor.model.report import JudgedListener
from auditor.model.value import Value

Answer = Literal["yes", "no", "unknown"]


class Reason(Value):
    """One thing that was asked, and the answer."""

    answer: Answer
    words: str


class ConsideredPolicy(Value):
    """A policy, and whether it applies to the host."""

    policy: str
    applies: bool
    reasons: tuple[Reason, ...]
    origin: Origin


class TriedLine(Value):
    """An allow or deny line that names the listener's port, or comes nearest to it, and what became of it."""

    policy: str
    entry: str
    action: Literal["allow", "deny"]
    claim: str
    result: str
    reasons: tuple[Reason, ...]
    origin: Origin


class TriedWaiver(Value):
    """A waiver, and whether it covers what was found."""

    waiver: str
    covers: bool
    reasons: tuple[Reason, ...]
    origin: Origin


class Explanation(Value):
    """One listener on one host. `others` counts the lines that name other ports.

    `decoded` says what the kernel's line means, `conclusion` why the verdict is what it is.
    """

    host: str
    listener: JudgedListener
    decoded: tuple[str, ...]
    policies: tuple[ConsideredPolicy, ...]
    lines: tuple[TriedLine, ...]
    others: int
    waivers: tuple[TriedWaiver, ...]
    conclusion: str
    findings: tuple[Finding, ...]
