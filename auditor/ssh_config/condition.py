"""The line of a `Host` or `Match` block in; whether it holds for a connection out.

A criterion that is not known never holds, negated or not: the block of another network must not apply by accident.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from auditor.model.origin import Origin
from auditor.ssh_config.patterns import is_literal, matches_any
from auditor.ssh_config.words import take_word

_BARE = frozenset({"all", "canonical", "final"})
_KNOWN = _BARE | {"exec", "host", "localuser", "originalhost", "user"}


class Answer(Enum):
    """What came of a condition: `ASKS_SSH` means that only ssh(1) itself could tell, `ASKS_CONSENT` that nobody
    allowed the command of its `exec`. Both count as no.
    """

    NO = 0
    YES = 1
    ASKS_SSH = 2
    ASKS_CONSENT = 3


@dataclass(frozen=True, slots=True)
class Criterion:
    """One word of a Match line with its argument."""

    name: str
    argument: str = ""
    negated: bool = False


@dataclass(frozen=True, slots=True)
class Condition:
    """A Host line (`patterns`) or a Match line (`criteria`)."""

    origin: Origin
    patterns: tuple[str, ...] = ()
    criteria: tuple[Criterion, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """The only host names for which a Host line can hold; empty when it can hold for any."""
        return self.patterns if self.patterns and all(map(is_literal, self.patterns)) else ()


class Facts(Protocol):
    """What a condition can ask of the connection so far."""

    @property
    def final(self) -> bool: ...
    def texts(self) -> Mapping[str, str]:
        """Return what the criteria that take patterns are compared with."""
        ...

    def execute(self, command: str) -> bool | None:
        """Return whether the command of a Match exec succeeds; None when it must not be run."""
        ...


def parse_criteria(text: str) -> tuple[Criterion, ...]:
    """Return the criteria of a Match line. Raises ValueError with what is wrong."""
    criteria: list[Criterion] = []
    left: str | None = text
    while left:
        word, left = take_word(left)
        if not word or word.startswith("#"):
            break
        name = word.lower().removeprefix("!")
        negated = word.startswith("!")
        if name in _BARE:
            criteria.append(Criterion(name, negated=negated))
            if name == "all":
                _check_all(criteria, left)
                break
            continue
        argument, left = take_word(left) if left is not None else (None, None)
        if not argument or argument.startswith("#"):
            raise ValueError(f"the criterion {name!r} needs an argument")
        criteria.append(Criterion(name, argument, negated))
    if not criteria:
        raise ValueError("Match needs a criterion: all, host, originalhost, user, localuser, final, canonical or exec")
    return tuple(criteria)


def _check_all(criteria: Sequence[Criterion], left: str | None) -> None:
    """Refuse `all` among others; one before it is tolerated, as in `final all`."""
    if len(criteria) > 2 or (left and not left.startswith("#")):
        raise ValueError("'all' cannot be combined with other criteria")


def holds(condition: Condition, name: str, facts: Facts) -> Answer:
    """Return whether a condition holds for the host `name`, with what is settled so far."""
    if condition.patterns:
        return Answer.YES if matches_any(name, condition.patterns) else Answer.NO
    unsure = Answer.YES
    for criterion in condition.criteria:
        answer = _judge(criterion, facts, undecided=unsure is Answer.YES)
        if answer is Answer.NO:
            return Answer.NO
        if unsure is Answer.YES:
            unsure = answer
    return unsure


def _judge(criterion: Criterion, facts: Facts, *, undecided: bool) -> Answer:
    if criterion.name not in _KNOWN:
        return Answer.ASKS_SSH
    if criterion.name == "exec":
        done = facts.execute(criterion.argument) if undecided else None
        if done is None:
            return Answer.ASKS_CONSENT
        fits = done
    elif criterion.name in _BARE:
        fits = criterion.name == "all" or facts.final
    else:
        text = facts.texts()[criterion.name]
        argument = criterion.argument
        if criterion.name in ("host", "originalhost"):
            text, argument = text.lower(), argument.lower()
        fits = matches_any(text, argument.split(","))
    return Answer.YES if fits != criterion.negated else Answer.NO
