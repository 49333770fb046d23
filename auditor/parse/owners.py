"""What owners.sh printed in, who holds a socket out: or in one word why that is not known.

Only the word `known` says that the processes are all there are. That takes a view of every process: root's, with none
that could not be looked into, from the host's own pid namespace: from another one the processes outside are not seen,
and may hold the same sockets. A smaller view still knows the account's own sockets: only its own processes, root, and
whom they passed them on to can hold those. A process is taken to hold what its first thread does: a thread that has
unshared its descriptors (CLONE_FILES, unshare(2)) is not seen.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from auditor.model.facts import Owner, OwnerStatus
from auditor.model.snapshot import Section
from auditor.parse.containers import find_container
from auditor.parse.units import find_unit

INITIAL_PID_NAMESPACE = 0xEFFFFFFC
"""Its number on every Linux: include/linux/proc_ns.h, PROC_PID_INIT_INO."""
_VIEW = re.compile(rb"v ([0-9]{1,10}) ([01]) ([0-9]{1,9}) ([0-9]{1,20})")
_LINE = re.compile(rb"([hngeEcCu]) ([0-9]{1,10}) ?([^\n]*)")
_ELSEWHERE = re.compile(rb"o [0-9]{1,9}")
_FREE = re.compile(rb"k ([0-9]{1,20})")
_ESCAPE = re.compile(rb"\\([\\n])")
_BETWEEN_WORDS = b"\x1f"  # of a command line, where every socket's owner was asked for; otherwise a space
_WORST_FIRST: tuple[OwnerStatus, ...] = (
    "not-collected",
    "unprivileged",
    "unknown",
    "other-namespace",
    "kernel",
    "known",
)
_MOST_NAME, _MOST_PATH, _MOST_WORDS, _MOST_GROUPS = 256, 4096, 512, 32


class View(NamedTuple):
    """Who looked: a uid, whether it saw the first process, how many it could not look into, in which pid namespace."""

    uid: int
    first: bool
    denied: int
    namespace: int

    @property
    def is_full(self) -> bool:
        return self.uid == 0 and self.first and not self.denied


class Holders(NamedTuple):
    """Who holds a socket, and whether that is everybody."""

    status: OwnerStatus
    owners: tuple[Owner, ...] = ()


_NOT_COLLECTED = Holders("not-collected")


class Ownership:
    """Everything that is known of owners on one host; `elsewhere`: also in its other network namespaces."""

    def __init__(self, section: Section | None) -> None:
        self.view: View | None = None
        self.elsewhere = False
        self.users: dict[int, str] = {}
        self._holders: defaultdict[int, set[int]] = defaultdict(set)
        self._free: set[int] = set()
        self._texts: defaultdict[int, _Texts] = defaultdict(_Texts)
        self._owners: dict[int, Owner] = {}
        self._programs: dict[int, str] = {}
        self.collected = section is not None and section.status != "absent"
        lines = section.data.split(b"\n") if section is not None else []
        for line in lines:
            self._take(line)
        # Cut off, or begun again after it failed half-way: what came is right, but nothing says that it is all.
        self._whole = section is not None and section.status == "ok" and lines.count(b"z") == 1

    def _take(self, line: bytes) -> None:
        if match := _LINE.fullmatch(line):
            kind, number, text = match[1], int(match[2]), match[3]
            if kind == b"h":
                self._holders_of(number, text)
            elif kind == b"u":
                self.users.setdefault(number, _show(text, _MOST_NAME))
            else:
                self._texts[number].add(kind, text)
        elif match := _FREE.fullmatch(line):
            self._free.add(int(match[1]))
        elif _ELSEWHERE.fullmatch(line):
            self.elsewhere = True
        elif match := _VIEW.fullmatch(line):
            self.view = View(int(match[1]), match[2] == b"1", int(match[3]), int(match[4]))

    def _holders_of(self, pid: int, inodes: bytes) -> None:
        for word in inodes.split():
            if word.isdigit() and len(word) <= 20:
                self._holders[int(word)].add(pid)

    def find(self, inode: int, uid: int | None) -> Holders:
        """Return who holds the socket with this inode number; `uid` is its user in the kernel's table."""
        if not self.collected:
            return _NOT_COLLECTED
        owners = tuple(self._describe(pid) for pid in sorted(self._holders.get(inode, ())))
        return Holders(self._judge(inode, uid, held=bool(owners)), owners)

    def _judge(self, inode: int, uid: int | None, *, held: bool) -> OwnerStatus:
        view = self.view
        if view is None or not self._whole or not inode:
            return "unknown"
        own = held and uid == view.uid != 0
        if not view.is_full and not own:
            return "unprivileged"
        if not held and inode not in self._free:  # it came or went while the processes were read
            return "unknown"
        if view.namespace != INITIAL_PID_NAMESPACE:  # those outside of ours are not seen
            return "other-namespace"
        if held:
            return "known"
        # The kernel's own sockets are root's. A user's without a process hides it, by forking on and on.
        return "kernel" if uid == 0 else "unknown"

    def program(self, pid: int) -> str:
        """Return what netstat calls a process: its argv[0], without the folder when that is a whole path."""
        if pid not in self._programs:
            self._programs[pid] = self._texts[pid].program()
        return self._programs[pid]

    def _describe(self, pid: int) -> Owner:
        if pid not in self._owners:
            self._owners[pid] = self._texts[pid].describe(pid)
        return self._owners[pid]


class _Texts:
    """What was said of one process; of each kind the first counts, carried on by its capital letter."""

    def __init__(self) -> None:
        self._said: dict[bytes, list[bytes]] = {}
        self._groups: list[str] = []

    def add(self, kind: bytes, text: bytes) -> None:
        if kind == b"g":
            if len(self._groups) < _MOST_GROUPS:
                self._groups.append(_show(text, _MOST_PATH))
        elif kind.isupper():
            self._said.setdefault(kind.lower(), [b""]).append(text)
        else:
            self._said.setdefault(kind, [text])

    def describe(self, pid: int) -> Owner:
        name = self._text(b"n", _MOST_NAME, unescape=True)
        container = next((found for path in self._groups if (found := find_container(path))), None)
        return Owner(
            pid=pid,
            comm=name,
            exe=self._text(b"e", _MOST_PATH),
            cmdline=self._text(b"c", _MOST_WORDS),
            unit=next((unit for path in self._groups if (unit := find_unit(path))), None),
            container=container.name if container else None,
            runtime=container.runtime if container else None,
        )

    def _text(self, kind: bytes, most: int, *, unescape: bool = False) -> str | None:
        text = b"\n".join(self._said.get(kind, ()))
        if unescape:  # /proc/PID/status spells a newline and a backslash: fs/proc/array.c `proc_task_name`
            text = _ESCAPE.sub(lambda match: b"\n" if match[1] == b"n" else b"\\", text)
        if kind == b"c":
            text = text.replace(_BETWEEN_WORDS, b" ").rstrip(b" \n")
        return _show(text, most) or None

    def program(self) -> str:
        line = b"\n".join(self._said.get(b"c", ()))
        first, apart, _ = line.partition(_BETWEEN_WORDS)
        if not apart:
            first = line.partition(b" ")[0]
        return _show(first.rpartition(b"/")[2] if first.startswith(b"/") else first, _MOST_NAME)


def _show(text: bytes, most: int) -> str:
    return text[:most].decode("utf-8", "backslashreplace")


def join_holders(found: Mapping[int, Holders]) -> Holders:
    """Return who holds any of several sockets of one endpoint; known only when each of them is."""
    if len(found) == 1:
        return next(iter(found.values()))
    statuses = {holders.status for holders in found.values()}
    owners = {owner.pid: owner for holders in found.values() for owner in holders.owners}
    return Holders(min(statuses, key=_WORST_FIRST.index), tuple(owners[pid] for pid in sorted(owners)))
