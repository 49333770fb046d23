"""The hosts section in, hosts out: ranges unfolded, groups and defaults folded in."""

from pathlib import Path
from typing import Any

from auditor.document import Document, mistake
from auditor.inventory.file import HostFile
from auditor.inventory.groups import Groups
from auditor.inventory.names import check_host_name, is_ipv6
from auditor.inventory.ranges import MAX_HOSTS, expand_ranges
from auditor.inventory.settings import read_layer
from auditor.model.host import Host


class Hosts:
    """The hosts made so far: `by_name`, and in `keys` the key of the file each was made from."""

    def __init__(self, document: Document, groups: Groups, base: Path) -> None:
        self.by_name: dict[str, Host] = {}
        self.keys: dict[str, str] = {}
        self._document = document
        self._groups = groups
        self._base = base

    def add(self, key: str, entry: HostFile) -> None:
        """Add every host that `key` stands for."""
        names: tuple[str, ...] = ()
        with self._document.telling(("hosts", key), key=True):
            names = _names_of(key)
            if len(self.by_name) + len(names) > MAX_HOSTS:
                names = ()
                raise mistake(f"with {key!r} these are more than {MAX_HOSTS:,} hosts", "split the inventory")
        if entry.address is not None and len(names) > 1:
            message = f"one address for the {len(names)} hosts of {key!r}"
            hint = "leave address out, or write the hosts one by one"
            self._document.complain(("hosts", key, "address"), message, hint)
        fields = self._fold(key, entry)
        for name in names:
            if name in self.by_name:
                self._refuse_twice(key, name)
                continue
            own: dict[str, Any] = {"name": name}
            if entry.address is not None:
                own["address"] = entry.address
            through = fields.get("jump", ())
            if entry.jump is None and name in through:
                # A jump written for everybody leads to its own hosts as far as they are on the way.
                own["jump"] = through[: through.index(name)]
            self.by_name[name] = Host(**{**fields, **own})
            self.keys[name] = key

    def _fold(self, key: str, entry: HostFile) -> dict[str, Any]:
        """Return what a host says, over what its groups say, over the defaults."""
        loc = ("hosts", key)
        self._groups.require((*loc, "groups"), entry.groups or ())
        groups, inherited = self._groups.stack(tuple(entry.groups or ()))
        own = read_layer(self._document, loc, entry, self._base)
        fields = {**inherited, **own, "labels": {**inherited["labels"], **own.get("labels", {})}}
        if fields.get("connection") != "replay":
            fields.pop("evidence", None)
            if "evidence" in own:
                hint = "add `connection: replay`, or remove this line"
                message = "evidence is read only with connection: replay"
                self._document.complain((*loc, "evidence"), message, hint, key=True)
        elif "evidence" not in fields:
            hint = "add `evidence: FILE`, a file that `netaudit collect` wrote"
            self._document.complain(loc, "connection: replay needs the evidence to read", hint, key=True)
        if not fields.get("sudo") and fields.pop("sudo_password", None) is not None and "sudo_password" in own:
            hint = "add `sudo: true`, or remove this line"
            message = "sudo_password is sent only with sudo: true"
            self._document.complain((*loc, "sudo_password"), message, hint, key=True)
        return {**fields, "groups": groups, "origin": self._document.origin(loc)}

    def _refuse_twice(self, key: str, name: str) -> None:
        message = f"the host {name!r} is already there: line {self.by_name[name].origin.line}, {self.keys[name]!r}"
        self._document.complain(("hosts", key), message, "keep one of the two", key=True)


def _names_of(key: str) -> tuple[str, ...]:
    """Return the names `key` stands for. Raises a mistake when one of them cannot name a host."""
    if key.startswith("[") and is_ipv6(key.strip("[]")):
        return (check_host_name(key),)
    names = expand_ranges(key) if "[" in key or "]" in key else (key,)
    return tuple(map(check_host_name, names))
