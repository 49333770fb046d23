"""An inventory file and the name of a host in; where each setting of that host is written, out."""

from pathlib import Path

from auditor.document import Loc, read_document, salvage
from auditor.inventory.file import HostFile, InventoryFile, Settings
from auditor.inventory.groups import Groups
from auditor.inventory.hosts import Hosts
from auditor.model.origin import Origin


def find_places(path: Path, name: str) -> dict[str, Origin]:
    """Return the place of each key that the inventory sets for the host `name`; of several, the one that counts.

    Raises DocumentError as `load_inventory` does for what cannot be read at all.
    """
    document = read_document(path)
    file = salvage(document, InventoryFile)
    groups = Groups(document, file, path.parent)
    hosts = Hosts(document, groups, path.parent)
    for key, entry in (file.hosts or {}).items():
        hosts.add(key, entry or HostFile())
    if name not in hosts.by_name:
        return {}
    key = hosts.keys[name]
    layers: list[tuple[Loc, Settings | None]] = [(("defaults",), file.defaults)]
    layers += [(("groups", group), (file.groups or {}).get(group)) for group in hosts.by_name[name].groups]
    layers.append((("hosts", key), (file.hosts or {}).get(key)))
    places: dict[str, Origin] = {}
    for loc, settings in layers:
        for field in settings.model_fields_set if settings is not None else ():
            places[field] = document.origin((*loc, field))
    return places
