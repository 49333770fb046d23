"""The paths of policy files and folders in, a `PolicySet` out."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from auditor.document import Document, read_document, salvage
from auditor.errors import DocumentError, Problem, UsageError
from auditor.model.policy import Policy, PolicySet, Selector
from auditor.policies.entries import Entries
from auditor.policies.file import AppliesFile, PolicyFile, SelectorFile

_SUFFIXES = frozenset({".yaml", ".yml"})
_NEXT = "name a policy file, or a folder of them, with -p"


def load_policies(paths: Sequence[Path]) -> PolicySet:
    """Return the policies in the files `paths`; of a folder, every *.yaml and *.yml directly in it.

    Raises UsageError when a path is not there or holds no policy, DocumentError with every problem of every file.
    """
    problems: list[Problem] = []
    policies: dict[str, Policy] = {}
    for path in _find_files(paths):
        try:
            policy, document = _load_policy(path)
            _claim_name(document, policy, policies)
            document.finish()
        except DocumentError as error:
            problems.extend(error.problems)
    if problems:
        raise DocumentError(problems)
    return PolicySet(policies=tuple(policies[name] for name in sorted(policies)))


def _find_files(paths: Iterable[Path]) -> list[Path]:
    """Return every policy file once, however often it is named."""
    found: dict[Path, Path] = {}
    for path in paths:
        if not path.exists():
            raise UsageError(f"there is no policy {path}", _NEXT)
        files = sorted(_in_folder(path)) if path.is_dir() else [path]
        if not files:
            raise UsageError(f"there is no policy (*.yaml) in {path}", _NEXT)
        for file in files:
            found.setdefault(file.resolve(), file)
    if not found:
        raise UsageError("no policy is given", _NEXT)
    return list(found.values())


def _in_folder(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix in _SUFFIXES and not path.name.startswith(".")]


def _load_policy(path: Path) -> tuple[Policy, Document]:
    """Return the policy in the file, and its document, in which problems are noted."""
    document = read_document(path)
    file = salvage(document, PolicyFile)
    entries = Entries(document, file)
    policy = Policy(
        name=file.policy,
        path=str(path),
        sha256=document.sha256,
        description=file.description or "",
        controls=tuple(file.controls or ()),
        applies_to=_read_applies(document, file.applies_to),
        excluded=_selector(file.applies_to.except_) if file.applies_to else None,
        default=file.default or "deny",
        severity=file.severity or "high",
        ephemeral_udp=file.ephemeral_udp or "ignore",
        allow=entries.read("allow", file.allow or ()),
        deny=entries.read("deny", file.deny or ()),
        origin=document.origin(("policy",)),
    )
    return policy, document


def _read_applies(document: Document, applies: AppliesFile | None) -> Selector | None:
    """Return which hosts a policy is for, None for every host; `except` is not part of it."""
    if applies is None:
        return None
    if not applies.model_fields_set and not document.is_damaged(("applies_to",)):
        document.complain(("applies_to",), "nothing stands in here", "remove it to mean every host, or name groups")
    left_out = applies.except_
    if left_out is not None and not left_out.model_fields_set and not document.is_damaged(("applies_to", "except")):
        document.complain(("applies_to", "except"), "nothing stands in here", "name hosts, groups or labels")
    return _selector(applies)


def _selector(selector: SelectorFile | None) -> Selector | None:
    if selector is None or (selector.groups, selector.hosts, selector.labels) == (None, None, None):
        return None
    return Selector(
        groups=tuple(selector.groups or ()), hosts=tuple(selector.hosts or ()), labels=selector.labels or {}
    )


def _claim_name(document: Document, policy: Policy, policies: dict[str, Policy]) -> None:
    first = policies.setdefault(policy.name, policy)
    if first is not policy:
        message = f"the policy {policy.name!r} is already there: {first.origin}"
        document.complain(("policy",), message, "give one of them another name")
