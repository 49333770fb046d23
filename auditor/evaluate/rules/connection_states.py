"""`connection-states`: more TCP sockets are in a state than a policy allows."""

from collections.abc import Iterable, Iterator, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.rulebook import Bounding, Rulebook
from auditor.evaluate.wording import count, join_some
from auditor.model.facts import Gap, HostFacts
from auditor.model.finding import Finding
from auditor.model.policy import Ports, TcpState

_EVERY_PORT = (Ports(proto="tcp", first=0, last=65535),)
_TABLES = ("tcp", "tcp6")
_ADVICE: dict[TcpState, str] = {
    "ESTABLISHED": "See who is connected (`netaudit netstat`), and whether connections are kept that nobody needs.",
    "SYN_SENT": "See whom the host calls: a peer is down, or a firewall on the way drops its answers.",
    "SYN_RECV": "Look for a SYN flood, and at whether the program behind the port accepts connections fast enough.",
    "FIN_WAIT1": "Peers that do not confirm have vanished, or something on the way drops their packets.",
    "FIN_WAIT2": "Peers do not close their side: see which ones, and what net.ipv4.tcp_fin_timeout says.",
    "TIME_WAIT": "Let the program keep its connections open for several requests, or let the other side close first.",
    "CLOSE": "See which program holds sockets that it does not use.",
    "CLOSE_WAIT": "The peers have closed and the program here has not: mend it to close, or restart it for now.",
    "LAST_ACK": "Peers that do not confirm have vanished, or something on the way drops their packets.",
    "LISTEN": "See which program opens so many listeners.",
    "CLOSING": "Peers that do not confirm have vanished, or something on the way drops their packets.",
}


def find(case: Case, book: Rulebook) -> Iterable[tuple[Finding, Sequence[Ports]]]:
    """Yield one finding per bound that is exceeded. Rows that were not read only make a count too low."""
    for bounding in book.bounds:
        state = bounding.bound.state
        if state is not None and count_state(case.facts, state) > bounding.bound.most:
            yield _describe(case, bounding, state), _EVERY_PORT


def find_uncounted(case: Case) -> Iterator[Gap]:
    """Yield a gap when a policy bounds a state, and rows of the tables are not known that might be in it.

    What waits to be accepted is in the same tables.
    """
    open_ones = [
        bounding.bound
        for bounding in (case.book.bounds if case.book else ())
        if bounding.bound.state is None or count_state(case.facts, bounding.bound.state) <= bounding.bound.most
    ]
    if not open_ones:
        return
    doubtful = [table for table in case.facts.coverage if table.source in _TABLES and _is_in_doubt(table.status)]
    if doubtful:
        what = join_some([f"`{bound.state or 'accept_queue'}` ({bound.origin})" for bound in open_ones])
        where = join_some([f"{table.source} is {table.status}" for table in doubtful])
        yield Gap(source="states", reason=f"not all connections were seen ({where}), and there are bounds on {what}")


def count_state(facts: HostFacts, state: TcpState) -> int:
    """Return how many TCP sockets were seen in a state, of both families, in the network namespace that was read."""
    return facts.system.states.get("tcp", {}).get(state, 0)


def _is_in_doubt(status: str) -> bool:
    return status not in {"ok", "absent"}  # that a table is absent which should be there is a gap of its own


def _describe(case: Case, bounding: Bounding, state: TcpState) -> Finding:
    bound = bounding.bound
    why = f": {bound.reason}" if bound.reason else ""
    number = count_state(case.facts, state)
    are = "is" if number == 1 else "are"
    return Finding(
        id=fingerprint(Identity("connection-states", case.host.name, "host", "tcp", state)),
        rule="connection-states",
        severity=bounding.severity,
        subject=f"tcp {state}",
        message=f"{count(number, 'socket')} {are} in {state}, and {bounding.policy.name} allows {bound.most}{why}",
        remediation=bound.remediation or _ADVICE[state],
        controls=bounding.policy.controls,
        origin=bound.origin,
    )
