"""`exposed-listener`: a line allows the port, but not all the addresses the listener takes."""

from collections.abc import Sequence

from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome, worst_line
from auditor.evaluate.match import Line
from auditor.evaluate.wording import (
    ANYWHERE,
    join_some,
    join_words,
    list_addresses,
    list_controls,
    name_binds,
    name_listeners,
    name_port,
)
from auditor.model.facts import Listener
from auditor.model.finding import Finding
from auditor.model.value import trusted

_make_finding = trusted(Finding)


def describe(identity: Identity, twins: Sequence[Outcome]) -> Finding:
    listeners = [twin.listener for twin in twins]
    lines = tuple(dict.fromkeys(line for twin in twins for line in twin.lines))
    worst = worst_line(lines)
    port = name_port(listeners[0])
    allowed = join_words(list(dict.fromkeys(_say_allowed(line, listeners[0]) for line in lines)), "or")
    found = join_some(list_addresses(listeners))
    return _make_finding(
        id=fingerprint(identity),
        rule="exposed-listener",
        severity=worst.severity,
        subject=name_listeners(listeners),
        message=f"{port} is allowed on {allowed}, found on {found}{_say_dual(listeners)}",
        remediation=worst.entry.remediation
        or f"Bind the service to {allowed} only; or, if it may be reached there, widen `{worst.entry.id}`"
        f" ({worst.entry.origin}).",
        controls=list_controls(worst),
        origin=worst.entry.origin,
    )


def _say_allowed(line: Line, listener: Listener) -> str:
    """Return where a line allows this port: its binds, and its family when it pins one."""
    families = {
        ports.family
        for ports in line.entry.ports
        if ports.proto == listener.proto and ports.first <= listener.port <= ports.last
    }
    binds = name_binds(line.entry)
    if None in families or len(families) == 2:
        return binds
    family = "IPv4" if families == {"ipv4"} else "IPv6"
    return f"{family} only" if binds == ANYWHERE else f"{binds} over {family} only"


def _say_dual(listeners: Sequence[Listener]) -> str:
    """Return what the IPv6 wildcard adds where no IPv4 row shows it: netstat has `::`, and IPv4 comes in too."""
    if any(listener.address != "::" for listener in listeners):
        return ""
    dual = {listener.dual_stack for listener in listeners}
    if "yes" in dual:
        return " (:: may take IPv4 too)"
    return " (:: may take IPv4 too)" if dual != {"no"} else ""
