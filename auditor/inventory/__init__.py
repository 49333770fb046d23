"""An inventory file in, hosts out: ranges unfolded, groups and defaults folded in, every reference checked."""

from auditor.inventory.destination import make_host
from auditor.inventory.limit import limit_hosts
from auditor.inventory.load import load_inventory
from auditor.inventory.places import find_places

__all__ = ["find_places", "limit_hosts", "load_inventory", "make_host"]
