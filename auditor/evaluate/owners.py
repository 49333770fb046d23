"""A condition on who holds a socket and a listener in, an answer out. `match` asks; nothing else does.

Three answers, because not seeing a process is not the same as seeing another one: `unknown` is never taken for `yes`.
The user belongs to the socket and stands in the kernel's table, which anybody may read; all else belongs to the
processes, which only root sees. Where some of them were seen, and there may be others, those are unknown holders.

Every process that holds the socket must fit an allow line: one stranger among them can accept its connections. Systemd
(as pid 1) is set aside when others hold it too: it opened the socket and passed it on (socket activation). Another
program that is pid 1, as in a container, is one of the holders. A deny line needs one process that fits.
"""

from collections.abc import Callable, Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Literal

from auditor.model.facts import Listener, Owner
from auditor.model.policy import OwnerClass, OwnerCondition

Answer = Literal["yes", "no", "unknown"]
Part = Literal["user", "processes"]
"""What a condition asks about: the user the socket belongs to, and the processes that hold it."""

_SEEN = frozenset({"known", "unprivileged", "other-namespace"})
"""What is known of a listener whose owners are all there are, or are certain, and there may be others."""
_COMM = 15
"""Characters of a process name the kernel keeps: TASK_COMM_LEN, include/linux/sched.h, less the NUL."""


def hold_all(condition: OwnerCondition, listener: Listener) -> Answer:
    """Return whether everything that holds the socket fits: what an allow line asks."""
    holders = [owner for owner in listener.owners if not owner.is_systemd] or list(listener.owners)
    processes = _ask_processes(condition, listener, holders, _all)
    return _all((_ask_user(condition.user, listener), processes))


def hold_any(condition: OwnerCondition, listener: Listener) -> Answer:
    """Return whether anything that holds the socket fits: what a deny line asks."""
    processes = _ask_processes(condition, listener, listener.owners, _any)
    return _all((_ask_user(condition.user, listener), processes))


def find_doubts(condition: OwnerCondition, listener: Listener, *, forbids: bool) -> tuple[Part, ...]:
    """Return which parts of a condition cannot be answered; `forbids`: a deny line asks."""
    hold = hold_any if forbids else hold_all
    parts: dict[Part, OwnerCondition] = {
        "user": OwnerCondition(user=condition.user),
        "processes": condition.model_copy(update={"user": ()}),
    }
    return tuple(name for name, part in parts.items() if hold(part, listener) == "unknown")


def _all(answers: Iterable[Answer]) -> Answer:
    found = set(answers)
    return "no" if "no" in found else "unknown" if "unknown" in found else "yes"


def _any(answers: Iterable[Answer]) -> Answer:
    found = set(answers)
    return "yes" if "yes" in found else "unknown" if "unknown" in found else "no"


def _ask_user(words: Sequence[str], listener: Listener) -> Answer:
    """Return whether the socket's user is one of `words`: a name the host knows it by, or a number."""
    if not words:
        return "yes"
    name = "root" if listener.uid == 0 else listener.user
    return _any(_is_user(word, name, listener.uid) for word in words)


def _is_user(word: str, name: str | None, uid: int | None) -> Answer:
    if word.isdecimal():
        return "unknown" if uid is None else _say(int(word) == uid)
    return "unknown" if name is None else _say(fnmatchcase(name, word))


def _ask_processes(
    condition: OwnerCondition, listener: Listener, holders: Sequence[Owner], quantify: Callable[..., Answer]
) -> Answer:
    named = condition.process or condition.exe or condition.unit or condition.container
    if not named and not condition.classes:
        return "yes"
    if listener.owner_status == "kernel":
        return _say(not named and "kernel" in condition.classes)
    if listener.owner_status not in _SEEN or not holders:
        return "unknown"
    others: tuple[Answer, ...] = () if listener.owner_status == "known" else ("unknown",)
    by_systemd = _any((*(_is_systemd(owner) for owner in listener.owners), *others))
    return quantify((*(_fit(condition, owner, by_systemd) for owner in holders), *others))


def _is_systemd(owner: Owner) -> Answer:
    return "unknown" if owner.is_systemd is None else _say(owner.is_systemd)


def _fit(condition: OwnerCondition, owner: Owner, by_systemd: Answer) -> Answer:
    """Return whether one process fits. A name or path that could not be read is unknown; being in no unit is a no."""
    classes = [_is_of(name, owner, by_systemd) for name in condition.classes]
    return _all(
        (
            _ask_name(condition.process, owner.comm),
            _ask(condition.exe, owner.exe, "unknown"),
            _ask(condition.unit, owner.unit, "no"),
            _ask(condition.container, owner.container, "no"),
            _any(classes) if classes else "yes",
        )
    )


def _ask(globs: Sequence[str], text: str | None, unread: Answer) -> Answer:
    if not globs:
        return "yes"
    return unread if text is None else _say(any(fnmatchcase(text, glob) for glob in globs))


def _ask_name(globs: Sequence[str], comm: str | None) -> Answer:
    """Return whether a process goes by one of these names; one that the kernel cut is compared as far as it goes."""
    cut = [glob[:_COMM] for glob in globs if comm is not None and len(comm) == _COMM]
    return _ask([*globs, *cut], comm, "unknown")


def _is_of(name: OwnerClass, owner: Owner, by_systemd: Answer) -> Answer:
    """Return whether a process is of a class. Programs are known by their path, which they do not choose."""
    if name == "systemd":
        return by_systemd
    if name == "container":
        return _say(owner.container is not None)
    if name == "kernel":
        return "no"
    return "unknown" if owner.exe is None else _say(owner.exe.rpartition("/")[2] == name)


def _say(truth: bool) -> Answer:
    return "yes" if truth else "no"
