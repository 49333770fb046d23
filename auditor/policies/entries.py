"""The allow and deny lists of a policy file in, entries of the model out."""

from collections.abc import Mapping, Sequence
from typing import Literal

from auditor.document import Document, Loc
from auditor.model.policy import Entry, Ports
from auditor.policies.file import EntryFile, PolicyFile
from auditor.policies.ids import Ids
from auditor.policies.names import check_service
from auditor.policies.owners import KEYS, read_owner
from auditor.policies.places import check_packet_binds, read_binds, read_ports
from auditor.policies.services import resolve_service

Action = Literal["allow", "deny"]


class Entries:
    """Makes the entries of one policy; problems are noted in its document.

    `ids` are the names already taken, `inherited` the services of included policies; the file's own go before them.
    """

    def __init__(
        self, document: Document, file: PolicyFile, ids: Ids, inherited: Mapping[str, tuple[Ports, ...]]
    ) -> None:
        self._document = document
        self._policy = file.policy
        self._ids = ids
        self.services = {**inherited, **self._read_services(file.services or {})}

    def read(self, action: Action, entries: Sequence[EntryFile]) -> tuple[Entry, ...]:
        """Return the entries of one list, in file order, without those that have a problem."""
        made = (self._read_entry(action, (action, index), entry) for index, entry in enumerate(entries))
        return tuple(entry for entry in made if entry is not None)

    def _read_entry(self, action: Action, loc: Loc, entry: EntryFile) -> Entry | None:
        ports = self._read_ports(loc, entry)
        binds = read_binds(self._document, loc, entry.bind or ())
        self._check_count(action, loc, entry, ports)
        check_packet_binds(self._document, loc, ports, binds or ())
        if not ports or binds is None:
            return None
        return Entry(
            id=self._ids.claim(loc, entry.id, _say(action, entry, ports)),
            policy=self._policy,
            action=action,
            ports=ports,
            service=entry.service,
            bind=binds,
            owner=read_owner(entry),
            netns=entry.netns or "host",
            required=bool(entry.required),
            at_least=entry.at_least or 1,
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
        texts = (entry.ports or ()) if entry.port is None else [entry.port]
        return read_ports(self._document, (*loc, ways[0]), texts)

    def _resolve(self, loc: Loc, service: str) -> tuple[Ports, ...]:
        if not self.services.get(service.partition("/")[0], "not ours"):
            return ()  # one of ours with a mistake in its ports, which is told there
        with self._document.telling(loc):
            return resolve_service(service, self.services)
        return ()

    def _check_count(self, action: Action, loc: Loc, entry: EntryFile, ports: tuple[Ports, ...]) -> None:
        if entry.required:
            self._check_required(action, loc, entry, ports)
        elif entry.at_least is not None and not self._document.was_dropped((*loc, "required")):
            message = "at_least counts the sockets of a required entry"
            self._document.complain((*loc, "at_least"), message, "add required: true", key=True)

    def _check_required(self, action: Action, loc: Loc, entry: EntryFile, ports: tuple[Ports, ...]) -> None:
        if action == "deny":
            message = "a denied port cannot be required"
            self._document.complain((*loc, "required"), message, "move the entry to allow", key=True)
        elif entry.service is not None and len({one.proto for one in ports}) > 1:
            listed = " and ".join(map(str, ports))
            message = f"{entry.service!r} is {listed}: which of them is required?"
            hint = f"write service: {entry.service}/{ports[0].proto}"
            self._document.complain((*loc, "required"), message, hint, key=True)

    def _read_services(self, services: Mapping[str, Sequence[str]]) -> dict[str, tuple[Ports, ...]]:
        read: dict[str, tuple[Ports, ...]] = {}
        for name, texts in services.items():
            with self._document.telling(("services", name), key=True):
                check_service(name)
            read[name] = read_ports(self._document, ("services", name), texts)
        return read


def _say(action: Action, entry: EntryFile, ports: Sequence[Ports]) -> list[str]:
    """Return the words an id is made from."""
    owners = (word for key in (*KEYS, "owner") for word in getattr(entry, key) or ())
    netns = [entry.netns] if entry.netns else []
    return [action, entry.service or " ".join(map(str, ports)), *(entry.bind or ()), *owners, *netns]
