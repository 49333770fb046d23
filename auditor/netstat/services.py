"""A services table and a question in, its answer out; and where hosts' own tables answer otherwise.

`https` is a name, `5432` a port, `5432/tcp` a port of one protocol; no question is about everything.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from typing import Literal, NamedTuple

from auditor.display import escape
from auditor.model.services import Service, ServiceTable

_PORT = re.compile(r"[0-9]{1,5}", re.ASCII)
Verdict = Literal["elsewhere", "other-name", "unnamed", "only-there"]
_NAMED = 8
"""Hosts named in one line."""


class Question(NamedTuple):
    """What is asked. `name` and `port` exclude each other, both None: everything; `proto` None: any protocol."""

    name: str | None = None
    port: int | None = None
    proto: str | None = None

    def fits(self, service: Service) -> bool:
        """Return whether a line answers the question."""
        if self.proto not in {None, service.proto}:
            return False
        if self.port is not None:
            return service.port == self.port
        return self.name is None or self.name == service.name or self.name in service.aliases


class Difference(NamedTuple):
    """Something a host's table says otherwise: about `what`, which the trusted table knows as `trusted`."""

    verdict: Verdict
    what: str
    trusted: str
    found: str


def parse_question(text: str | None) -> Question | None:
    """Return the question, None when it is neither a name nor a port."""
    if text is None:
        return Question()
    word, slash, proto = text.strip().partition("/")
    if not word or (slash and not re.fullmatch(r"[a-z][a-z0-9-]{0,15}", proto, re.ASCII)):
        return None
    if _PORT.fullmatch(word):
        return Question(port=int(word), proto=proto or None) if 0 < int(word) < 65536 else None
    return Question(name=word, proto=proto or None)


def find_services(table: ServiceTable, question: Question) -> tuple[Service, ...]:
    """Return the lines that answer, in the order of the table, by port when everything is asked for."""
    found = [service for service in table.services if question.fits(service)]
    if question == Question():
        found.sort(key=lambda service: (service.port, service.proto))
    return tuple(found)


def compare_tables(trusted: ServiceTable, own: ServiceTable, question: Question) -> list[Difference]:
    """Return where a host's own table answers otherwise than the trusted one.

    A name that means another port there, a port that has another name; and when something certain was asked for, that
    it is not in the host's table, or only there.
    """
    here, there = find_services(trusted, question), find_services(own, question)
    asked = (*here, *there)
    found = [*_find_elsewhere(asked, trusted, own), *_find_renamed(asked, trusted, own)]
    if question != Question():
        found += [Difference("unnamed", _write(one), one.name, "") for one in here if not there]
        found += [Difference("only-there", _write(one), "", one.name) for one in there if not here and not found]
    return list(dict.fromkeys(found))


def say_difference(difference: Difference, hosts: Sequence[str], total: int) -> str:
    """Return a line about a difference, and on which of `total` hosts it is."""
    what, trusted, found = (escape(text) for text in difference[1:])
    words = {
        "elsewhere": f"{what} is {found} there, and {trusted} in the trusted table",
        "other-name": f"{what} is called {found} there, and {trusted} in the trusted table",
        "unnamed": f"{what} ({trusted}) is not in their table",
        "only-there": f"{what} is called {found} there; the trusted table does not have it",
    }[difference.verdict]
    return f"{words}: {len(hosts)} of {total} ({name_hosts(hosts)})"


def name_hosts(hosts: Sequence[str]) -> str:
    """Return the first of `hosts`, and how many more there are."""
    more = f" and {len(hosts) - _NAMED} more" if len(hosts) > _NAMED else ""
    return f"{', '.join(escape(host) for host in hosts[:_NAMED])}{more}"


def show_services(found: Sequence[Service], assigned: Set[Service]) -> list[str]:
    """Return the lines of a table as columns; `assigned` are those that IANA assigned."""
    rows = [("Name", "Port", "Aliases", "Assigned by")]
    rows += [(one.name, _write(one), " ".join(one.aliases), "IANA" if one in assigned else "custom") for one in found]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return ["  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[3])) for row in rows]


def _find_elsewhere(asked: Sequence[Service], trusted: ServiceTable, own: ServiceTable) -> Iterator[Difference]:
    meant, used = _index_ports(trusted), _index_ports(own)
    for service in asked:
        for name in (service.name, *service.aliases):
            key = (name, service.proto)
            if key in meant and key in used and not meant[key].keys() & used[key].keys():
                yield Difference("elsewhere", f"{name}/{service.proto}", _join(meant[key]), _join(used[key]))


def _find_renamed(asked: Sequence[Service], trusted: ServiceTable, own: ServiceTable) -> Iterator[Difference]:
    ours, theirs = _index_names(trusted), _index_names(own)
    for service in asked:
        key = (service.port, service.proto)
        if key in ours and key in theirs and not ours[key].keys() & theirs[key].keys():
            yield Difference("other-name", _write(service), next(iter(ours[key])), next(iter(theirs[key])))


def _index_ports(table: ServiceTable) -> dict[tuple[str, str], dict[int, None]]:
    """Return the ports of each (name, protocol), in order."""
    index: dict[tuple[str, str], dict[int, None]] = {}
    for service in table.services:
        for name in (service.name, *service.aliases):
            index.setdefault((name, service.proto), {})[service.port] = None
    return index


def _index_names(table: ServiceTable) -> dict[tuple[int, str], dict[str, None]]:
    """Return the names of each (port, protocol), in order."""
    index: dict[tuple[int, str], dict[str, None]] = {}
    for service in table.services:
        names = index.setdefault((service.port, service.proto), {})
        names |= dict.fromkeys((service.name, *service.aliases))
    return index


def _join(ports: Iterable[int]) -> str:
    return " and ".join(str(port) for port in ports)


def _write(service: Service) -> str:
    return f"{service.port}/{service.proto}"
