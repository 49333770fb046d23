"""`unexpected-listener`: a listener that no line names, where the strictest policy asks for every one to be listed."""

from collections.abc import Sequence

from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome
from auditor.evaluate.rulebook import find_switch
from auditor.evaluate.wording import NAMESPACES, name_claim, name_listeners, name_port, say_home, write_bind
from auditor.model.facts import Listener
from auditor.model.finding import Finding
from auditor.model.policy import Policy, severity_rank
from auditor.model.value import trusted

_make_finding = trusted(Finding)


def describe(identity: Identity, twins: Sequence[Outcome]) -> Finding:
    listeners = [twin.listener for twin in twins]
    decided = [(twin, twin.policy) for twin in twins if twin.policy is not None]
    worst, policy = max(decided, key=lambda pair: severity_rank(pair[0].severity))
    return _make_finding(
        id=fingerprint(identity),
        rule="unexpected-listener",
        severity=worst.severity,
        subject=name_listeners(listeners),
        message=f"no policy line allows {name_port(worst.listener)}{_say_nearest(worst)}, and "
        f"{_say_default(worst, policy)}",
        remediation=_suggest(listeners, worst.home or policy),
        controls=policy.controls,
        origin=policy.place_of(find_switch(worst.listener)),
    )


def _say_nearest(outcome: Outcome) -> str:
    """Return the line that comes nearest, in brackets: most often the reader looks for what it gets wrong."""
    if not outcome.lines:
        return ""
    entry = outcome.lines[0].entry
    own = f" in {NAMESPACES['host']}" if entry.netns == "host" != outcome.listener.netns else ""
    return f" (the nearest is `{entry.id}`, {name_claim(entry)}{own}: {entry.origin})"


def _say_default(outcome: Outcome, policy: Policy) -> str:
    switch = find_switch(outcome.listener)
    by_itself = switch == "default" and switch not in policy.written  # the others are only strict where that is written
    unwritten = ", which holds where none is written" if by_itself else ""
    return f"{policy.name} has `{switch}: {getattr(policy, switch)}`{unwritten}"


def _suggest(listeners: Sequence[Listener], home: Policy) -> str:
    first = listeners[0]
    inside = "" if first.netns == "host" else "-containers"
    scope = "" if first.scope == "wildcard" else f"-{first.scope}"
    netns = ", netns: containers" if inside else ""
    where = f"port: {name_port(first)}{netns}, bind: {write_bind(listeners)}"
    entry = f"{{id: {first.proto}-{first.port}{scope}{inside}, {where}, reason: say who needs it}}"
    return f"Stop the service; or, if it belongs there, add this under `allow:` in {say_home(home)}:\n  - {entry}"
