"""Bytes of a file in, a `Document` out: its nodes, its hash, its lines, and the problems found in it so far."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from pydantic_core import PydanticCustomError

from auditor.document.composition import Node, compose
from auditor.document.scalars import Scalar, resolve
from auditor.errors import DocumentError, Problem
from auditor.model.origin import Origin

MAX_BYTES = 10 * 1024 * 1024

Loc = tuple[str | int, ...]
"""The way to a value: ("hosts", "web-01", "port")."""

Tree = Scalar | list["Tree"] | dict[str, "Tree"]

# What YAML 1.2 (chapter 5.1) does not allow in a stream, and where its lines end for the library that reads it.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_LINE_END = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_MAY_HOLD_SECRET = re.compile(r"(?i)(?:pass|secret|token)[^:]*:(?!\s*[\"']?(?:env:\w|file:[^\s]))")


class Document:
    """One file. Problems are collected, and raised together by `finish`."""

    def __init__(self, file: str, data: bytes, text: str) -> None:
        self.file = file
        self.sha256 = hashlib.sha256(data).hexdigest()
        self.problems: list[Problem] = []
        self.dropped: set[Loc] = set()
        self._places: set[tuple[int, int]] = set()
        self._damaged: set[Node] = set()
        self._emptied: set[tuple[Node, str]] = set()
        self.text = text
        self.root = Node(1, 1, {})

    @cached_property
    def lines(self) -> list[str]:
        return _LINE_END.split(self.text)

    def find(self, loc: Loc) -> tuple[Node, Node]:
        """Return the key node and the value node at `loc`, or of the deepest part of it that exists."""
        way = self._way(loc)
        if not way:
            return self.root, self.root
        parent, node, last = way[-1]
        return (parent.content[str(last)][0] if isinstance(parent.content, dict) else node), node

    def origin(self, loc: Loc) -> Origin:
        """Return the place of the key (or list item) at `loc`."""
        key, _ = self.find(loc)
        return Origin(file=self.file, line=key.line, column=key.column)

    def complain(self, loc: Loc, message: str, hint: str = "", *, key: bool = False) -> None:
        """Note a problem with the value at `loc`, or with its key."""
        key_node, value_node = self.find(loc)
        node = key_node if key else value_node
        self.report(node.line, node.column, message, hint)

    @contextmanager
    def telling(self, loc: Loc, *, key: bool = False) -> Iterator[None]:
        """Turn a mistake raised inside into a problem with the value at `loc`, or with its key."""
        try:
            yield
        except PydanticCustomError as error:
            context = error.context or {}
            self.complain(loc, context["message"], context["hint"], key=key)

    def report(self, line: int, column: int, message: str, hint: str = "") -> None:
        """Note a problem at a place. The line is shown with it unless a secret may stand there."""
        known = 0 < line <= len(self.lines)
        source = self.lines[line - 1] if known and not _may_hold_secret(self.lines[max(0, line - 100) : line]) else ""
        self._places.add((line, column))
        self.problems.append(Problem(self.file, line, column, message, hint, source))

    def has_problem(self, line: int, column: int) -> bool:
        """Return whether a problem is noted at this very place."""
        return (line, column) in self._places

    def finish(self) -> None:
        """Raise DocumentError when there is any problem."""
        if self.problems:
            raise DocumentError(self.problems)

    def drop(self, locs: Iterable[Loc]) -> bool:
        """Take the deepest existing part of each loc out of the document; False when one is the whole of it."""
        ways = [self._way(loc) for loc in locs]
        for way in filter(None, ways):
            parent, child, last = way[-1]
            if isinstance(parent.content, dict):
                parent.content.pop(str(last), None)
                self._emptied.add((parent, str(last)))
            elif isinstance(parent.content, list) and child in parent.content:
                parent.content.remove(child)
            self._damaged.add(parent)
            self.dropped.add(tuple(part for _, _, part in way))
        return all(ways)

    def was_dropped(self, loc: Loc) -> bool:
        """Return whether the key at `loc` was taken out. Parts that name a type and no place do not count."""
        # By its mapping, not by the way to it: an item taken out of a list moves those behind it.
        way = self._way(loc[:-1])
        return bool(loc) and (way[-1][1] if way else self.root, str(loc[-1])) in self._emptied

    def is_damaged(self, loc: Loc) -> bool:
        """Return whether something was dropped from the mapping at `loc`: what it lacks may have been there."""
        return self.find(loc)[1] in self._damaged

    def _way(self, loc: Loc) -> list[tuple[Node, Node, str | int]]:
        """Return each step to `loc` that exists: the container, the value in it, and its key or index."""
        way: list[tuple[Node, Node, str | int]] = []
        node = self.root
        for part in loc:
            content = node.content
            child = None
            if isinstance(content, dict) and part in content:
                child = content[str(part)][1]
            elif isinstance(content, list) and isinstance(part, int) and part < len(content):
                child = content[part]
            if child is not None:
                way.append((node, child, part))
                node = child
        return way

    def tree(self) -> Tree:
        """Return the values without their places."""
        return _tree(self.root)


def _may_hold_secret(lines: list[str]) -> bool:
    """Return whether the last of these lines, or the line it is indented under, has a secret's key and no reference."""
    *above, line = lines
    indent = len(line) - len(line.lstrip())
    parents = (upper for upper in reversed(above) if upper.strip() and len(upper) - len(upper.lstrip()) < indent)
    return any(_MAY_HOLD_SECRET.search(text) for text in (line, next(parents, "")))


def _tree(node: Node) -> Tree:
    content = node.content
    if isinstance(content, str):
        return resolve(content) if node.plain else content
    if isinstance(content, list):
        return [_tree(item) for item in content]
    return {name: _tree(value) for name, (_, value) in content.items()}


def read_document(path: Path) -> Document:
    """Return the document in the file at `path`. Raises DocumentError as `parse_document` does."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise DocumentError([Problem(str(path), 0, 0, "there is no such file", "check the path")]) from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise DocumentError([Problem(str(path), 0, 0, f"cannot be read: {reason}")]) from None
    return parse_document(data, str(path))


def parse_document(data: bytes, file: str) -> Document:
    """Return the document in `data`; `file` is how its problems name it.

    Raises DocumentError when it is not one YAML mapping in UTF-8 text of at most 10 MiB. Duplicate keys, anchors,
    aliases and tags are noted in the document and raised with everything else that is wrong in it.
    """
    document = Document(file, data, _decode(data, file))
    _refuse_controls(document)
    root = compose(document.text, document.report)
    if root is None:
        document.finish()
    elif not isinstance(root.content, dict):
        _refuse_root(document, root)
    else:
        document.root = root
    return document


def _decode(data: bytes, file: str) -> str:
    """Return the text of `data`, a byte order mark left out."""
    if len(data) > MAX_BYTES:
        raise DocumentError([Problem(file, 0, 0, f"larger than {MAX_BYTES // 1024**2} MiB", "split it into several")])
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data:
        raise DocumentError([Problem(file, 0, 0, "not text in UTF-8 (UTF-16, or binary)", "save it as UTF-8")])
    try:
        return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line, column = before.count(b"\n") + 1, error.start - before.rfind(b"\n")
        message = f"byte 0x{data[error.start]:02x} is not UTF-8"
        raise DocumentError([Problem(file, line, column, message, "save it as UTF-8")]) from None


def _refuse_controls(document: Document) -> None:
    """Raise DocumentError at the first character that YAML does not allow."""
    found = _FORBIDDEN.search(document.text)
    if found is None:
        return
    before = _LINE_END.split(document.text[: found.start()])
    message = f"the control character U+{ord(found.group()):04X} stands here"
    document.report(len(before), len(before[-1]) + 1, message, "remove it; in double quotes it can be written as \\x..")
    document.finish()


def _refuse_root(document: Document, root: Node) -> None:
    nothing = isinstance(root.content, str) and root.plain and resolve(root.content) is None
    if nothing:
        message = "the file is empty, or holds only comments"
    elif isinstance(root.content, list):
        message = "expected `key: value` lines, found a list"
    else:
        message = "expected `key: value` lines, found only a value"
    document.report(0 if nothing else root.line, root.column, message, "start with `version: 1`")
    document.finish()
