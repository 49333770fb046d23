"""`evidence-gap`: something about the host could not be known, so it cannot be called compliant."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from auditor.evaluate.case import Case
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.evaluate.match import Line
from auditor.evaluate.rules.connection_states import find_uncounted
from auditor.evaluate.rules.missing_listener import find_required
from auditor.evaluate.wording import UNSEEN, join_some, name_listeners
from auditor.model.facts import Gap, Listener
from auditor.model.finding import Finding

_OWNERS = "owners"


def find(case: Case) -> Iterable[Finding]:
    """Yield one finding per gap; several of one source are told apart by their order, as reasons may hold counts."""
    seen: Counter[str] = Counter()
    gaps = {*case.facts.gaps, *_find_unseen(case), *find_uncounted(case)}
    for gap in sorted(gaps, key=lambda gap: (gap.source, gap.reason)):
        seen[gap.source] += 1
        yield Finding(
            id=fingerprint(Identity("evidence-gap", case.host.name, scope=gap.source, port=str(seen[gap.source]))),
            rule="evidence-gap",
            severity="high",
            subject=gap.source,
            message=gap.reason,
            remediation=_REMEDIES.get(
                gap.source, "Make it readable for the audit's user on that host, and audit it again."
            ),
            origin=case.host.origin,
        )


def _find_unseen(case: Case) -> Iterator[Gap]:
    """Yield a gap when lines ask for owners that are not seen, with all the listeners and lines it is about."""
    asked = [(outcome.listener, line) for outcome in case.outcomes for line in outcome.unseen]
    for line in case.book.required if case.book and any(line.entry.owner for line in case.book.required) else ():
        for ports in line.entry.ports:
            found = list(find_required(case.facts, line, ports))
            certain = sum(listener.sockets for listener, answer in found if answer == "yes")
            if certain < line.entry.at_least:
                asked += [(listener, line) for listener, answer in found if answer == "unknown"]
    if asked:
        yield Gap(source=_OWNERS, reason=_say_unseen([one for one, _ in asked], [line for _, line in asked]))


def _say_unseen(listeners: Sequence[Listener], lines: Sequence[Line]) -> str:
    held = join_some(list(dict.fromkeys(name_listeners([listener]) for listener in listeners)))
    asking = join_some(list(dict.fromkeys(f"`{line.entry.id}` ({line.entry.origin})" for line in lines)))
    verb = "asks" if len({line.entry.origin for line in lines}) == 1 else "ask"
    why = join_some(list(dict.fromkeys(UNSEEN[listener.owner_status] for listener in listeners)))
    return f"who holds {held} is not seen ({why}), and {asking} {verb} for it"


_ANSWER = "Log in with `ssh` as the audit does, and see what answers besides the shell: start files, forced commands."
_WHERE = "Audit the host itself, not a container on it: look at what its forced command or login shell does."
_AGAIN = "Audit it again; if it stays, look at the host's load and at what ends its programs early."
_REMEDIES = {
    _OWNERS: "Let the audit see processes there: log in as root, or set `sudo: true` for the host in the inventory.",
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
    "no-procfs": "Mount /proc for the audit's account, or let it log in outside the confinement.",
    "sudo": "Follow the reason given, or set `sudo: false` for the host and do without what only root sees.",
}
