"""What a rule is shown: one host, what was seen there, what holds there, what was decided on each listener."""

from collections.abc import Sequence
from dataclasses import dataclass

from auditor.evaluate.judge import Outcome
from auditor.evaluate.rulebook import Rulebook
from auditor.model.facts import HostFacts, Listener
from auditor.model.host import Host


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One host before the rules. `book` None: no policy applies to it.

    `listeners` are all of the host's, in the order of the report; `outcomes` are of those that no line accepts plainly.
    """

    host: Host
    facts: HostFacts
    book: Rulebook | None
    listeners: Sequence[Listener] = ()
    outcomes: Sequence[Outcome] = ()
