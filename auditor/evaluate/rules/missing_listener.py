"""`missing-listener`: nothing listens where a line says something must."""

from collections.abc import Iterable, Iterator, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.match import FAMILIES, Candidate, Line, answer_requirement, reach_of
from auditor.evaluate.owners import Answer
from auditor.evaluate.rulebook import Rulebook
from auditor.evaluate.wording import join_some, list_controls, name_binds, name_condition
from auditor.model.facts import Gap, HostFacts, Listener, Proto
from auditor.model.finding import Finding
from auditor.model.policy import Entry, Ports

_NAMESPACES = "namespaces"
_WHERE = {"host": "", "containers": " in a container's network namespace", "any": " in any network namespace"}


def find(case: Case, book: Rulebook) -> Iterable[tuple[Finding, Sequence[Ports]]]:
    """Yield one finding per port (or range) of a `required` line for which there are too few sockets.

    A listener that is there but bound too wide is not missing; it is exposed. Where the tables that would show it were
    not wholly read nothing is claimed: the host has a gap, and is incomplete for that. What may be the listener counts
    as being it here, and is a gap too (`evidence_gap`).
    """
    for line, ports, there in _find_lacking(case.facts, book.required):
        if not _is_in_doubt(case.facts, ports.proto, line.entry):
            yield _describe(case, line, ports, there), (ports,)


def find_unlooked(case: Case) -> Iterator[Gap]:
    """Yield a gap when required lines look into other network namespaces, and nobody asked the host for those.

    A host of which no table was read has a gap of its own.
    """
    looking = [line for line in case.book.required if line.entry.netns != "host"] if case.book else []
    if not looking or not case.facts.coverage or _looked_elsewhere(case.facts):
        return
    lines = [line for line, _, _ in _find_lacking(case.facts, looking)]
    if lines:
        asking = join_some(list(dict.fromkeys(f"`{line.entry.id}` ({line.entry.origin})" for line in lines)))
        verb = "requires" if len({line.entry.origin for line in lines}) == 1 else "require"
        reason = f"{asking} {verb} what may be in a container's network namespace, and none but the host's own was read"
        yield Gap(source=_NAMESPACES, reason=f"{reason}: set `namespaces: true` for the host, which takes root or sudo")


def _find_lacking(facts: HostFacts, required: Iterable[Line]) -> Iterator[tuple[Line, Ports, int]]:
    """Yield every line and ports of it for which there are too few sockets, and how many there are."""
    for line in required:
        for ports in line.entry.ports:
            there = sum(listener.sockets for listener, _ in find_required(facts, line, ports))
            if there < line.entry.at_least:
                yield line, ports, there


def _looked_elsewhere(facts: HostFacts) -> bool:
    """Return whether other network namespaces were asked for. What of them was not read then is a gap of its own."""
    return _NAMESPACES in {*(table.source for table in facts.coverage), *(gap.source for gap in facts.gaps)}


def find_required(facts: HostFacts, line: Line, ports: Ports) -> Iterator[tuple[Listener, Answer]]:
    """Yield the listeners that are, or may be, what a required line asks for.

    They may be where their owners are not seen, and where only IPv4 will do: `::` takes that too, or does not.
    """
    candidate = Candidate(line, FAMILIES if ports.family is None else frozenset({ports.family}))
    for listener in facts.listeners:
        if listener.proto == ports.proto and ports.first <= listener.port <= ports.last:
            answer = answer_requirement(candidate, reach_of(listener))
            if answer != "no":
                yield listener, "unknown" if ports.family == "ipv4" and listener.family == "ipv6" else answer


def _is_in_doubt(facts: HostFacts, proto: Proto, entry: Entry) -> bool:
    """Return whether a gap touches what `entry` asks of `proto`; one that is about no table at all touches every one.

    Other namespaces that were not read matter only to a line that looks there.
    """
    if entry.netns != "host" and not _looked_elsewhere(facts):
        return True
    own = {proto, f"{proto}6"} if entry.netns == "host" else {proto, f"{proto}6", _NAMESPACES}
    others = {source.source for source in facts.coverage} - own
    return any(gap.source not in others for gap in facts.gaps)


def _describe(case: Case, line: Line, ports: Ports, there: int) -> Finding:
    entry = line.entry
    binds = name_binds(entry)
    where = (f" on {binds}" if entry.bind else "") + _WHERE[entry.netns]
    why = f": {entry.reason}" if entry.reason else ""
    return Finding(
        id=fingerprint(Identity("missing-listener", case.host.name, entry.netns, ports.proto, binds, str(ports))),
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
