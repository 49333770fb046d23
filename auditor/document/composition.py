"""YAML text in, a tree of nodes with positions out: the only file that knows the YAML library.

The tree is built from parser events, not from the library's own loader, so that depth is bounded before anything is
nested, aliases are never expanded (a 300-byte file can stand for 10^8 values), nothing is ever constructed from a tag,
and each of these is a problem with a place while the rest of the file is still read.
"""

from collections.abc import Callable
from dataclasses import dataclass

import yaml

MAX_DEPTH = 50

# libyaml reads ten times as fast as PyYAML's own parser; both give the same events and marks.
_Loader: type[yaml.CBaseLoader] | type[yaml.BaseLoader] = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_Container = dict[str, tuple["Node", "Node"]] | list["Node"]
Report = Callable[[int, int, str, str], None]
"""How a problem is told: line, column (from 1), message, hint."""


@dataclass(slots=True, eq=False)
class Node:
    """A value of the file. `content` is a scalar's text, a mapping's {key: (key node, value)} or a list's items."""

    line: int
    column: int
    content: str | _Container
    plain: bool = False


@dataclass(slots=True, eq=False)
class _Open:
    """A mapping or list whose end has not come yet; `key` is a mapping's key waiting for its value."""

    node: Node
    key: Node | None = None


class _Composer:
    def __init__(self, report: Report) -> None:
        self.report = report
        self.root = Node(1, 1, "", plain=True)
        self.open: list[_Open] = []
        self.documents = 0

    def take(self, event: yaml.Event) -> bool:
        """Put one event in its place; False when reading must stop."""
        if isinstance(event, yaml.ScalarEvent):
            self._refuse_extras(event)
            self._place(_node(event, event.value, plain=not event.style))
        elif isinstance(event, yaml.MappingStartEvent):
            return self._enter(event, {})
        elif isinstance(event, yaml.SequenceStartEvent):
            return self._enter(event, [])
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self.open.pop()
        elif isinstance(event, yaml.AliasEvent):
            node = _node(event, "")
            self.report(node.line, node.column, f"alias *{event.anchor}: aliases are not allowed", _NO_ALIAS)
            self._place(node)
        elif isinstance(event, yaml.DocumentStartEvent):
            return self._count_document(event)
        return True

    def _enter(self, event: yaml.Event, content: _Container) -> bool:
        self._refuse_extras(event)
        node = _node(event, content)
        self._place(node)
        self.open.append(_Open(node))
        if len(self.open) > MAX_DEPTH:
            self.report(node.line, node.column, f"nested more than {MAX_DEPTH} levels deep", "")
            return False
        return True

    def _place(self, node: Node) -> None:
        if not self.open:
            self.root = node
            return
        frame = self.open[-1]
        content = frame.node.content
        if isinstance(content, list):
            content.append(node)
        elif frame.key is None:
            frame.key = node
        else:
            key, frame.key = frame.key, None
            if isinstance(content, dict) and self._accept_key(key, content):
                content[str(key.content)] = (key, node)

    def _accept_key(self, key: Node, siblings: "dict[str, tuple[Node, Node]]") -> bool:
        name = key.content
        if not isinstance(name, str):
            self.report(key.line, key.column, "a key must be one word or text", "write `key: value`")
        elif name == "<<" and key.plain:
            self.report(key.line, key.column, "merge keys (<<) are not allowed", _NO_ALIAS)
        elif not name:
            self.report(key.line, key.column, "there is no key before this colon", "write `key: value`")
        elif name in siblings:
            first = siblings[name][0].line
            self.report(key.line, key.column, f"duplicate key {name!r}, first on line {first}", "keep one of the two")
        else:
            return True
        return False

    def _refuse_extras(self, event: yaml.Event) -> None:
        anchor = getattr(event, "anchor", None)
        tag = getattr(event, "tag", None)
        if anchor is not None:
            self.report(*_position(event), f"anchor &{anchor}: anchors are not allowed", _NO_ALIAS)
        if tag is not None:
            shown = tag.replace("tag:yaml.org,2002:", "!!")
            self.report(*_position(event), f"tag {shown}: tags are not allowed", _NO_TAG)

    def _count_document(self, event: yaml.Event) -> bool:
        self.documents += 1
        if self.documents > 1:
            self.report(*_position(event), "a second document starts here", "one file holds one document")
        return self.documents == 1


_NO_ALIAS = "write the value out; what hosts share belongs into defaults or a group"
_NO_TAG = "remove the tag; to keep a value text, put it in quotes"


def compose(text: str, report: Report) -> Node | None:
    """Return the root node of `text`, telling every problem on the way; None when reading had to stop at one."""
    composer = _Composer(report)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            if not composer.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        report(*_explain(error, text))
        return None
    except (yaml.YAMLError, ValueError) as error:  # ValueError: PyYAML's own parser, on an escape beyond Unicode
        report(0, 0, f"not valid YAML: {error}", "")
        return None
    return composer.root


def _position(event: yaml.Event) -> tuple[int, int]:
    mark = event.start_mark
    return (mark.line + 1, mark.column + 1) if mark is not None else (0, 0)


def _node(event: yaml.Event, content: str | _Container, plain: bool = False) -> Node:
    line, column = _position(event)
    return Node(line, column, content, plain)


_HINTS = {
    "mapping values are not allowed": "put a value that contains ': ' in quotes, or check the indentation",
    "could not find expected ':'": "every line of a mapping is `key: value`; check the indentation of this line",
    "did not find expected key": "check the indentation: keys of one mapping start in the same column",
    "expected <block end>": "check the indentation: keys of one mapping start in the same column",
    "did not find expected '-'": "check the indentation: items of one list start in the same column",
    "cannot start any token": "put a value that starts with @ ` or % in quotes",
    "did not find expected ',' or": "a [ or { is not closed, or a comma is missing",
    "expected ',' or": "a [ or { is not closed, or a comma is missing",
    "unexpected end of stream": "a quote is opened and never closed",
    "did not find expected alphabetic": "put a value that starts with * or & in quotes",
    "undefined alias": _NO_ALIAS,
    "undefined tag handle": _NO_TAG,
}


def _explain(error: yaml.MarkedYAMLError, text: str) -> tuple[int, int, str, str]:
    mark = error.problem_mark or error.context_mark
    if mark is None:
        return 0, 0, f"not valid YAML: {error.problem}", ""
    problem = error.problem or "cannot be read"
    start = text.rfind("\n", 0, mark.index) + 1
    indent = text[start : mark.index + 1]
    if "\t" in indent and not indent.strip():
        return mark.line + 1, indent.index("\t") + 1, "a tab is used for indentation", "indent with spaces"
    hint = next((hint for words, hint in _HINTS.items() if words in problem), "")
    return mark.line + 1, mark.column + 1, f"not valid YAML: {problem}", hint
