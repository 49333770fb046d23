"""`missing-listener`: nothing listens where a line says something must."""

from collections.abc import Iterable

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.match import FAMILIES, Candidate, Line, reach_of, touch
from auditor.evaluate.wording import list_controls, name_binds
from auditor.model.facts import HostFacts, Proto
from auditor.model.finding import Finding
from auditor.model.policy import Ports


def find(case: Case) -> Iterable[Finding]:
    """Yield one finding per port (or range) of a `required` line that no listener of the host's own netns is on.

    A listener that is there but bound too wide is not missing; it is exposed. Where the tables that would show it were
    not wholly read nothing is claimed: the host has a gap, and is incomplete for that.
    """
    for line in case.book.required if case.book else ():
        for ports in line.entry.ports:
            if not _is_there(case.facts, line, ports) and not _is_in_doubt(case.facts, ports.proto):
                yield _describe(case, line, ports)


def _is_there(facts: HostFacts, line: Line, ports: Ports) -> bool:
    candidate = Candidate(line, FAMILIES if ports.family is None else frozenset({ports.family}))
    return any(
        listener.proto == ports.proto
        and ports.first <= listener.port <= ports.last
        and listener.netns == "host"
        and touch(candidate, reach_of(listener))
        for listener in facts.listeners
    )


def _is_in_doubt(facts: HostFacts, proto: Proto) -> bool:
    """Return whether a gap touches the tables of `proto`; one that is about no table at all touches every one."""
    others = {source.source for source in facts.coverage} - {proto, f"{proto}6"}
    return any(gap.source not in others for gap in facts.gaps)


def _describe(case: Case, line: Line, ports: Ports) -> Finding:
    entry = line.entry
    binds = name_binds(entry)
    where = f" on {binds}" if entry.bind else ""
    why = f": {entry.reason}" if entry.reason else ""
    return Finding(
        id=fingerprint(Identity("missing-listener", case.host.name, "host", ports.proto, binds, str(ports))),
        rule="missing-listener",
        severity=line.severity,
        subject=f"{ports} ({entry.service})" if entry.service else str(ports),
        message=f"nothing listens on {ports}{where}, and {line.policy.name} requires it{why}",
        remediation=entry.remediation
        or f"Start the service; or, if it is not needed there, take `required` from `{entry.id}` ({entry.origin}).",
        controls=list_controls(line),
        origin=entry.origin,
    )
