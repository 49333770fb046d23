"""`missing-listener`: nothing listens where a line says something must."""

from collections.abc import Iterable, Iterator, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.match import FAMILIES, Candidate, Line, answer_requirement, reach_of
from auditor.evaluate.owners import Answer
from auditor.evaluate.rulebook import Rulebook
from auditor.evaluate.wording import list_controls, name_binds, name_condition
from auditor.model.facts import HostFacts, Listener, Proto
from auditor.model.finding import Finding
from auditor.model.policy import Entry, Ports


def find(case: Case, book: Rulebook) -> Iterable[tuple[Finding, Sequence[Ports]]]:
    """Yield one finding per port (or range) of a `required` line for which there are too few sockets.

    A listener that is there but bound too wide is not missing; it is exposed. Where the tables that would show it were
    not wholly read nothing is claimed: the host has a gap, and is incomplete for that. Who holds it and is not seen
    counts as being the right one here, and is a gap too (`evidence_gap`).
    """
    for line in book.required:
        for ports in line.entry.ports:
            there = sum(listener.sockets for listener, _ in find_required(case.facts, line, ports))
            if there < line.entry.at_least and not _is_in_doubt(case.facts, ports.proto, line.entry):
                yield _describe(case, line, ports, there), (ports,)


def find_required(facts: HostFacts, line: Line, ports: Ports) -> Iterator[tuple[Listener, Answer]]:
    """Yield the listeners that are, or for want of seeing their owners may be, what a required line asks for."""
    candidate = Candidate(line, FAMILIES if ports.family is None else frozenset({ports.family}))
    for listener in facts.listeners:
        if listener.proto == ports.proto and ports.first <= listener.port <= ports.last:
            answer = answer_requirement(candidate, reach_of(listener))
            if answer != "no":
                yield listener, answer


def _is_in_doubt(facts: HostFacts, proto: Proto, entry: Entry) -> bool:
    """Return whether a gap touches what `entry` asks of `proto`; one that is about no table at all touches every one.

    Other namespaces that were not read matter only to a line that looks there.
    """
    own = {proto, f"{proto}6"} if entry.netns == "host" else {proto, f"{proto}6", "namespaces"}
    others = {source.source for source in facts.coverage} - own
    return any(gap.source not in others for gap in facts.gaps)


def _describe(case: Case, line: Line, ports: Ports, there: int) -> Finding:
    entry = line.entry
    binds = name_binds(entry)
    where = f" on {binds}" if entry.bind else ""
    why = f": {entry.reason}" if entry.reason else ""
    return Finding(
        id=fingerprint(Identity("missing-listener", case.host.name, "host", ports.proto, binds, str(ports))),
        rule="missing-listener",
        severity=line.severity,
        subject=f"{ports} ({entry.service})" if entry.service else str(ports),
        message=f"{_say_found(entry, ports, there)}{where}, and {line.policy.name} requires {_say_asked(entry)}{why}",
        remediation=entry.remediation
        or f"Start the service; or, if it is not needed there, take `required` from `{entry.id}` ({entry.origin}).",
        controls=list_controls(line),
        origin=entry.origin,
    )


def _say_found(entry: Entry, ports: Ports, there: int) -> str:
    by = f" by {name_condition(entry.owner)}" if entry.owner else ""
    if there:
        return f"{there} of {entry.at_least} sockets listen on {ports}{by}"
    return f"nothing listens on {ports}{by}"


def _say_asked(entry: Entry) -> str:
    return "it" if entry.at_least == 1 else f"{entry.at_least} sockets"
