"""`accept-queue`: more connections wait at a listener than a policy allows."""

from collections.abc import Iterable, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.rulebook import Bounding, Rulebook
from auditor.evaluate.wording import count, name_listeners, name_port
from auditor.model.facts import Listener
from auditor.model.finding import Finding


def find(case: Case, book: Rulebook) -> Iterable[tuple[Finding, Sequence[Listener]]]:
    """Yield one finding per bound and port that exceeds it, with the listeners it is about.

    The IPv4 and the IPv6 row of a service are one matter, and the longer queue counts; sockets that share an address
    and port (SO_REUSEPORT) are counted together.
    """
    for bounding in book.bounds:
        if bounding.bound.state is None:
            twins: dict[Identity, list[Listener]] = {}
            for listener in case.facts.listeners:
                if (listener.pending_accepts or 0) > bounding.bound.most:
                    twins.setdefault(_identify(case.host.name, listener), []).append(listener)
            for identity, listeners in twins.items():
                yield _describe(identity, bounding, listeners), listeners


def _identify(host: str, seen: Listener) -> Identity:
    return Identity("accept-queue", host, seen.netns, seen.proto, seen.scope, str(seen.port))


def _describe(identity: Identity, bounding: Bounding, listeners: Sequence[Listener]) -> Finding:
    bound = bounding.bound
    most = max(listener.pending_accepts or 0 for listener in listeners)
    wait = "waits" if most == 1 else "wait"
    why = f": {bound.reason}" if bound.reason else ""
    allowed = f"{bounding.policy.name} allows {bound.most}"
    return Finding(
        id=fingerprint(identity),
        rule="accept-queue",
        severity=bounding.severity,
        subject=name_listeners(listeners),
        message=f"{count(most, 'connection')} {wait} to be accepted on {name_port(listeners[0])}, and {allowed}{why}",
        remediation=bound.remediation
        or "See why the program does not accept them: it is stuck, it has too few workers, or it is flooded.",
        controls=bounding.policy.controls,
        origin=bound.origin,
    )
