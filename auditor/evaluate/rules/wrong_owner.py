"""`wrong-owner`: a line allows the port and the address, and somebody else holds the socket."""

from collections.abc import Sequence

from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome, worst_line
from auditor.evaluate.wording import (
    join_words,
    list_controls,
    name_condition,
    name_holders,
    name_listeners,
    name_port,
)
from auditor.model.finding import Finding
from auditor.model.value import trusted

_make_finding = trusted(Finding)


def describe(identity: Identity, twins: Sequence[Outcome]) -> Finding:
    listeners = [twin.listener for twin in twins]
    lines = tuple(dict.fromkeys(line for twin in twins for line in twin.lines))
    worst = worst_line(lines)
    conditions = dict.fromkeys(line.entry.owner for line in lines if line.entry.owner is not None)
    expected = join_words([name_condition(condition) for condition in conditions], "or")
    found = join_words(list(dict.fromkeys(name_holders(listener, tuple(conditions)) for listener in listeners)))
    return _make_finding(
        id=fingerprint(identity),
        rule="wrong-owner",
        severity=worst.severity,
        subject=name_listeners(listeners),
        message=f"{name_port(listeners[0])} is allowed for {expected}, found {found}",
        remediation=worst.entry.remediation
        or f"Find out who started it, and stop it; or, if it may hold this port, add it to `{worst.entry.id}`"
        f" ({worst.entry.origin}).",
        controls=list_controls(worst),
        origin=worst.entry.origin,
    )
