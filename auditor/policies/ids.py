"""The ids of a policy: each names one entry or waiver, in the file and in what it includes."""

import re
from collections.abc import Sequence

from auditor.document import Document, Loc
from auditor.model.origin import Origin


def make_id(said: Sequence[str]) -> str:
    """Return an id that stays the same while an entry says the same, wherever it stands in the file."""
    return re.sub(r"[^A-Za-z0-9.:]+", "-", " ".join(said)).strip("-")


class Ids:
    """The ids taken so far, and where."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._taken: dict[str, Origin] = {}

    def claim(self, loc: Loc, written: str | None, said: Sequence[str]) -> str:
        """Return the id of the mapping at `loc`: as written, or made from what it says."""
        name = written or make_id(said)
        if written is None and self._document.was_dropped((*loc, "id")):
            return name  # its own was refused, and the one made instead may be another's
        hint = "give this entry another id" if written else "remove it, or give it an id of its own"
        self._take(name, self._document.origin(loc), (*loc, "id") if written else loc, hint)
        return name

    def include(self, loc: Loc, name: str, origin: Origin) -> None:
        """Take the id of something that the include at `loc` brings."""
        self._take(name, origin, loc, f"give one of them another id; this one is in {origin}")

    def _take(self, name: str, origin: Origin, loc: Loc, hint: str) -> None:
        first = self._taken.setdefault(name, origin)
        if first != origin:
            where = f"on line {first.line}" if first.file == self._document.file else f"in {first}"
            self._document.complain(loc, f"the id {name!r} is already there, {where}", hint)
