"""What namespaces.sh printed in, the tables of every other network namespace out, each with its label."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from auditor.display import escape
from auditor.model.snapshot import Section
from auditor.model.socket_tables import SOCKET_TABLES
from auditor.parse.checks import check_counters
from auditor.parse.containers import read_container
from auditor.parse.socket import WordOrder
from auditor.parse.sockstat import read_counters
from auditor.parse.table import Table, open_table
from auditor.parse.tables import check_counts, parse_tables

_MARK = re.compile(rb"^\+ ([^\n]*)\n", re.MULTILINE)
_BEGIN = re.compile(rb"begin ([0-9]{1,20}) ([0-9]{1,20}) (\S{1,255})((?: [a-z0-9_/]{1,20}){1,40})")
_END = re.compile(rb"end ([0-9]{1,20}) (ok|error|gone)")
_NAME = re.compile(rb"name ([0-9]{1,20}) ([^\n]{1,255})")
_SEPARATOR = re.compile(rb"^Linux\n", re.MULTILINE)
_MOST_FAULTS = 8
_TWICE = ("sockstat", "sockstat6", "snmp")
_DENIED = "other network namespaces are read as root only: log in as root, or set `sudo: true` for the host"
_UNREAD = (
    "what answers there does not read other network namespaces, as the collector of `netaudit target-kit` does not, or "
    "this is evidence that was gathered without them: log in without a forced command, as root or with `sudo: true`, "
    "or take `namespaces: true` from the host"
)
_FAULTS = {
    b"more": "there are more than 256 other network namespaces, and the rest was not read",
    b"apart": "it was read from another pid namespace than the host's first, as in a container: the network namespaces "
    "that only processes outside of it are in do not show",
    b"denied": "of some processes it may not be known in which network namespace they are",
}


class Namespace(NamedTuple):
    """One network namespace that is not the reader's: its number (0: not known), and what holds it."""

    number: int
    holder: str
    sections: Mapping[str, Section]


class Reading(NamedTuple):
    """A namespace with its label and its tables."""

    label: str
    tables: Sequence[Table]


def parse_namespaces(
    section: Section | None, order: WordOrder, *, elsewhere: bool, wanted: bool
) -> tuple[Table, list[Reading]]:
    """Return how the reading went and every namespace; nothing where nobody asked for it. Never raises.

    `elsewhere`: we are not in the namespace of the host's first process, so that is one of those here: the host's own.
    `wanted`: somebody asked, so there must be an answer.
    """
    table = open_table("namespaces", section, optional=not wanted)
    if table.status == "absent" and wanted:
        table.faults[:] = [_UNREAD]
    elif table.status == "denied":
        table.faults[:] = [_DENIED]
    elif table.status == "empty":  # there is no other
        table.status = "ok"
        table.faults.clear()
    if not table.data:
        return table, []
    answer = _Answer(table)
    answer.read()
    found = list(answer.found.values())
    labels = _label(found, answer.names, elsewhere=elsewhere)
    readings = [Reading(label, _parse(one, label, order, table)) for one, label in zip(found, labels, strict=True)]
    table.rows = len(readings)
    if len(table.faults) > _MOST_FAULTS:
        table.faults[_MOST_FAULTS:] = [f"and {len(table.faults) - _MOST_FAULTS} more"]
    table.listeners = sum(len(each.sockets) for reading in readings for each in reading.tables)
    return table, sorted(readings, key=lambda reading: (reading.label != "host", reading.label))


def _parse(namespace: Namespace, label: str, order: WordOrder, whole: Table) -> list[Table]:
    """Return the tables of one namespace, held against its own counters; what is wrong is a fault of the whole."""
    counters = read_counters(namespace.sections)
    tables = check_counts(parse_tables(namespace.sections, order), counters)
    for gap in check_counters(namespace.sections, counters):
        whole.fail("inconsistent", f"in {label}: {gap.reason}")
    for table in tables:
        whole.rejected += table.rejected
        whole.duplicates += table.duplicates
        if table.faults:
            whole.fail(table.status, f"in {label}, {table.name}: {'; '.join(table.faults)}")
    return tables


class _Answer:
    """One pass over the answer: the namespaces so far, the names, and the attempts that came to nothing."""

    def __init__(self, table: Table) -> None:
        self.found: dict[bytes, Namespace] = {}
        self.names: dict[int, str] = {}
        self._table = table
        self._failed: dict[bytes, re.Match[bytes]] = {}
        self._opened: re.Match[bytes] | None = None

    def read(self) -> None:
        """Take all of it; what is missing in the end is a fault of the table."""
        for words, block in _blocks(self._table):
            if self._opened is not None:
                self._close(self._opened, words, block)
            else:
                self._take(words)
        if self._opened is not None:
            self._table.fail("truncated", "the answer ends inside a network namespace")
        for key, opened in self._failed.items():
            if key not in self.found:
                self._table.fail("truncated", self._say_failed(opened))
        if self._table.rejected:
            self._table.settle()

    def _take(self, words: bytes) -> None:
        if named := _NAME.fullmatch(words):
            self.names[int(named[1])] = escape(named[2].decode("utf-8", "backslashreplace"), 64)
        elif words in _FAULTS:
            self._table.fail("truncated", _FAULTS[words])
        else:
            self._opened = _BEGIN.fullmatch(words)
            if self._opened is None:
                self._table.reject(None, words)

    def _close(self, opened: re.Match[bytes], words: bytes, block: bytes) -> None:
        """End a namespace. One whose process is gone may be read through its next; if it has none, it is gone too."""
        self._opened = None
        ended = _END.fullmatch(words)
        if ended is not None and ended[2] == b"gone":
            return
        key = b"name %b" % opened[2] if opened[1] == b"0" else opened[1]  # one without a process has only a name
        parts = _SEPARATOR.split(block)
        files = opened[4].split()
        if ended is None or ended[1] != opened[1] or ended[2] != b"ok" or len(parts) != len(files) + 1 or parts[-1]:
            self._failed[key] = opened
        else:
            self.found.setdefault(key, Namespace(int(opened[2]), _holder(opened), _name_sections(files, parts)))

    def _say_failed(self, opened: re.Match[bytes]) -> str:
        name = self.names.get(int(opened[2])) if opened[1] == b"0" else None
        if name is None:
            return f"the network namespace of {_holder(opened)} could not be read whole"
        return (
            f"the network namespace {name} could not be read whole: no process is in it, so that takes nsenter(1) "
            f"there; if nobody needs it, `ip netns delete {name}` removes it"
        )


def _holder(opened: re.Match[bytes]) -> str:
    """Return the number of the process through which a namespace was read."""
    return escape(opened[3].decode("utf-8", "backslashreplace"), 64)


def _blocks(table: Table) -> Iterator[tuple[bytes, bytes]]:
    """Yield the words of each mark, and what stands before it."""
    at = 0
    for match in _MARK.finditer(table.data):
        yield match[1], table.data[at : match.start()]
        at = match.end()
    if at != len(table.data):
        table.fail("truncated", "the answer ends inside a network namespace")


def _name_sections(files: Sequence[bytes], parts: Sequence[bytes]) -> dict[str, Section]:
    """Return the sections as the host's own have them; what is not among the files was not there."""
    found = {name: Section(name=name, status="absent") for name in (*SOCKET_TABLES, "if_inet6", "unix")}
    times: Counter[str] = Counter()
    for file, part in zip(files, parts, strict=False):
        name = file.decode("ascii").removeprefix("net/").removesuffix("/eps")
        times[name] += 1
        if name in _TWICE:
            name = f"{name}.{times[name]}"
        before = found[name].data if times[name] > 1 and name in found else b""
        found[name] = Section(name=name, status="ok", data=before + part)
    return found


def _label(namespaces: Sequence[Namespace], names: Mapping[int, str], *, elsewhere: bool) -> list[str]:
    """Return one label for each: the container, else the name somebody gave it, else its number. No two are alike."""
    labels = [_name(each, names, elsewhere=elsewhere) for each in namespaces]
    alike = Counter(labels)
    return [
        label if alike[label] == 1 else f"{label} {_spell_number(each)}"
        for each, label in zip(namespaces, labels, strict=True)
    ]


def _name(namespace: Namespace, names: Mapping[int, str], *, elsewhere: bool) -> str:
    if elsewhere and namespace.holder == "1":
        return "host"
    cgroup = namespace.sections.get("cgroup")
    container = read_container(cgroup.data) if cgroup is not None else None
    if container is not None:
        return container
    if namespace.number in names:
        return f"netns:{names[namespace.number]}"
    return _spell_number(namespace)


def _spell_number(namespace: Namespace) -> str:
    """Return `net:[4026532271]`, as readlink(1) prints it; where that may not be seen, the process that holds it."""
    return f"net:[{namespace.number}]" if namespace.number else f"net:[pid {escape(namespace.holder, 64)}]"
