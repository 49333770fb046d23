"""Files of cases in, cases out; every mistake of every file at once."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from auditor.cases.case import LISTENER_RULES, WORDS, Case, Expectation, ExpectedFinding
from auditor.cases.file import CaseFile, CasesFile
from auditor.cases.listener import parse_listener
from auditor.document import Document, Loc, mistake, read_document, salvage, suggest
from auditor.errors import DocumentError, Problem, UsageError
from auditor.model.facts import Coverage, HostFacts, Listener, System
from auditor.model.finding import RULES
from auditor.model.host import Host
from auditor.model.policy import Entry, PolicySet, Waiver

FOLDER = "tests"
_DAY = datetime(1970, 1, 1, tzinfo=UTC)


def find_cases(folder: Path) -> list[Path]:
    """Return the files of cases for the policies in `folder`: every *.yaml and *.yml in its subfolder `tests`.

    Raises UsageError when there is none: a test that tested nothing must not pass.
    """
    beside = folder / FOLDER
    found = sorted(path for path in beside.glob("*.y*ml") if path.suffix in (".yaml", ".yml"))
    if not found:
        raise UsageError(f"there are no cases in {beside}", "cases stand in *.yaml files in a folder `tests` there")
    return found


def load_cases(paths: Sequence[Path], policies: PolicySet) -> tuple[Case, ...]:
    """Return the cases of all files, in order. Raises DocumentError with every problem of every file.

    `policies` are those the cases are of: a case that says `waived` of an entry that none of them has is a mistake.
    """
    problems: list[Problem] = []
    cases: list[Case] = []
    for path in paths:
        try:
            document = read_document(path)
            file = salvage(document, CasesFile)
            for index, case in enumerate(file.cases):
                cases.append(_read_case(document, ("cases", index), case))
                _check_waived(document, ("cases", index, "listeners"), case.listeners or {}, policies)
            document.finish()
        except DocumentError as error:
            problems += error.problems
    if problems:
        raise DocumentError(problems)
    return tuple(cases)


def _read_case(document: Document, loc: Loc, case: CaseFile) -> Case:
    origin = document.origin(loc)
    name = case.host or "host"
    expectations = _read_listeners(document, (*loc, "listeners"), case.listeners or {})
    return Case(
        name=case.case,
        host=Host(
            name=name, address=name, groups=tuple(case.groups or ()), labels=dict(case.labels or {}), origin=origin
        ),
        facts=_make_facts(
            expectations, case.services or {}, {str(name): held for name, held in (case.states or {}).items()}
        ),
        at=_read_date(document, (*loc, "at"), case.at) if case.at is not None else None,
        expectations=expectations,
        findings=_read_findings(document, (*loc, "findings"), case.findings or ()),
        origin=origin,
    )


def _read_listeners(document: Document, loc: Loc, texts: Mapping[str, str]) -> tuple[Expectation, ...]:
    found: dict[tuple[str, str, str, int], Expectation] = {}
    for text, expected in texts.items():
        with document.telling((*loc, text), key=True):
            listener = parse_listener(text)
            key = (listener.netns, listener.proto, listener.address, listener.port)
            if key in found:
                raise mistake(f"this is the listener of line {found[key].origin.line} again", "write it once")
            with document.telling((*loc, text)):
                found[key] = _read_expected(listener, expected, document, (*loc, text))
    return tuple(found.values())


def _read_expected(listener: Listener, text: str, document: Document, loc: Loc) -> Expectation:
    word, *rest = text.split() or [text]
    if word not in WORDS:
        raise mistake(f"{word!r} is nothing that can be said of a listener", _near_word(word))
    if len(rest) > 1:
        raise mistake(f"{text!r} is more than a word and the id of an entry", "write for example: allowed https")
    if rest and word in ("ignored", "unexpected-listener"):
        raise mistake(f"no entry decides on what is {word}", f"write {word} alone")
    return Expectation(listener=listener, word=word, entry=rest[0] if rest else None, origin=document.origin(loc))


def _check_waived(document: Document, loc: Loc, texts: Mapping[str, str], policies: PolicySet) -> None:
    """Complain where `waived` has the id of its waiver, or any other that no entry has: it could never come true."""
    entries = {name for policy in policies.policies for one in (*policy.allow, *policy.deny) for name in _names(one)}
    waivers = {name for policy in policies.policies for one in policy.waivers for name in _names(one)}
    for text, expected in texts.items():
        word, *rest = expected.split() or [expected]
        if word != "waived" or len(rest) != 1 or rest[0] in entries:
            continue
        name = rest[0]
        if name in waivers:
            message = f"{name} is a waiver, and here stands the entry that decides"
            document.complain((*loc, text), message, "write waived alone, or after it the id of the entry")
        else:
            document.complain((*loc, text), f"no policy has an entry {name}", suggest(name, sorted(entries)))


def _names(one: Entry | Waiver) -> tuple[str, str]:
    """Return both ways to name an entry in a case."""
    return one.id, f"{one.policy}/{one.id}"


def _read_findings(document: Document, loc: Loc, texts: Sequence[str]) -> tuple[ExpectedFinding, ...]:
    found: list[ExpectedFinding] = []
    for index, text in enumerate(texts):
        with document.telling((*loc, index)):
            word, _, detail = text.partition(" ")
            if word in LISTENER_RULES:
                raise mistake(f"{word} is about a listener", "write it behind that listener, under listeners")
            rule = next((rule for rule in RULES if rule == word), None)
            if rule is None:
                raise mistake(f"{word!r} is not a rule", suggest(word, RULES) or f"known are {', '.join(RULES)}")
            origin = document.origin((*loc, index))
            found.append(ExpectedFinding(rule=rule, detail=detail.strip() or None, origin=origin))
    return tuple(found)


def _near_word(word: str) -> str:
    longer = next((known for known in WORDS if known.startswith(f"{word}-")), "")
    return f"write {longer}" if longer else suggest(word, WORDS) or f"known are {', '.join(WORDS)}"


def _read_date(document: Document, loc: Loc, text: str) -> datetime | None:
    with document.telling(loc):
        if not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text, re.ASCII):
            raise mistake(f"{text!r} is not a date", "write the year, the month and the day: 2026-12-31")
        try:
            return datetime.fromisoformat(text).replace(hour=12, tzinfo=UTC)
        except ValueError:
            raise mistake(f"{text} is not in the calendar", "") from None
    return None


def _make_facts(
    expectations: Sequence[Expectation], services: Mapping[str, str], states: Mapping[str, int]
) -> HostFacts:
    """Return the facts of a host that was read wholly and showed these listeners."""
    labels = dict(services)
    listeners = tuple(
        one.listener.model_copy(update={"service": labels.get(f"{one.listener.port}/{one.listener.proto}")})
        for one in expectations
    )
    coverage = tuple(Coverage(source=name, status="ok") for name in ("tcp", "tcp6", "udp", "udp6", "namespaces"))
    system = System(collected_at=_DAY, byte_order="little", privileged=True, states={"tcp": dict(states)})
    return HostFacts(system=system, listeners=listeners, coverage=coverage, gaps=(), services=labels)
