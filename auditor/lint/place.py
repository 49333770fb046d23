"""Policies in, the places of what they say out: the files they were read from, looked at once more."""

from collections.abc import Iterable
from pathlib import Path

from auditor.document import Document, Loc, Tree, read_document
from auditor.errors import Problem
from auditor.model.origin import Origin
from auditor.model.policy import Entry, PolicySet

_Place = tuple[str, int, int]


class Places:
    """The files of a policy set, for the column of a key that the model does not keep."""

    def __init__(self, policies: PolicySet) -> None:
        self._documents: dict[str, Document] = {}
        self._entries: dict[_Place, tuple[Document, Loc]] = {}
        for policy in policies.policies:
            files = {policy.origin.file, *(entry.origin.file for entry in (*policy.allow, *policy.deny))}
            for file in sorted(files - self._documents.keys()):
                self._add(read_document(Path(file)))

    def _add(self, document: Document) -> None:
        self._documents[document.file] = document
        tree = document.tree()
        for action in ("allow", "deny"):
            entries = tree.get(action) if isinstance(tree, dict) else None
            for index in range(len(entries) if isinstance(entries, list) else 0):
                loc = (action, index)
                self._entries[_key(document.origin(loc))] = (document, loc)

    def says(self, entry: Entry, key: str) -> bool:
        """Return whether `key` is written in the entry."""
        document, loc = self._entries[_key(entry.origin)]
        _, node = document.find(loc)
        return isinstance(node.content, dict) and key in node.content

    def at_entry(self, entry: Entry, keys: Iterable[str], message: str, hint: str) -> Problem:
        """Return a warning at the first of these keys that the entry says, else at the entry itself."""
        document, loc = self._entries[_key(entry.origin)]
        written = next((key for key in keys if self.says(entry, key)), None)
        return _warn(document, (*loc, written) if written else loc, message, hint)

    def at(self, file: str, loc: Loc, message: str, hint: str) -> Problem:
        """Return a warning at the value `loc` of a policy's own file."""
        return _warn(self._documents[file], loc, message, hint)

    def tree(self, file: str) -> Tree:
        """Return what a policy's own file says."""
        return self._documents[file].tree()


def _key(origin: Origin) -> _Place:
    return origin.file, origin.line, origin.column


def _warn(document: Document, loc: Loc, message: str, hint: str) -> Problem:
    _, node = document.find(loc)
    source = document.lines[node.line - 1] if 0 < node.line <= len(document.lines) else ""
    return Problem(document.file, node.line, node.column, message, hint, source, "warning")
