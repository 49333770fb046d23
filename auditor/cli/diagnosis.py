"""How reaching and reading one host went in, one check after the other out, ending with the first that failed."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from auditor.errors import Phase
from auditor.model.facts import Gap, HostFacts
from auditor.model.host import Host
from auditor.model.snapshot import Snapshot
from auditor.model.transcript import Evidence, Failure
from auditor.reporters.text_layout import count
from auditor.transport.timeline import Step

Result = Literal["ok", "note", "failed"]
_NAMES: dict[Phase, str] = {
    "dns": "DNS",
    "tcp": "TCP",
    "banner": "banner",
    "kex": "kex",
    "hostkey": "host key",
    "auth": "auth",
    "exec": "shell",
    "read": "answer",
}
_ANSWER = {"no-frame", "no-shell", "broken-frame", "dirty-frame", "cut-off", "exit-status"}
"""Gaps that say that the script did not run to its end, or that its words did not arrive as they were."""
_FOR_ROOT = {"namespaces": "other network namespaces", "nat": "address translation"}
"""What is read as root only, besides who holds a socket."""
_HARMLESS = "harmless: it is told apart from the answer"
_SKEW_S = 300.0
"""From here on two clocks tell different stories in the logs."""


@dataclass(frozen=True, slots=True)
class Check:
    """One step. `via`: the jump host whose step it is; `seconds` None: nothing that takes time.

    `note` means that it works, and that something about it is worth knowing; `next` is what to do about it.
    """

    name: str
    result: Result
    detail: str = ""
    next: str = ""
    code: str = ""
    seconds: float | None = None
    via: str = ""


@dataclass(frozen=True, slots=True)
class Read:
    """What a host that answered said, taken apart."""

    host: Host
    snapshot: Snapshot
    facts: HostFacts

    def find_gaps(self, wanted: Callable[[str], bool]) -> list[Gap]:
        return [gap for gap in self.facts.gaps if wanted(gap.source)]


def diagnose(evidence: Evidence, steps: Sequence[Step], read: Read | None) -> list[Check]:
    """Return the checks in order, the first failed one last. `read` is None for a host that did not answer."""
    if isinstance(evidence.outcome, Failure) or read is None:
        assert isinstance(evidence.outcome, Failure)  # noqa: S101 - one of the two, as Evidence has it
        return _fail(steps, evidence.outcome)
    checks = [_pass(step) for step in steps]
    for check in _examine(read):
        checks.append(check)
        if check.result == "failed":
            break
    return checks


def _pass(step: Step) -> Check:
    """Return a step that led on, if only to the next attempt."""
    if step.error is not None:
        code = getattr(step.error, "code", "")
        return Check(_NAMES[step.phase], "note", f"{step.error.message}: tried again", "", code, step.seconds, step.via)
    return Check(_NAMES[step.phase], "ok", ", ".join(step.notes), seconds=step.seconds, via=step.via)


def _fail(steps: Sequence[Step], failure: Failure) -> list[Check]:
    """Return the steps, the last of which failed; what went wrong between two steps is a check of its own."""
    *before, last = [*steps, None] if not steps or steps[-1].error is None else steps
    phase, seconds, via = (last.phase, last.seconds, last.via) if last else (failure.phase, None, "")
    failed = Check(_NAMES[phase], "failed", failure.message, failure.hint, failure.code, seconds, via)
    return [*(_pass(step) for step in before if step is not None), failed]


def _examine(read: Read) -> Iterator[Check]:
    yield from _check_shell(read)
    yield _check_tables(read)
    yield _check_privilege(read)
    yield _check_sudo(read)
    yield _check_owners(read)
    yield _check_namespaces(read)
    yield _check_clock(read)


def _check_shell(read: Read) -> Iterator[Check]:
    """Yield what was printed around the answer, and whether the answer is whole: only then the other is harmless."""
    gaps = read.find_gaps(_ANSWER.__contains__)
    if noise := read.snapshot.noise.decode("utf-8", "replace").strip():
        who, advice = ("in place of the answer, or around it, the host", "") if gaps else ("the login", _HARMLESS)
        yield Check("login", "note", f'{who} printed: "{noise}"', advice)
    if gaps:
        yield Check("script", "failed", _join(gaps), "run `ssh HOST /bin/sh -c true` and see what it prints",
                    gaps[0].source)  # fmt: skip
    else:
        yield Check("script", "ok", f"ran to its end: {count(len(read.snapshot.sections), 'section')}")


def _check_tables(read: Read) -> Check:
    others = {*_ANSWER, "sudo", "namespaces"}
    gaps = read.find_gaps(lambda source: source not in others)
    if gaps:
        return Check("/proc", "failed", _join(gaps), "docs/privileges.md says what an account can read", "evidence-gap")
    tables = [each for each in read.facts.coverage if each.status == "ok" and each.source != "services"]
    rows = sum(each.rows for each in tables)
    seen = f"{count(len(tables), 'table')}, {count(rows, 'row')}, {count(len(read.facts.listeners), 'listener')}"
    return Check("/proc", "ok", f"{seen}; the kernel's own counts agree")


def _check_privilege(read: Read) -> Check:
    if read.facts.system.privileged:
        denied = {each.source for each in read.facts.coverage if each.status == "denied"}
        unread = sorted(denied | {gap.source for gap in read.find_gaps(_FOR_ROOT.__contains__)})
        if not unread:
            return Check("privilege", "ok", "root: everything there is can be read")
        detail = f"root; not read, or not whole: {', '.join(_FOR_ROOT.get(each, each) for each in unread)}"
        return Check("privilege", "note", detail, "docs/privileges.md says what is read as root, and how")
    detail = f"{read.host.user or 'the account'} is not root: enough for all that listens, not for who holds it"
    return Check("privilege", "note", detail, "if owners matter: `sudo: true`, and `netaudit target-kit` for the host")


def _check_sudo(read: Read) -> Check:
    gaps = read.find_gaps("sudo".__eq__)
    if gaps:
        return Check("sudo", "failed", _join(gaps), "`netaudit target-kit` prints what the host needs", "evidence-gap")
    if not read.host.sudo:
        return Check("sudo", "ok", "not asked for")
    return Check("sudo", "ok", "ran our program as root" if read.facts.system.privileged else "was not needed")


def _check_owners(read: Read) -> Check:
    statuses = Counter(listener.owner_status for listener in read.facts.listeners)
    total, known = statuses.total(), statuses["known"]
    missing = ", ".join(f"{number} {status}" for status, number in sorted(statuses.items()) if status != "known")
    detail = f"known for {known} of {count(total, 'listener')}"
    if known == total:
        return Check("owners", "ok", detail)
    advice = "policies that name a process or a user need them: docs/privileges.md says how"
    return Check("owners", "note", f"{detail} ({missing})", advice)


def _check_namespaces(read: Read) -> Check:
    gaps = read.find_gaps("namespaces".__eq__)
    if gaps:
        advice = "follow the reason given, or do without them: take `namespaces: true` from the host"
        return Check("namespaces", "failed", _join(gaps), advice, "evidence-gap")
    if not read.host.namespaces:
        return Check("namespaces", "ok", "others than the host's own: not asked for")
    others = [each for each in read.facts.coverage if each.source == "namespaces"]
    return Check("namespaces", "ok", f"{others[0].rows if others else 0} beside the host's own")


def _check_clock(read: Read) -> Check:
    skew = read.facts.system.clock_skew_s
    if skew is None:
        return Check("clock", "note", "the host did not say what time it is")
    detail = "the same as here" if abs(skew) < 1 else f"{abs(skew):.0f} s {'ahead' if skew > 0 else 'behind'}"
    if abs(skew) <= _SKEW_S:
        return Check("clock", "ok", detail)
    return Check("clock", "note", detail, "certificates, logs and one-time codes suffer: set up NTP there, or here")


def _join(gaps: Sequence[Gap]) -> str:
    """Return every reason once, with what it is about."""
    return "; ".join(f"{source}: {'; '.join(dict.fromkeys(gap.reason for gap in group))}"
                     for source, group in groupby(gaps, key=lambda gap: gap.source))  # fmt: skip
