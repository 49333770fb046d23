"""The path of an inventory file in, an `Inventory` out."""

from pathlib import Path

from auditor.document import read_document, salvage
from auditor.inventory.file import HostFile, InventoryFile
from auditor.inventory.groups import Groups
from auditor.inventory.hosts import Hosts
from auditor.inventory.jumps import check_jumps
from auditor.model.host import Inventory


def load_inventory(path: Path) -> Inventory:
    """Return the hosts of the inventory at `path`, in file order. An inventory without hosts is returned as such.

    Raises DocumentError with every problem of the file.
    """
    document = read_document(path)
    file = salvage(document, InventoryFile)
    hosts = Hosts(document, Groups(document, file, path.parent), path.parent)
    for key, entry in (file.hosts or {}).items():
        hosts.add(key, entry or HostFile())
    check_jumps(document, file, hosts)
    document.finish()
    return Inventory(path=str(path), sha256=document.sha256, hosts=tuple(hosts.by_name.values()))
