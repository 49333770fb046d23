"""A case and what was said in; where the two differ, in words, out."""

from collections.abc import Iterable, Mapping, Sequence

from auditor.cases.case import LISTENER_RULES, Case, Expectation, ExpectedFinding, Said
from auditor.model.facts import Listener
from auditor.model.finding import Finding
from auditor.model.origin import Origin
from auditor.model.policy import Entry
from auditor.model.value import Value

Entries = Mapping[Origin, Sequence[Entry]]
"""The entries of the policies by where they are written; one that is included holds in several policies."""


class Difference(Value):
    """One thing that is not as the case has it. `expected` or `found` is empty when that side has nothing to say."""

    subject: str
    expected: str
    found: str
    because: str = ""
    origin: Origin

    def __str__(self) -> str:
        rows = [f"{self.origin}: {self.subject}"]
        rows += [f"  - {self.expected}"] if self.expected else []
        rows += [f"  + {self.found}"] if self.found else []
        rows += [f"    {line}" for line in self.because.splitlines()]
        return "\n".join(rows)


def compare_case(
    case: Case, said: Sequence[Said], findings: Iterable[Finding], entries: Entries
) -> tuple[Difference, ...]:
    """Return every difference, listeners first, in the order of the case. `findings` are all of the host."""
    by_place = {_place(one.listener): one for one in said}
    found = [_compare(one, by_place[_place(one.listener)]) for one in case.expectations]
    others = [finding for finding in findings if finding.rule not in LISTENER_RULES and finding.waived is None]
    return (*filter(None, found), *_compare_findings(case, others, entries))


def _place(listener: Listener) -> tuple[str, str, str, int]:
    return listener.netns, listener.proto, listener.address, listener.port


def _compare(expected: Expectation, said: Said) -> Difference | None:
    decided = said.listener.decided_by
    names = (decided.entry, f"{decided.policy}/{decided.entry}") if decided else ()
    if expected.word == said.word and (expected.entry is None or expected.entry in names):
        return None
    where = f" ({decided.file}:{decided.line})" if decided else ""
    return Difference(
        subject=expected.listener.raw,
        expected=str(expected),
        found=f"{said}{where}",
        because=said.message,
        origin=expected.origin,
    )


def _compare_findings(case: Case, findings: Sequence[Finding], entries: Entries) -> Iterable[Difference]:
    """Yield what was found and is not in the case, then what is in the case and was not found."""
    left = list(case.findings)
    for finding in findings:
        match = next((one for one in left if _is_meant(one, finding, entries)), None)
        if match is not None:
            left.remove(match)
            continue
        where = f" ({finding.origin})" if finding.origin else ""
        yield Difference(
            subject=f"the host {case.host.name}",
            expected="",
            found=f"{finding.rule} {_name_finding(finding, entries)}{where}",
            because=finding.message,
            origin=case.origin,
        )
    for one in left:
        yield Difference(subject=f"the host {case.host.name}", expected=str(one), found="", origin=one.origin)


def _is_meant(expected: ExpectedFinding, finding: Finding, entries: Entries) -> bool:
    if expected.rule != finding.rule:
        return False
    written = entries.get(finding.origin, ()) if finding.origin else ()
    names = {name for entry in written for name in (entry.id, f"{entry.policy}/{entry.id}")}
    return expected.detail is None or expected.detail in names | {finding.subject, *finding.subject.split()}


def _name_finding(finding: Finding, entries: Entries) -> str:
    """Return what a case calls this finding: the entry it is about, or its subject."""
    written = entries.get(finding.origin, ()) if finding.origin else ()
    return written[0].id if written and finding.rule == "missing-listener" else finding.subject
