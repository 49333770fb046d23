"""The paths of policy files and folders in, a `PolicySet` out."""

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from auditor.document import Document
from auditor.errors import DocumentError, UsageError
from auditor.model.policy import Policy, PolicySet
from auditor.policies.read import PolicyReader

_SUFFIXES = frozenset({".yaml", ".yml"})
_NEXT = "name a policy file, or a folder of them, with -p"


def load_policies(paths: Sequence[Path], today: date | None = None) -> PolicySet:
    """Return the policies in the files `paths`; of a folder, every *.yaml and *.yml directly in it.

    `today` is what waivers may be at most a year ahead of; without it their end is not checked. Raises UsageError when
    a path is not there or holds no policy, DocumentError with every problem of every file.
    """
    reader = PolicyReader(today)
    policies: dict[str, Policy] = {}
    for path in _find_files(paths):
        part = reader.read(path)
        if part is not None:
            _claim_name(part.document, part.policy, policies)
    if problems := reader.list_problems():
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


def _claim_name(document: Document, policy: Policy, policies: dict[str, Policy]) -> None:
    first = policies.setdefault(policy.name, policy)
    if first is not policy:
        message = f"the policy {policy.name!r} is already there: {first.origin}"
        document.complain(("policy",), message, "give one of them another name")
