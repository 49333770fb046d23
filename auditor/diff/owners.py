"""Who held a port before and after: another program, unit, container or user is a change; a restart is none."""

from collections.abc import Collection, Iterable

from auditor.model.facts import Owner
from auditor.model.report import JudgedListener

_REPLACED = " (deleted)"
"""What the kernel adds to /proc/PID/exe once the file was replaced, as an upgrade does (proc(5))."""


def changes_hands(was: Collection[JudgedListener], now: Collection[JudgedListener]) -> bool:
    """Return whether another owner is certain. Process ids and command lines do not count: restarts change them."""
    if _all_known(was) and _all_known(now) and _identify(was) != _identify(now):
        return True
    before, after = ({row.uid for row in rows} for rows in (was, now))
    return None not in before | after and before != after


def name_owners(rows: Iterable[JudgedListener]) -> tuple[str, ...]:
    """Return each owner as `nginx, nginx.service, as root`, each once."""
    return tuple(sorted({_name(row, owner) for row in rows for owner in row.owners or (None,)}))


def _all_known(rows: Iterable[JudgedListener]) -> bool:
    return all(row.owner_status == "known" and row.owners for row in rows)


def _identify(rows: Iterable[JudgedListener]) -> frozenset[tuple[str | None, str | None, str | None]]:
    return frozenset((_program(owner), owner.unit, owner.container) for row in rows for owner in row.owners)


def _program(owner: Owner) -> str | None:
    return owner.exe.removesuffix(_REPLACED) if owner.exe else owner.comm


def _name(row: JudgedListener, owner: Owner | None) -> str:
    user = row.user if row.user is not None else f"uid {row.uid}" if row.uid is not None else None
    parts = [_program(owner), owner.unit, owner.container] if owner else [row.owner_status]
    return ", ".join([*(part for part in parts if part), *([f"as {user}"] if user else [])])
