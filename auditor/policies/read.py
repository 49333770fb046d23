"""The path of one policy file in, the policy with all it includes out. Every file is read once.

What an included file lists (allow, deny, waivers), bounds (states, accept_queue) and names (services) holds in the
including policy as if it stood there, wherever that policy applies; every line keeps its own file and number. Its
`severity` and `controls` stay with its lines. Of `default`, `ephemeral_udp`, `raw_sockets` and `exposures` the
including file's own hold, and where it says nothing the strictest of the included ones.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import NamedTuple, TypeVar, get_args

from auditor.document import Document, read_document, salvage
from auditor.errors import DocumentError, Problem
from auditor.model.origin import Origin
from auditor.model.policy import SWITCHES, Bound, Default, Entry, Policy, PolicyFileRef, Ports, Switch, Waiver
from auditor.policies.applies import read_applies, read_selector
from auditor.policies.bounds import read_bounds
from auditor.policies.entries import Entries
from auditor.policies.file import PolicyFile
from auditor.policies.ids import Ids
from auditor.policies.waivers import read_waivers

Written = TypeVar("Written", Bound, Entry, Waiver)
_STRICTNESS: tuple[Default, ...] = get_args(Default)


class Choice(NamedTuple):
    """What a switch is set to, and where; None and None: nowhere."""

    value: Default | None
    origin: Origin | None


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """A policy file that was read. `policy` has what it includes; `included` are those files, each once."""

    policy: Policy
    document: Document
    written: PolicyFile
    services: Mapping[str, tuple[Ports, ...]]
    included: Mapping[Path, "Part"]


class PolicyReader:
    """Reads policy files; problems of all of them come together in `list_problems`."""

    def __init__(self, today: date | None) -> None:
        self._today = today
        self._parts: dict[Path, Part | None] = {}
        self._reading: list[Path] = []
        self._documents: list[Document] = []
        self._problems: list[Problem] = []

    def list_problems(self) -> list[Problem]:
        return [*self._problems, *(problem for document in self._documents for problem in document.problems)]

    def read(self, path: Path) -> Part | None:
        """Return the policy in the file; None when nothing in it can be used, and its problems are noted."""
        place = path.resolve()
        if place not in self._parts:
            self._reading.append(path)
            try:
                self._parts[place] = self._read(path)
            except DocumentError as error:
                self._problems.extend(error.problems)
                self._parts[place] = None
            self._reading.pop()
        return self._parts[place]

    def _read(self, path: Path) -> Part:
        document = read_document(path)
        self._documents.append(document)
        file = salvage(document, PolicyFile)
        included = self._read_included(path, document, file)
        return _assemble(path, document, file, included, self._today)

    def _read_included(self, path: Path, document: Document, file: PolicyFile) -> dict[Path, Part]:
        """Return every file that is included, directly or not, each once."""
        found: dict[Path, Part] = {}
        for index, name in enumerate(file.include or ()):
            target = path.parent / name
            refusal = self._refuse(name, target)
            if refusal is not None:
                document.complain(("include", index), *refusal)
                continue
            part = self.read(target)
            if part is None:
                continue
            if part.written.applies_to is not None:
                message = f"{name} has applies_to, and what is included holds wherever this policy does"
                hint = f"take applies_to out of {part.policy.origin.file}, or name that file with -p by itself"
                document.complain(("include", index), message, hint)
            for place, each in ((target.resolve(), part), *part.included.items()):
                found.setdefault(place, each)
        return found

    def _refuse(self, name: str, target: Path) -> tuple[str, str] | None:
        """Return why a file cannot be included, None when it can."""
        if Path(name).is_absolute() or name.startswith("~"):
            return f"{name} is not relative to this file", "write the way from the folder of this file to that one"
        if not target.is_file():
            return f"there is no file {target}", "write the way from the folder of this file to that one"
        trail = [path.resolve() for path in self._reading]
        if target.resolve() in trail:
            way = [*self._reading[trail.index(target.resolve()) :], target]
            return f"it comes back to itself: {' includes '.join(map(str, way))}", "remove one of these includes"
        return None


def _assemble(
    path: Path, document: Document, file: PolicyFile, included: Mapping[Path, Part], today: date | None
) -> Part:
    ids = Ids(document)
    parts = tuple(included.values())
    _claim_included(ids, parts)
    inherited = {name: ports for part in reversed(parts) for name, ports in part.services.items()}
    entries = Entries(document, file, ids, inherited)
    allow, deny = entries.read("allow", file.allow or ()), entries.read("deny", file.deny or ())
    waivers = read_waivers(document, file, ids, today)
    chosen = {switch: _choose(document, file, parts, switch) for switch in SWITCHES}
    policy = Policy(
        name=file.policy,
        path=str(path),
        sha256=document.sha256,
        description=file.description or "",
        controls=tuple(file.controls or ()),
        applies_to=read_applies(document, file.applies_to),
        excluded=read_selector(file.applies_to.except_) if file.applies_to else None,
        default=chosen["default"].value or "deny",
        severity=file.severity or "high",
        ephemeral_udp=chosen["ephemeral_udp"].value or "ignore",
        raw_sockets=chosen["raw_sockets"].value or "ignore",
        exposures=chosen["exposures"].value or "ignore",
        written={switch: choice.origin for switch, choice in chosen.items() if choice.origin is not None},
        allow=(*allow, *_adopt(file.policy, parts, "allow")),
        deny=(*deny, *_adopt(file.policy, parts, "deny")),
        bounds=(*read_bounds(document, file), *_adopt_bounds(file.policy, parts)),
        waivers=(*waivers, *_adopt_waivers(file.policy, parts)),
        included=tuple(
            PolicyFileRef(name=each.policy.name, path=each.policy.path, sha256=each.policy.sha256) for each in parts
        ),
        origin=document.origin(("policy",)),
    )
    return Part(policy, document, file, entries.services, included)


def _adopt(policy: str, parts: tuple[Part, ...], action: str) -> Iterator[Entry]:
    """Yield the entries of included files as they hold in `policy`."""
    for part in parts:
        for entry in _own(part, part.policy.allow if action == "allow" else part.policy.deny):
            controls = tuple(dict.fromkeys((*entry.controls, *part.policy.controls)))
            severity = entry.severity or part.written.severity
            yield entry.model_copy(update={"policy": policy, "controls": controls, "severity": severity})


def _adopt_waivers(policy: str, parts: tuple[Part, ...]) -> Iterator[Waiver]:
    for part in parts:
        for waiver in _own(part, part.policy.waivers):
            yield waiver.model_copy(update={"policy": policy})


def _adopt_bounds(policy: str, parts: tuple[Part, ...]) -> Iterator[Bound]:
    for part in parts:
        for bound in _own(part, part.policy.bounds):
            severity = bound.severity or part.written.severity
            yield bound.model_copy(update={"policy": policy, "severity": severity})


def _own(part: Part, ones: Iterable[Written]) -> Iterator[Written]:
    """Yield what stands in the file itself; what it includes comes with a part of its own."""
    return (one for one in ones if one.origin.file == part.policy.path)


def _claim_included(ids: Ids, parts: tuple[Part, ...]) -> None:
    for part in parts:
        for entry in _own(part, (*part.policy.allow, *part.policy.deny)):
            ids.include(("include",), entry.id, entry.origin)
        for waiver in _own(part, part.policy.waivers):
            ids.include(("include",), waiver.id, waiver.origin)


def _choose(document: Document, file: PolicyFile, parts: tuple[Part, ...], switch: Switch) -> Choice:
    """Return what a switch is set to: in the file itself, else the strictest in those it includes."""
    own = _written(document, file, switch)
    others = [_written(part.document, part.written, switch) for part in parts] if own.value is None else []
    return min((one for one in others if one.value is not None), key=_strictness, default=own)


def _written(document: Document, file: PolicyFile, switch: Switch) -> Choice:
    value: Default | None = getattr(file, switch)
    return Choice(value, document.origin((switch,)) if value is not None else None)


def _strictness(choice: Choice) -> int:
    return _STRICTNESS.index(choice.value or "ignore")
