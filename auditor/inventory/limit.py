"""An inventory and a limit such as `web:&prod:!lab` in, the hosts it selects out.

Ansible's words: terms are joined by comma or colon; a term is a host or group name, a glob, or a regular expression
after `~`; `&` keeps only what the term matches too, `!` takes out what it matches, whatever the order. Ours: a term
`env=prod` matches a label, its value a glob. Several limits are one with the terms of all of them.
"""

import re
import warnings
from collections.abc import Callable
from fnmatch import fnmatchcase

from auditor.document import suggest
from auditor.errors import NoHostsError, UsageError
from auditor.model.host import Host, Inventory

_SYNTAX = "write for example 'web:&prod:!lab', 'web-0*', 'env=prod' or '~web-[0-9]+'"
_MAX_LENGTH = 1000

# A colon separates terms unless it stands in brackets, as in [::1], or in (?:…).
_COLON = re.compile(r"(?<!\(\?):(?![^\[\]]*\])")
# Repeating a group, or repeating often, is what makes a regular expression take forever.
_COSTLY = re.compile(r"\)[*+{]|\\[0-9]|\(\?P=")
_REPEATS = re.compile(r"(?<![\\(])[*+{?]")

Match = Callable[[Host], bool]


def limit_hosts(inventory: Inventory, *patterns: str, allow_empty: bool = False) -> Inventory:
    """Return `inventory` with only the hosts that `patterns` select, in its order; the rest become its `others`.

    Raises NoHostsError when they select none, and when one of them asks for hosts of which there are none, unless
    `allow_empty`: fewer hosts than were asked for would pass for all of them. Raises UsageError when they cannot be
    read.
    """
    terms = [term for pattern in patterns for term in _split(pattern, inventory)]
    chosen = _choose(inventory.hosts, terms)
    if not allow_empty and (not chosen or _find_lost(inventory, terms)):
        raise _nothing(inventory, ",".join(patterns), terms)
    names = {host.name for host in chosen}
    others = tuple(host for host in inventory.hosts if host.name not in names)
    return inventory.model_copy(update={"hosts": chosen, "others": (*others, *inventory.others)})


def _split(pattern: str, inventory: Inventory) -> list[tuple[str, str]]:
    """Return (operator, term) for each term; the operator is '', '&' or '!'."""
    if len(pattern) > _MAX_LENGTH:
        raise UsageError(f"the limit is longer than {_MAX_LENGTH} characters", _SYNTAX)
    whole = pattern.strip()
    if any(whole.lstrip("&!") == host.name for host in inventory.hosts):
        parts = [whole]
    else:
        parts = whole.split(",") if "," in whole else _COLON.split(whole)
    terms = []
    for part in filter(None, map(str.strip, parts)):
        operator = part[0] if part[0] in "&!" else ""
        if part == operator:
            raise UsageError(f"nothing stands after {operator!r} in the limit {pattern!r}", _SYNTAX)
        terms.append((operator, part.removeprefix(operator)))
    if not terms:
        raise UsageError("the limit is empty", f"{_SYNTAX}, or 'all'")
    return terms


def _choose(hosts: tuple[Host, ...], terms: list[tuple[str, str]]) -> tuple[Host, ...]:
    wanted = [_matcher(term) for operator, term in terms if operator == ""]
    needed = [_matcher(term) for operator, term in terms if operator == "&"]
    barred = [_matcher(term) for operator, term in terms if operator == "!"]
    return tuple(
        host
        for host in hosts
        if (not wanted or any(match(host) for match in wanted))
        and all(match(host) for match in needed)
        and not any(match(host) for match in barred)
    )


def _matcher(term: str) -> Match:
    if term in ("all", "*"):
        return lambda _: True
    if term.startswith("~"):
        search = _compile(term[1:]).match
        return lambda host: any(search(name) for name in (host.name, *host.groups))
    key, equals, value = term.partition("=")
    if equals:
        return lambda host: key in host.labels and fnmatchcase(host.labels[key], value)
    return lambda host: any(name == term or fnmatchcase(name, term) for name in (host.name, *host.groups))


def _compile(expression: str) -> re.Pattern[str]:
    if _COSTLY.search(expression) or len(_REPEATS.findall(expression)) > 3:
        message = f"the regular expression {expression!r} could take too long"
        raise UsageError(message, "at most three repeats, no repeated groups and no back references; or use a glob")
    try:
        with warnings.catch_warnings(action="error"):
            return re.compile(expression)
    except (re.error, OverflowError, FutureWarning, DeprecationWarning) as error:
        raise UsageError(f"the regular expression {expression!r} cannot be read: {error}", _SYNTAX) from None


def _nothing(inventory: Inventory, pattern: str, terms: list[tuple[str, str]]) -> NoHostsError:
    """Return the error for a limit that selects no host, or less than it names: which terms match nothing at all?"""
    known = dict.fromkeys(name for host in inventory.hosts for name in (*host.groups, host.name))
    known.update(dict.fromkeys(f"{key}={value}" for host in inventory.hosts for key, value in host.labels.items()))
    if not inventory.hosts:
        return NoHostsError(f"{inventory.path} has no hosts", "add hosts to the inventory")
    lost = _find_lost(inventory, terms)
    if not lost:
        return NoHostsError(f"no host is left by the limit {pattern!r}", "each of its terms matches, but not together")
    shown = ", ".join(repr(term) for term in lost)
    groups = ", ".join(sorted({group for host in inventory.hosts for group in host.groups})[:10])
    hint = suggest(lost[0], known) or (f"groups here: {groups}" if groups else "")
    return NoHostsError(f"no host or group matches {shown}", hint)


def _find_lost(inventory: Inventory, terms: list[tuple[str, str]]) -> list[str]:
    """Return the terms that are to match something, and match nothing."""
    return [term for operator, term in terms if operator != "!" and not any(map(_matcher(term), inventory.hosts))]
