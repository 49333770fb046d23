"""The groups of an inventory in; for a host's groups, all the groups it is in and what they say, out.

A host is in the groups it lists and in all their parents. Their settings lie on each other parents first, in the order
listed: of two groups that differ the later wins, and a group always wins over its own parents.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from auditor.document import Document, Loc, suggest
from auditor.inventory.file import InventoryFile
from auditor.inventory.names import check_group_name
from auditor.inventory.settings import Layer, read_layer, stack_layers


class Groups:
    """The groups section; when it is missing, any group may be named and none says anything."""

    def __init__(self, document: Document, file: InventoryFile, base: Path) -> None:
        entries = file.groups or {}
        self._document = document
        self._defaults = read_layer(document, ("defaults",), file.defaults, base)
        self._layers = {name: read_layer(document, ("groups", name), entry, base) for name, entry in entries.items()}
        self._closed = file.groups is not None
        self._known = frozenset(entries) | {str(loc[1]) for loc in document.dropped if loc[0] == "groups" and loc[1:]}
        self._nearest = cache(lambda name: suggest(name, self._known))
        for name in entries:
            with document.telling(("groups", name), key=True):
                check_group_name(name)
        parents = {name: list(entry.groups or ()) if entry else [] for name, entry in entries.items()}
        for name, listed in parents.items():
            self.require(("groups", name, "groups"), listed)
        self._lineages = _lineages(break_circles(document, parents, lambda name: ("groups", name, "groups")))
        self.stack = cache(self._stack)

    def require(self, loc: Loc, listed: Sequence[str]) -> None:
        """Note a problem for each name in `listed`, written at `loc`, that is not a group."""
        for index, name in enumerate(listed):
            if not self._closed:
                with self._document.telling((*loc, index)):
                    check_group_name(name)
            elif name not in self._known:
                hint = self._nearest(name) or f"add it under groups: `{name}: {{}}`"
                self._document.complain((*loc, index), f"there is no group {name!r}", hint)

    def _stack(self, listed: tuple[str, ...]) -> tuple[tuple[str, ...], Layer]:
        """Return all groups of a host that lists these, and what defaults and they say together."""
        every = [group for name in listed for group in self._lineages.get(name, (name,))]
        order = tuple(dict.fromkeys(every))
        return order, stack_layers([self._defaults, *(self._layers.get(name, {}) for name in order)])


def _lineages(parents: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """Return for each group all it belongs to, parents first, itself last."""
    lineages: dict[str, tuple[str, ...]] = {}
    for name in TopologicalSorter(parents).static_order():
        above = [group for parent in parents.get(name, ()) for group in lineages[parent]]
        lineages[name] = (*dict.fromkeys(above), name)
    return lineages


def break_circles(
    document: Document, edges: Mapping[str, Sequence[str]], place: Callable[[str], Loc]
) -> dict[str, Sequence[str]]:
    """Return `edges` without the nodes that lead back to themselves, each such circle noted as a problem at `place`."""
    left = dict(edges)
    while True:
        try:
            TopologicalSorter(left).prepare()
        except CycleError as error:
            circle: list[str] = error.args[1][::-1]
            start = circle.index(min(circle))
            turned = circle[start:-1] + circle[: start + 1]
            document.complain(place(turned[0]), f"a circle: {' → '.join(turned)}", "take one of these links out")
            left = {name: targets for name, targets in left.items() if name not in circle}
        else:
            return left
