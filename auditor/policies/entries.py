"""The allow and deny lists of a policy file in, entries of the model out."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from auditor.document import Document, Loc
from auditor.model.policy import Bind, Entry, Ports
from auditor.policies.binds import ANY, parse_bind
from auditor.policies.file import EntryFile, PolicyFile
from auditor.policies.names import check_service
from auditor.policies.ports import parse_ports
from auditor.policies.services import resolve_service

Action = Literal["allow", "deny"]


class Entries:
    """Makes the entries of one policy; problems are noted in its document."""

    def __init__(self, document: Document, file: PolicyFile) -> None:
        self._document = document
        self._policy = file.policy
        self._services = self._read_services(file.services or {})
        self._ids: dict[str, int] = {}

    def read(self, action: Action, entries: Sequence[EntryFile]) -> tuple[Entry, ...]:
        """Return the entries of one list, in file order, without those that have a problem."""
        made = (self._read_entry(action, (action, index), entry) for index, entry in enumerate(entries))
        return tuple(entry for entry in made if entry is not None)

    def _read_entry(self, action: Action, loc: Loc, entry: EntryFile) -> Entry | None:
        ports = self._read_ports(loc, entry)
        binds = self._read_binds(loc, entry.bind or ())
        if entry.required:
            self._check_required(action, loc, entry, ports)
        if not ports or binds is None:
            return None
        written = entry.id or _make_id(action, entry, ports)
        self._claim(loc, written, entry.id is not None)
        return Entry(
            id=written,
            policy=self._policy,
            action=action,
            ports=ports,
            service=entry.service,
            bind=binds,
            required=bool(entry.required),
            severity=entry.severity,
            reason=entry.reason or "",
            remediation=entry.remediation or "",
            controls=tuple(entry.controls or ()),
            origin=self._document.origin(loc),
        )

    def _read_ports(self, loc: Loc, entry: EntryFile) -> tuple[Ports, ...]:
        ways = [name for name in ("port", "ports", "service") if getattr(entry, name) is not None]
        if not ways and self._document.is_damaged(loc):
            return ()
        if len(ways) != 1:
            found = f"found {' and '.join(ways)}" if ways else "found none of them"
            message = f"expected exactly one of port, ports and service, {found}"
            self._document.complain(loc, message, "write for example port: 443/tcp")
            return ()
        if entry.service is not None:
            return self._resolve((*loc, "service"), entry.service)
        return self._parse_each((*loc, ways[0]), (entry.ports or ()) if entry.port is None else [entry.port])

    def _resolve(self, loc: Loc, service: str) -> tuple[Ports, ...]:
        if not self._services.get(service.partition("/")[0], "not ours"):
            return ()  # one of ours with a mistake in its ports, which is told there
        with self._document.telling(loc):
            return resolve_service(service, self._services)
        return ()

    def _parse_each(self, loc: Loc, texts: Sequence[str]) -> tuple[Ports, ...]:
        parsed: list[Ports] = []
        for index, text in enumerate(texts):
            with self._document.telling((*loc, index)):
                parsed.append(parse_ports(text))
        return tuple(parsed)

    def _read_binds(self, loc: Loc, texts: Sequence[str]) -> tuple[Bind, ...] | None:
        """Return the binds, empty for any address; None when one of them has a problem."""
        before = len(self._document.problems)
        binds: list[Bind] = []
        for index, text in enumerate(texts):
            with self._document.telling((*loc, "bind", index)):
                bind = parse_bind(text)
                binds += [bind] if bind is not None else []
        if ANY in texts and len(texts) > 1:
            message = "any covers the rest of this list"
            self._document.complain((*loc, "bind"), message, "write any alone, or leave it out")
        return tuple(binds) if len(self._document.problems) == before else None

    def _check_required(self, action: Action, loc: Loc, entry: EntryFile, ports: tuple[Ports, ...]) -> None:
        if action == "deny":
            message = "a denied port cannot be required"
            self._document.complain((*loc, "required"), message, "move the entry to allow", key=True)
        elif entry.service is not None and len({one.proto for one in ports}) > 1:
            listed = " and ".join(map(str, ports))
            message = f"{entry.service!r} is {listed}: which of them is required?"
            hint = f"write service: {entry.service}/{ports[0].proto}"
            self._document.complain((*loc, "required"), message, hint, key=True)

    def _claim(self, loc: Loc, name: str, written: bool) -> None:
        line = self._document.origin(loc).line
        if name in self._ids:
            hint = "give this entry another id" if written else "remove it, or give it an id of its own"
            message = f"the id {name!r} is already there, on line {self._ids[name]}"
            self._document.complain((*loc, "id") if written else loc, message, hint)
        self._ids.setdefault(name, line)

    def _read_services(self, services: Mapping[str, Sequence[str]]) -> dict[str, tuple[Ports, ...]]:
        read: dict[str, tuple[Ports, ...]] = {}
        for name, texts in services.items():
            with self._document.telling(("services", name), key=True):
                check_service(name)
            read[name] = self._parse_each(("services", name), texts)
        return read


def _make_id(action: Action, entry: EntryFile, ports: Sequence[Ports]) -> str:
    """Return an id that stays the same while the entry says the same, wherever it stands in the file."""
    said = [action, entry.service or " ".join(map(str, ports)), *(entry.bind or ())]
    return re.sub(r"[^A-Za-z0-9.:]+", "-", " ".join(said)).strip("-")
