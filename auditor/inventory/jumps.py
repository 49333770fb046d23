"""Every `jump` of an inventory in; problems out for hosts that are not there, cannot be passed, or lead in a circle."""

from collections.abc import Iterator
from functools import cache

from auditor.document import Document, Loc, suggest
from auditor.inventory.file import InventoryFile, Settings
from auditor.inventory.groups import break_circles
from auditor.inventory.hosts import Hosts


def check_jumps(document: Document, file: InventoryFile, hosts: Hosts) -> None:
    """Note a problem for each jump that cannot work."""
    unusable = {str(loc[1]) for loc in document.dropped if loc[0] == "hosts" and loc[1:]}
    nearest = cache(lambda name: suggest(name, [*hosts.by_name, *unusable]))
    for loc, settings in _places(file):
        for index, name in enumerate(settings.jump or ()):
            host = hosts.by_name.get(name)
            if host is None and name not in unusable:
                hint = nearest(name) or "a jump host is a host of this inventory: add it under hosts"
                document.complain((*loc, "jump", index), f"there is no host {name!r} to go through", hint)
            elif host is not None and host.connection != "ssh":
                message = f"{name!r} is {host.connection}: only a host reached over ssh can be gone through"
                document.complain((*loc, "jump", index), message)
    edges = {name: host.jump for name, host in hosts.by_name.items() if host.jump}
    break_circles(document, edges, lambda name: ("hosts", hosts.keys[name], "jump"))


def _places(file: InventoryFile) -> Iterator[tuple[Loc, Settings]]:
    """Return every place where a jump can be written."""
    if file.defaults is not None:
        yield ("defaults",), file.defaults
    for section, entries in (("groups", file.groups), ("hosts", file.hosts)):
        for name, settings in (entries or {}).items():
            if settings is not None:
                yield (section, name), settings
