"""Which hosts and which policies a command works on."""

from collections.abc import Sequence
from pathlib import Path

from auditor.cli.clock import read_clock
from auditor.errors import NoHostsError, UsageError
from auditor.inventory import limit_hosts, load_inventory
from auditor.model.host import Inventory
from auditor.model.policy import PolicySet
from auditor.policies import load_policies


def choose_hosts(path: Path, limit: str | None, timeout: float | None, allow_empty: bool) -> Inventory:
    """Return the inventory at `path`, limited, with `timeout` (seconds) put over every host's own.

    Raises DocumentError, UsageError, and NoHostsError unless an empty answer is allowed.
    """
    inventory = load_inventory(path)
    if not inventory.hosts and not allow_empty:
        raise NoHostsError(f"{path} names no hosts", "add some under `hosts:`, or pass --allow-empty")
    if limit is not None:
        inventory = _limit(inventory, limit, allow_empty)
    if timeout is not None:
        hosts = tuple(host.model_copy(update={"timeout": timeout}) for host in inventory.hosts)
        inventory = inventory.model_copy(update={"hosts": hosts})
    return inventory


def _limit(inventory: Inventory, limit: str, allow_empty: bool) -> Inventory:
    try:
        return limit_hosts(inventory, limit)
    except NoHostsError:
        if allow_empty:
            return inventory.model_copy(update={"hosts": (), "others": inventory.hosts})
        raise


def choose_policies(paths: Sequence[Path], inventory: Path) -> PolicySet:
    """Return the policies named, or those in `policies/` beside the inventory."""
    if paths:
        return load_policies(paths, read_clock().date())
    beside = inventory.parent / "policies"
    if not beside.is_dir():
        raise UsageError(
            f"no policies: there is no folder {beside} beside the inventory {inventory}",
            "name a policy file or folder with -p, or create that folder",
        )
    return load_policies([beside], read_clock().date())
