"""Ports that lead elsewhere without a socket (NAT, IPVS) in, findings out.

An exposure is judged like a listener that takes every address the rule does, and that no process holds: the kernel
passes its packets on. A range is judged once for each stretch of it that the same lines name. A deny line speaks
always, everything else where a policy says `exposures: warn` or `deny`. The rules are those of listeners:
`forbidden-listener`, `unexpected-listener`, `exposed-listener`, `wrong-owner`. Where a policy says `deny`, not to have
read them is a gap.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from itertools import islice
from typing import NamedTuple

from auditor.evaluate.case import Case
from auditor.evaluate.controls import add_controls
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome, judge_listener
from auditor.evaluate.rulebook import Rulebook
from auditor.evaluate.wording import ANYWHERE, join_some, list_controls, name_claim, quote_address, say_home
from auditor.model.address import Family, Scope, classify_scope
from auditor.model.facts import Exposure, ExposureSource, Gap, HostFacts, Listener, Proto
from auditor.model.finding import Finding, RuleId
from auditor.model.policy import Severity, severity_rank

_PROTOS: tuple[Proto, ...] = ("tcp", "udp", "udplite", "sctp")
_FAMILIES: dict[Family, str] = {"ipv4": "IPv4", "ipv6": "IPv6"}
_NAMED = 1000
"""Ports of an exposure that a line to paste may name; more in one line is a mistake to `policy lint` too."""
_MOST = 20_000
"""Stretches judged on one host; a host writes its own rules, and must not cost more than that."""


class JudgedExposure(NamedTuple):
    """A finding about an exposure, and the listeners it stands for, as far as they are at fault."""

    finding: Finding
    listeners: tuple[Listener, ...]


class _Fault(NamedTuple):
    """An exposure the policies object to: what was decided on its ports that are at fault, and the worst of it."""

    exposure: Exposure
    worst: Outcome
    outcomes: tuple[Outcome, ...]


class _Place(NamedTuple):
    """What one finding is about, but for the family. Targets are none of it: those of containers change."""

    rule: RuleId
    source: ExposureSource
    name: str


def judge_exposures(case: Case, book: Rulebook) -> Iterator[JudgedExposure]:
    """Yield one finding for each place the policies object to, or one too many to be judged; it names all its targets.

    Address and port over IPv4 and over IPv6 are two places: a line or a waiver may be for one of them only.
    """
    places: dict[_Place, dict[Family | None, list[_Fault]]] = {}
    for fault in _find_faults(case, book):
        seen = fault.exposure
        place = _Place(fault.worst.rule or "unexpected-listener", seen.source, _name_place(seen))
        places.setdefault(place, {}).setdefault(seen.family, []).append(fault)
    for place, by_family in places.items():
        for number, (family, faults) in enumerate(sorted(by_family.items(), key=lambda pair: pair[0] or "")):
            # What is known by the place alone stays known by it: families are told apart where there are several.
            named = place._replace(name=f"{place.name} over {_FAMILIES[family]}") if number and family else place
            outcomes = [outcome for fault in faults for outcome in fault.outcomes]
            finding = add_controls(_describe(case, book, named, faults), book, outcomes, "exposures")
            yield JudgedExposure(finding, tuple(outcome.listener for outcome in outcomes))


def _find_faults(case: Case, book: Rulebook) -> Iterator[_Fault]:
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
            yield _Fault(exposure, worst, tuple(faults))


def find_unread(case: Case) -> Iterator[Gap]:
    """Yield a gap when a policy says `exposures: deny`, and which ports NAT leads elsewhere was not read whole.

    `warn` informs of what is seen, and makes no host incomplete. IPVS that was not read whole is a gap for everybody.
    """
    asking = [policy for policy in case.book.policies if policy.exposures == "deny"] if case.book else []
    doubt = _doubt_nat(case.facts) if asking else ""
    if doubt:
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
        if source.source == "nat" and source.status == "empty":
            return "connections are tracked there, but neither nft nor iptables tells of rules"
        if source.source == "nat" and source.status == "truncated":
            return "a program that tells of it, nft or iptables, is missing there, failed, or had more to say"
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


def _describe(case: Case, book: Rulebook, place: _Place, faults: Sequence[_Fault]) -> Finding:
    seen, where = faults[0].exposure, place.name
    worst = max(faults, key=lambda fault: severity_rank(_severity(fault.worst, book))).worst
    line, ruling = worst.line, book.unlisted["exposures"]
    targets = join_some(sorted({fault.exposure.target for fault in faults}))
    identity = Identity(place.rule, case.host.name, place.source, seen.proto, seen.address or "any", where)
    return Finding(
        id=fingerprint(identity),
        rule=place.rule,
        severity=_severity(worst, book),
        subject=f"{where} to {targets} ({place.source})",
        message=f"{where} leads to {targets} without a socket, and {_say_why(book, worst)}",
        remediation=f"Stop publishing it{_say_otherwise(book, seen, worst)}",
        controls=list_controls(line) if line is not None else ruling.policy.controls,
        origin=line.entry.origin if line is not None else ruling.origin,
    )


def _say_otherwise(book: Rulebook, exposure: Exposure, worst: Outcome) -> str:
    """Return what to do if it may be reached, with the line to paste where one names these ports and nothing else."""
    entry = worst.line.entry if worst.line is not None else None
    if entry is not None:
        named = f"`{entry.id}` ({entry.origin})"
        return f": {named} forbids it." if entry.action == "deny" else f"; or, if it may be reached, widen {named}."
    if exposure.proto not in (*_PROTOS, "any"):
        return "; a line of a policy cannot name its protocol."
    ports = _write_ports(exposure)
    if not ports:
        return "; or, if it may be reached, allow its ports: name those that are needed."
    first = _name_place(exposure).partition("/")[0]
    where = f"ports: [{ports}], bind: {_write_bind(exposure.address)}, owner: kernel"
    line = f"{{id: nat-{exposure.proto}-{first}, {where}, reason: say who needs it}}"
    return f"; or, if it may be reached, add this under `allow:` in {say_home(book.home)}:\n  - {line}"


def _write_ports(exposure: Exposure) -> str:
    """Return the ports as a line of a policy names them; nothing for too many to be meant."""
    if exposure.port is None or (exposure.last_port or exposure.port) - exposure.port >= _NAMED:
        return ""
    span = f"{exposure.port}-{exposure.last_port}" if exposure.last_port else str(exposure.port)
    return ", ".join(f"{span}/{proto}" for proto in _PROTOS if exposure.proto in ("any", proto))


def _write_bind(address: str | None) -> str:
    """Return the narrowest `bind:` value that accepts it. A network, which no line holds, takes every address."""
    try:
        plain = address is not None and not ip_address(address).is_unspecified
    except ValueError:
        plain = False
    return f"[{quote_address(address)}]" if address is not None and plain else ANYWHERE


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
