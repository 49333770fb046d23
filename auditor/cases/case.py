"""A case, ready to be tried: a host, what is seen there, and what must be said of each part of it."""

from datetime import datetime
from typing import Literal, get_args

from auditor.model.facts import HostFacts, Listener
from auditor.model.finding import RuleId
from auditor.model.host import Host
from auditor.model.origin import Origin
from auditor.model.report import JudgedListener
from auditor.model.value import Value

ListenerRule = Literal["unexpected-listener", "forbidden-listener", "exposed-listener", "wrong-owner"]
LISTENER_RULES: tuple[ListenerRule, ...] = get_args(ListenerRule)
WORDS: tuple[str, ...] = ("allowed", "ignored", "waived", "unknown", *LISTENER_RULES)
"""What a case can say of a listener."""


class Expectation(Value):
    """What must be said of one listener. `entry` None: whichever entry decides; it may be written `policy/id`."""

    listener: Listener
    word: str
    entry: str | None = None
    origin: Origin

    def __str__(self) -> str:
        return f"{self.word} {self.entry}" if self.entry else self.word


class ExpectedFinding(Value):
    """A finding that is not about a listener. `detail` None: whatever it is about."""

    rule: RuleId
    detail: str | None = None
    origin: Origin

    def __str__(self) -> str:
        return f"{self.rule} {self.detail}" if self.detail else self.rule


class Case(Value):
    """One case of a file. `at` None: now."""

    name: str
    host: Host
    facts: HostFacts
    at: datetime | None = None
    expectations: tuple[Expectation, ...]
    findings: tuple[ExpectedFinding, ...] = ()
    origin: Origin


class Said(Value):
    """What was said of one listener: its verdict, and the rule of the finding about it, if there is one."""

    listener: JudgedListener
    rule: RuleId | None
    message: str = ""

    @property
    def word(self) -> str:
        """The word a case uses for it."""
        if self.listener.verdict in WORDS:
            return self.listener.verdict
        return self.rule or self.listener.verdict

    def __str__(self) -> str:
        decided = self.listener.decided_by
        return f"{self.word} {decided.entry}" if decided and decided.entry else self.word
