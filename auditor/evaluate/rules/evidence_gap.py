"""`evidence-gap`: something about the host could not be known, so it cannot be called compliant."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.exposures import find_unread
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.judge import Outcome
from auditor.evaluate.match import Line
from auditor.evaluate.rules.connection_states import find_uncounted
from auditor.evaluate.rules.missing_listener import find_required, find_unlooked
from auditor.evaluate.wording import join_some, name_listeners, say_unseen
from auditor.model.facts import CoverageStatus, Gap, Listener
from auditor.model.finding import Finding
from auditor.model.policy import severity_rank
from auditor.model.socket_tables import SOCKET_TABLES

_OWNERS, _USERS, _FAMILIES = "owners", "users", "families"


def find(case: Case) -> Iterable[Finding]:
    """Yield one finding per gap; several of one source are told apart by their order, as reasons may hold counts."""
    seen: Counter[str] = Counter()
    statuses = {table.source: table.status for table in case.facts.coverage}
    gaps = {*case.facts.gaps, *_find_unseen(case), *find_uncounted(case), *find_unread(case), *find_unlooked(case)}
    for gap in sorted(gaps, key=lambda gap: (gap.source, gap.reason)):
        seen[gap.source] += 1
        yield Finding(
            id=fingerprint(Identity("evidence-gap", case.host.name, scope=gap.source, port=str(seen[gap.source]))),
            rule="evidence-gap",
            severity="high",
            subject=gap.source,
            message=f"/proc/net/{gap.source}: {gap.reason}" if gap.source in SOCKET_TABLES else gap.reason,
            remediation=_REMEDIES.get(gap.source) or _advise(statuses.get(gap.source)),
            origin=case.host.origin,
        )


def _advise(status: CoverageStatus | None) -> str:
    """Return the next step for a table that was not read whole: what can be read already need not be made readable."""
    if status == "empty":
        return _EMPTY
    if status in {"malformed", "truncated", "inconsistent"}:
        return _AGAIN
    return "Make it readable for the audit's user on that host, and audit it again."


def _find_unseen(case: Case) -> Iterator[Gap]:
    """Yield a gap when lines ask for what no table shows, with all the listeners and lines it is about: for owners that
    are not seen, or, where something is required, for IPv4 that only `::` may take."""
    asked = [
        (outcome.listener, line)
        for outcome in case.outcomes
        for line in outcome.unseen
        if _matters(line, case, outcome)
    ]
    for line in case.book.required if case.book else ():
        for ports in line.entry.ports if line.entry.owner or _asks_for_family(line) else ():
            found = list(find_required(case.facts, line, ports))
            certain = sum(listener.sockets for listener, answer in found if answer == "yes")
            if certain < line.entry.at_least:
                doubtful = {id(listener) for listener, answer in found if answer == "unknown"}
                asked += [(one, line) for one in case.listeners if id(one) in doubtful]  # in their order
    doubts = [(listener, line, say_unseen(line.entry, listener)) for listener, line in asked]
    unseen = [(listener, line, why["processes"]) for listener, line, why in doubts if "processes" in why]
    nameless = [(listener, line, why["user"]) for listener, line, why in doubts if "user" in why]
    if unseen:
        yield Gap(source=_OWNERS, reason=_say_doubts("who holds {} is not seen", unseen))
    if nameless:
        yield Gap(source=_USERS, reason=_say_doubts("the user of {} cannot be compared", nameless))
    unsure = [(listener, line, "IPV6_V6ONLY is in no table") for listener, line, why in doubts if not why]
    if unsure:
        yield Gap(source=_FAMILIES, reason=_say_doubts("whether {} takes IPv4 too is not known", unsure))


def _asks_for_family(line: Line) -> bool:
    return any(ports.family for ports in line.entry.ports)


def _matters(line: Line, case: Case, outcome: Outcome) -> bool:
    """Return whether a finding leaves open what a line may say worse of the listener: it weighs less, or is waived."""
    if outcome.rule is None or case.book is None or severity_rank(line.severity) > severity_rank(outcome.severity):
        return True
    return any(case.book.waivers.for_listener(outcome.rule, case.host.name, outcome.listener))


def _say_doubts(what: str, doubts: Sequence[tuple[Listener, Line, str]]) -> str:
    held = join_some(list(dict.fromkeys(name_listeners([listener]) for listener, _, _ in doubts)))
    asking = join_some(list(dict.fromkeys(f"`{line.entry.id}` ({line.entry.origin})" for _, line, _ in doubts)))
    verb = "asks" if len({line.entry.origin for _, line, _ in doubts}) == 1 else "ask"
    why = join_some(list(dict.fromkeys(why for _, _, why in doubts)))
    return f"{what.format(held)} ({why}), and {asking} {verb} for it"


_ANSWER = "Log in with `ssh` as the audit does, and see what answers besides the shell: start files, forced commands."
_WHERE = "Audit the host itself, not a container on it: look at what its forced command or login shell does."
_AGAIN = "Audit it again; if it stays, look at the host's load and at what ends its programs early."
_EMPTY = (
    "It could be read, and held nothing: see with `cat` on the host whether it stays so. Some systems that are no "
    "whole Linux (WSL 1, some sandboxes) never fill it: audit them by other means, and take them out of the inventory."
)
_REMEDIES = {
    _OWNERS: "Let the audit see processes there: log in as root, or set `sudo: true` for the host in the inventory.",
    _USERS: "Write the user in the policy as it is known: by number where the host's /etc/passwd has no name for it.",
    _FAMILIES: "Require the port without pinning IPv4 (`443/tcp`, not `443/tcp4`), or have the service open a socket "
    "on 0.0.0.0 as well, as a host with `net.ipv6.bindv6only` does.",
    "exposures": "Log in as root, or set `sudo: true` for the host in the inventory, and see that `nft list ruleset` "
    "answers there; or leave `exposures` out of the policy.",
    "no-frame": _ANSWER,
    "no-shell": _ANSWER,
    "dirty-frame": _ANSWER,
    "broken-frame": _ANSWER,
    "netns": _WHERE,
    "session": _WHERE,
    "cut-off": _AGAIN,
    "exit-status": _AGAIN,
    "sockstat": _AGAIN,
    "byte-order": "See which of /sys/kernel/cpu_byteorder, `od` and the socket tables disagrees on that host.",
    "unsupported-os": "Take it out of the inventory: netaudit reads the tables of Linux.",
    "no-system": "Log in as the audit does, and see to what it said: /proc is to be read there, /dev/null written.",
    "no-procfs": "Mount /proc for the audit's account, or let it log in outside the confinement.",
    "namespaces": "Follow the reason given; or do without, and take `namespaces: true` from the host, and the lines "
    "that look there from its policies.",
    "sudo": "Follow the reason given, or set `sudo: false` for the host and do without what only root sees.",
}
