"""Ports that lead elsewhere without a socket (NAT, IPVS) in, findings out.

An exposure is judged like a listener that takes every address the rule does, and that no process holds: the kernel
passes its packets on. A range is judged once for each stretch of it that the same lines name. A deny line speaks
always, everything else where a policy says `exposures: warn` or `deny`. The rules are those of listeners:
`forbidden-listener`, `unexpected-listener`, `exposed-listener`, `wrong-owner`. Where a policy says `deny`, not to have
read them is a gap.
"""

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import islice
from typing import NamedTuple

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome, judge_listener
from auditor.evaluate.rulebook import Rulebook
from auditor.evaluate.wording import join_some, list_controls, name_claim
from auditor.model.address import Scope, classify_scope
from auditor.model.facts import Exposure, Gap, HostFacts, Listener, Proto
from auditor.model.finding import Finding
from auditor.model.policy import Severity, severity_rank

_PROTOS: tuple[Proto, ...] = ("tcp", "udp", "udplite", "sctp")
_MOST = 20_000
"""Stretches judged on one host; a host writes its own rules, and must not cost more than that."""


class JudgedExposure(NamedTuple):
    """A finding about an exposure, and the listeners it stands for, as far as they are at fault."""

    finding: Finding
    listeners: tuple[Listener, ...]


def judge_exposures(case: Case, book: Rulebook) -> Iterator[JudgedExposure]:
    """Yield one finding for each exposure that the policies object to, or that is one too many to be judged."""
    left = _MOST
    for exposure in dict.fromkeys(case.facts.exposures):
        listeners = list(islice(_stand_in(exposure, book), left + 1))
        left -= len(listeners)
        unjudged = _as_listener(exposure, "raw", 0)
        outcomes = [judge_listener(book, listener) for listener in listeners] if left >= 0 else []
        faults = [outcome for outcome in outcomes if _is_fault(outcome, book)]
        if not outcomes and (left < 0 or book.unlisted["exposures"].default != "ignore"):
            faults = [Outcome(unjudged, "unexpected", "unexpected-listener")]
        if faults:
            worst = max(faults, key=lambda outcome: severity_rank(_severity(outcome, book)))
            yield JudgedExposure(_describe(case, book, exposure, worst), tuple(outcome.listener for outcome in faults))


def find_unread(case: Case) -> Iterator[Gap]:
    """Yield a gap when a policy says `exposures: deny`, and which ports NAT leads elsewhere was not read whole.

    `warn` informs of what is seen, and makes no host incomplete. IPVS that was not read whole is a gap for everybody.
    """
    asking = [policy for policy in case.book.policies if policy.exposures == "deny"] if case.book else []
    doubt = _doubt_nat(case.facts)
    if asking and doubt:
        places = join_some([f"`exposures: deny` ({policy.place_of('exposures')})" for policy in asking])
        verb = "asks" if len(asking) == 1 else "ask"
        yield Gap(
            source="exposures",
            reason=f"which ports NAT leads elsewhere was not read ({doubt}), and {places} {verb} for it",
        )


def _doubt_nat(facts: HostFacts) -> str:
    """Return why not all that NAT does on the host is known; nothing where it is, or the host has no NAT."""
    if facts.system.reader_netns == "other":
        return "nat is another network namespace's"
    for source in facts.coverage:
        if source.source == "nat" and source.status not in {"ok", "absent"}:
            return f"nat is {source.status}"
        if source.source == "nat" and source.rejected:
            return "nat has lines that were not understood"
    return ""


def _stand_in(exposure: Exposure, book: Rulebook) -> Iterator[Listener]:
    """Yield a listener for each stretch of ports that the same lines name; none for a protocol no line can name."""
    first = exposure.port if exposure.port is not None else 1
    last = exposure.last_port or (first if exposure.port is not None else 65535)
    for proto in _PROTOS if exposure.proto == "any" else [one for one in _PROTOS if one == exposure.proto]:
        indexes = book.deny, book.allow, book.waivers.index
        for port in sorted({first, *(cut for index in indexes for cut in index.cuts(proto, first, last))}):
            yield _as_listener(exposure, proto, port)


def _as_listener(exposure: Exposure, proto: Proto, port: int) -> Listener:
    address = exposure.address or ("0.0.0.0" if exposure.family == "ipv4" else "::")  # noqa: S104 - judged, never bound
    return Listener(
        proto=proto,
        family=exposure.family,
        address=address,
        port=port,
        scope=_scope_of(address),
        dual_stack=None if exposure.address or exposure.family == "ipv4" else "no" if exposure.family else "yes",
        owner_status="kernel",
        raw=exposure.raw,
    )


def _scope_of(address: str) -> Scope:
    """Return the scope; a network, which no address is, reaches as far as any."""
    try:
        return classify_scope(ip_address(address))
    except ValueError:
        return "global"


def _is_fault(outcome: Outcome, book: Rulebook) -> bool:
    if outcome.verdict == "denied":
        return True
    return outcome.verdict != "allowed" and book.unlisted["exposures"].default != "ignore"


def _severity(outcome: Outcome, book: Rulebook) -> Severity:
    ruling = book.unlisted["exposures"]
    if outcome.verdict == "denied":
        return outcome.severity
    if ruling.default == "warn":
        return "info"
    return outcome.line.severity if outcome.line is not None else ruling.policy.severity


def _describe(case: Case, book: Rulebook, exposure: Exposure, worst: Outcome) -> Finding:
    rule = worst.rule or "unexpected-listener"
    line, ruling = worst.line, book.unlisted["exposures"]
    where = _name_place(exposure)
    identity = Identity(rule, case.host.name, exposure.source, exposure.proto, exposure.address or "any", where)
    return Finding(
        id=fingerprint(identity),
        rule=rule,
        severity=_severity(worst, book),
        subject=f"{where} to {exposure.target} ({exposure.source})",
        message=f"{where} leads to {exposure.target} without a socket, and {_say_why(book, worst)}",
        remediation="Stop publishing it; or, if it may be reached, allow its port (with `owner: kernel` nothing else).",
        controls=list_controls(line) if line is not None else ruling.policy.controls,
        origin=line.entry.origin if line is not None else ruling.origin,
    )


def _name_place(exposure: Exposure) -> str:
    span = "every port" if exposure.port is None else str(exposure.port)
    ports = f"{span}-{exposure.last_port}" if exposure.last_port else span
    return f"{ports}/{exposure.proto}{f' on {exposure.address}' if exposure.address else ''}"


def _say_why(book: Rulebook, worst: Outcome) -> str:
    if worst.line is None:
        ruling = book.unlisted["exposures"]
        if ruling.default == "ignore":
            return "there are too many such rules for all to be judged"
        return f"no policy line allows all of it; {ruling.policy.name} has `exposures: {ruling.default}`"
    entry = worst.line.entry
    verb = "forbids" if worst.verdict == "denied" else "allows only"
    return f"{worst.line.policy.name} {verb} {name_claim(entry)} (`{entry.id}`)"
