"""The audit report: version 1 of the JSON that others build on, and the one place where verdicts and counts are made.

Fields may be added, never renamed. `netaudit schema report` prints the JSON Schema of `AuditReport`.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, Self

from pydantic import AwareDatetime, model_validator

from auditor.model.delta import Delta
from auditor.model.facts import Coverage, Exposure, Gap, Listener, System, UnixListener
from auditor.model.finding import INCOMPLETE_RULES, Finding
from auditor.model.host import HostKeyPolicy
from auditor.model.origin import Origin
from auditor.model.policy import SEVERITIES, Severity, severity_rank
from auditor.model.transcript import EarlierRun, Failure
from auditor.model.value import Value

HostStatus = Literal["compliant", "violating", "incomplete", "unreachable"]
Verdict = Literal["pass", "fail", "incomplete"]
ListenerVerdict = Literal["allowed", "denied", "unexpected", "waived", "ignored", "unknown"]
"""`unknown`: a line asks who holds the socket, and that is not seen; the host then has a gap."""


class Decision(Value):
    """The policy line that decided a listener's verdict; `entry` None: the policy's default."""

    policy: str
    entry: str | None
    file: str
    line: int


class JudgedListener(Listener):
    """A listener and what the policies say of it. `decided_by` None: no policy applies."""

    verdict: ListenerVerdict
    decided_by: Decision | None = None


class Judgement(Value):
    """What the policies say of one host's facts: the policies that apply, every listener judged, the findings."""

    policies: tuple[str, ...]
    listeners: tuple[JudgedListener, ...]
    findings: tuple[Finding, ...]


class HostReport(Value):
    """One host's result. `facts` is None exactly when the host was unreachable, and `error` then says why.

    Cannot be made to say `compliant` of a host with an error, a gap or an incomplete rule: not known is never clean.
    """

    name: str
    address: str
    groups: tuple[str, ...]
    labels: dict[str, str] = {}
    status: HostStatus
    policies: tuple[str, ...]
    error: Failure | None
    facts: System | None
    coverage: tuple[Coverage, ...] = ()
    gaps: tuple[Gap, ...] = ()
    listeners: tuple[JudgedListener, ...] = ()
    findings: tuple[Finding, ...] = ()
    exposures: tuple[Exposure, ...] = ()
    unix: tuple[UnixListener, ...] = ()

    @property
    def fully_audited(self) -> bool:
        """Whether everything was read, and by policies that apply."""
        return not (self.error or self.gaps) and INCOMPLETE_RULES.isdisjoint([one.rule for one in self.findings])

    @model_validator(mode="after")
    def _is_truthful(self) -> Self:
        unreachable = self.status == "unreachable"
        if unreachable != (self.error is not None) or unreachable != (self.facts is None):
            raise ValueError("a host has an error, and no facts, exactly when it is unreachable")
        if self.status == "compliant" and not self.fully_audited:
            raise ValueError("a host that was not fully audited is not compliant")
        return self


class PolicyRef(Value):
    """A policy file as it was: `sha256` of its bytes. `included`: it is here as part of another policy.

    `controls` are those of the policy and of every line that holds in it, met or not.
    """

    name: str
    path: str
    sha256: str
    included: bool = False
    controls: tuple[str, ...] = ()


class InventoryRef(Value):
    """The inventory file as it was: `sha256` of its bytes, and how many hosts it names; None: not known."""

    path: str
    sha256: str
    hosts: int | None = None


class Run(Value):
    """Which run this was. `partial`: it was interrupted, or its evidence is cut off; hosts may be missing.

    `chosen`: how many of the inventory's hosts it was to audit, all unless they were limited (`-l`); None: not known.
    `resumed`: the runs that gathered some of its evidence before it, the first one first. `host_keys` is how host keys
    were treated where that was done with the least care. `operator` gathered the evidence, with `command`; '' where
    that is not known. `judged_again`: by other policies than those of the run that gathered the evidence.
    """

    id: str
    started_at: AwareDatetime
    finished_at: AwareDatetime
    partial: bool = False
    chosen: int | None = None
    judged_again: bool = False
    resumed: tuple[EarlierRun, ...] = ()
    host_keys: HostKeyPolicy = "strict"
    operator: str = ""
    command: str = ""
    inventory: InventoryRef
    policies: tuple[PolicyRef, ...]

    @property
    def left_out(self) -> int:
        """How many hosts of the inventory were not chosen, as far as that is known."""
        return max(0, (self.inventory.hosts or 0) - self.chosen) if self.chosen is not None else 0


class Generator(Value):
    """The program that made the report."""

    name: str
    version: str


class HostCounts(Value):
    """Hosts by status; the four add up to `total`."""

    total: int = 0
    compliant: int = 0
    violating: int = 0
    incomplete: int = 0
    unreachable: int = 0


class FindingCounts(Value):
    """Unwaived findings that severity decides, and the waived ones. Gaps are counted by host instead."""

    critical: int = 0
    high: int = 0
    medium: int = 0
    low: int = 0
    info: int = 0
    waived: int = 0


class Summary(Value):
    """What the report counts. `listeners` are those of all hosts together."""

    hosts: HostCounts
    findings: FindingCounts
    listeners: int

    @property
    def measured(self) -> bool:
        """Whether any host was read. Where none was, nothing was found, and 0 of anything is not known either."""
        return self.hosts.total > self.hosts.unreachable


class Exit(Value):
    """The exit code and every reason for it, the deciding one first."""

    code: int
    reasons: tuple[str, ...]


class Hygiene(Value):
    """Something about the policies themselves that rots: an entry that matched nothing, a waiver about to end."""

    kind: str
    message: str
    origin: Origin


class AuditReport(Value):
    """One run over a fleet: hosts sorted by name, every list sorted, no trace of the order in which hosts answered."""

    kind: Literal["netaudit.report"] = "netaudit.report"
    schema_version: Literal[1] = 1
    generator: Generator
    run: Run
    verdict: Verdict
    exit: Exit
    summary: Summary
    hosts: tuple[HostReport, ...]
    hygiene: tuple[Hygiene, ...] = ()
    changes: Delta | None = None
    """What changed since the report this one was compared with, if it was."""

    @property
    def fully_audited(self) -> int:
        """How many hosts were read wholly, and by policies that apply, whatever was found there."""
        return sum(host.fully_audited for host in self.hosts)

    @property
    def asked(self) -> int:
        """How many hosts were to be audited: those of an interrupted run's evidence that are missing here, too."""
        return max(len(self.hosts), self.run.chosen or 0)

    @property
    def unsaid(self) -> tuple[str, ...]:
        """The reasons for the exit code that no host and no finding stands for, which a list of those must add.

        Hosts that are missing, an interruption, problems in the policies; or all reasons, where nothing else fails.
        """
        if not self.exit.code:
            return ()
        others = _hygiene_reasons(self.hygiene)
        own = tuple(each for each in self.exit.reasons if each.startswith((_PARTIAL, _STOPPED)) or each in others)
        shown = any(not host.fully_audited or any(decides(one, "low") for one in host.findings) for host in self.hosts)
        return own if own or shown else self.exit.reasons

    @property
    def ways(self) -> tuple[bool, bool]:
        """Whether hosts were read over SSH, as is to be taken where none was read, and whether some were without it."""
        over = [bool(host.facts.host_key or host.facts.kex) for host in self.hosts if host.facts is not None]
        return any(over) or not over, not all(over)

    @property
    def weakest_host_keys(self) -> HostKeyPolicy:
        """How host keys were treated where that was done with the least care, in a run that this one resumed, too."""
        trust = {host.facts.host_key_trust for host in self.hosts if host.facts is not None}
        if self.run.host_keys == "ignored" or "ignored" in trust:
            return "ignored"
        return "accept-new" if self.run.host_keys == "accept-new" or "accepted" in trust else "strict"


INTERRUPTED = "interrupted"
"""The code of a host that a run had not finished when it was interrupted."""
_PARTIAL = "the run was interrupted or its evidence is cut off"
_STOPPED = "interrupted after"


def decides(finding: Finding, fail_on: Severity) -> bool:
    """Return whether `finding` fails a run: not waived, of a rule that severity decides, at or above `fail_on`."""
    counted = finding.waived is None and finding.rule not in INCOMPLETE_RULES
    return counted and severity_rank(finding.severity) >= severity_rank(fail_on)


def judge_host(findings: Sequence[Finding], failure: Failure | None, fail_on: Severity) -> HostStatus:
    """Return a host's status. Anything above info violates, whatever the gate; `--fail-on info` includes info too."""
    if failure is not None:
        return "unreachable"
    threshold: Severity = "info" if fail_on == "info" else "low"
    if any(decides(finding, threshold) for finding in findings):
        return "violating"
    if any(finding.rule in INCOMPLETE_RULES for finding in findings):
        return "incomplete"
    return "compliant"


def build_report(
    run: Run,
    hosts: Iterable[HostReport],
    hygiene: Iterable[Hygiene],
    fail_on: Severity,
    generator: Generator,
    strict: bool = False,
) -> AuditReport:
    """Return the report of a run: the hosts sorted, counted and judged once, for every reporter and the exit code.

    `strict`: what rots in the policies fails the run too.
    """
    ordered = tuple(sorted(hosts, key=lambda host: (host.name, host.address)))
    notes = tuple(sorted(hygiene, key=_hygiene_place))
    verdict, outcome = _judge(ordered, run, notes if strict else (), fail_on)
    return AuditReport(
        generator=generator,
        run=run,
        verdict=verdict,
        exit=outcome,
        summary=_summarise(ordered),
        hosts=ordered,
        hygiene=notes,
    )


def list_failing(report: AuditReport, fail_on: Severity) -> frozenset[str]:
    """Return the ids of the findings that fail a report."""
    return frozenset(finding.id for host in report.hosts for finding in host.findings if decides(finding, fail_on))


def judge_news(report: AuditReport, known: frozenset[str], fail_on: Severity, strict: bool = False) -> AuditReport:
    """Return the report judged by what is new: findings with ids in `known` no longer fail it, nor are they hidden."""
    verdict, outcome = _judge(report.hosts, report.run, report.hygiene if strict else (), fail_on, known)
    return report.model_copy(update={"verdict": verdict, "exit": outcome})


def _judge(
    hosts: Sequence[HostReport],
    run: Run,
    notes: Sequence[Hygiene],
    fail_on: Severity,
    known: frozenset[str] | None = None,
) -> tuple[Verdict, Exit]:
    """Return the verdict and the exit; `known` None: every finding counts, not only those that are new."""
    failing = (*_failing_reasons(hosts, fail_on, known), *_hygiene_reasons(notes))
    unknown = _unknown_reasons(hosts, run)
    verdict: Verdict = "fail" if failing else "incomplete" if unknown else "pass"
    said = (*failing, *unknown) or (_say_passed(hosts, fail_on, known),)
    reasons = (*said, *_scope_reasons(run), *_trust_reasons(hosts, run))
    return verdict, Exit(code={"fail": 1, "incomplete": 3, "pass": 0}[verdict], reasons=reasons)


def interrupt_report(report: AuditReport, code: int, of: int) -> AuditReport:
    """Return the report of a run that a signal ended (`code` 130 or 143); `of` hosts were to be audited, 0: not known.

    An interrupted run is never a pass, even when every host had answered by then.
    """
    total = sum(host.error is None or host.error.code != INTERRUPTED for host in report.hosts)
    done = f"{total} of {_count(of, 'host')}" if of else _count(total, "host")
    reason = f"{_STOPPED} {done}"
    reasons = report.exit.reasons[0 if report.exit.code else 1 :]  # the first of a pass says that it is one
    others = tuple(each for each in reasons if not each.startswith(_PARTIAL))
    return report.model_copy(
        update={
            "run": report.run.model_copy(update={"partial": True}),
            "verdict": "fail" if report.verdict == "fail" else "incomplete",
            "exit": Exit(code=code, reasons=(reason, *others)),
        }
    )


def _hygiene_place(note: Hygiene) -> tuple[str, str, int, str]:
    return note.kind, note.origin.file, note.origin.line, note.message


def _summarise(hosts: Sequence[HostReport]) -> Summary:
    by_status: Counter[str] = Counter(host.status for host in hosts)
    by_severity: Counter[str] = Counter(
        "waived" if finding.waived else finding.severity
        for host in hosts
        for finding in host.findings
        if finding.rule not in INCOMPLETE_RULES
    )
    return Summary(
        hosts=HostCounts(total=len(hosts), **by_status),
        findings=FindingCounts(**by_severity),
        listeners=sum(len(host.listeners) for host in hosts),
    )


def _failing_reasons(hosts: Sequence[HostReport], fail_on: Severity, known: frozenset[str] | None) -> tuple[str, ...]:
    failing = [
        (host, finding)
        for host in hosts
        for finding in host.findings
        if decides(finding, fail_on) and finding.id not in (known or ())
    ]
    if not failing:
        return ()
    counts = Counter(finding.severity for _, finding in failing)
    parts = ", ".join(f"{counts[level]} {level}" for level in SEVERITIES if counts[level])
    where = len({host.name for host, _ in failing})
    noun = "finding" if known is None else "new finding"
    return (f"{_count(len(failing), noun)} at or above {fail_on} on {_count(where, 'host')} ({parts})",)


def _hygiene_reasons(notes: Sequence[Hygiene]) -> tuple[str, ...]:
    kinds = Counter(note.kind for note in notes)
    return (f"{_count(len(notes), 'problem')} in the policies ({_say_counts(kinds)})",) if notes else ()


def _unknown_reasons(hosts: Sequence[HostReport], run: Run) -> tuple[str, ...]:
    """Return why the run cannot vouch for the fleet: hosts not read, hosts read in part, hosts missing altogether."""
    reasons: list[str] = []
    codes = Counter(host.error.code for host in hosts if host.error is not None)
    if codes:
        reasons.append(f"{codes.total()} of {_count(len(hosts), 'host')} not audited ({_say_counts(codes)})")
    causes = [_incomplete_rules(host) for host in hosts if host.error is None and not host.fully_audited]
    if causes:
        rules = Counter(rule for cause in causes for rule in cause)
        reasons.append(f"{len(causes)} of {_count(len(hosts), 'host')} not fully audited ({_say_counts(rules)})")
    if run.partial:
        missing = max(0, (run.chosen or 0) - len(hosts))
        lost = f"{missing} of {_count(run.chosen or 0, 'host')} are missing" if missing else "hosts may be missing"
        reasons.append(f"{_PARTIAL}, and {lost}")
    return tuple(reasons)


def _scope_reasons(run: Run) -> tuple[str, ...]:
    """Return what the verdict is about: not hosts of the inventory that were left out, nor what the run itself said."""
    total = _count(run.inventory.hosts or 0, "host")
    were = "was" if run.left_out == 1 else "were"
    limited = (f"{run.left_out} of the inventory's {total} {were} not chosen (--limit)",) if run.left_out else ()
    again = ("judged again, by other policies than the run that gathered the evidence",) if run.judged_again else ()
    return (*limited, *again)


def _trust_reasons(hosts: Sequence[HostReport], run: Run) -> tuple[str, ...]:
    """Return what must be known beside every verdict: which hosts were not proved to be themselves."""
    trust = Counter(host.facts.host_key_trust for host in hosts if host.facts is not None)
    reasons = []
    if run.host_keys == "ignored" or trust["ignored"]:  # the latter alone: in evidence of a run that this one resumed
        reasons.append(
            f"HOST KEYS WERE NOT VERIFIED (--insecure-ignore-host-keys): {trust['ignored']} of "
            f"{_count(len(hosts), 'host')} may have been somebody else"
        )
    if trust["accepted"]:
        reasons.append(f"{trust['accepted']} of {_count(len(hosts), 'host')} taken on trust at first use (accept-new)")
    return tuple(reasons)


def _incomplete_rules(host: HostReport) -> set[str]:
    rules: set[str] = {finding.rule for finding in host.findings if finding.rule in INCOMPLETE_RULES}
    return rules or {"evidence-gap"}


def _say_counts(counts: Counter[str]) -> str:
    """Return `3 auth-refused, 1 tcp-timeout`: the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count} {word}" for word, count in ordered)


def _say_passed(hosts: Sequence[HostReport], fail_on: Severity, known: frozenset[str] | None) -> str:
    if not hosts:
        return "nothing was audited: there was no host"
    new = "" if known is None else "new "
    passed = f"{len(hosts)} of {_count(len(hosts), 'host')} audited, nothing {new}at or above {fail_on}"
    failing = sum(decides(finding, fail_on) for host in hosts for finding in host.findings)
    below = sum(decides(finding, "info") for host in hosts for finding in host.findings) - failing
    parts = [f"{_count(below, 'finding')} below it"] if below else []
    parts += [f"{_count(failing, 'finding')} known from the baseline"] if failing else []
    return f"{passed} ({', '.join(parts)})" if parts else passed


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
