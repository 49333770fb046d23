"""Which hosts and which policies a command works on."""

from collections.abc import Sequence
from pathlib import Path

from auditor.cli import log
from auditor.cli.clock import read_clock
from auditor.cli.reach import settle_hosts
from auditor.cli.target import host_from_name, looks_like_file
from auditor.errors import NoHostsError, UsageError
from auditor.inventory import limit_hosts, load_inventory
from auditor.model.host import Inventory
from auditor.model.policy import PolicySet
from auditor.policies import load_policies


def choose_hosts(
    path: Path, limit: Sequence[str] | None, timeout: float | None, allow_empty: bool, ssh_config: str | None = None
) -> Inventory:
    """Return the inventory at `path`, limited, with `timeout` (seconds) put over every host's own.

    What it leaves open is as ssh has it, by the file `ssh_config` or those that the command line says.

    Raises DocumentError, UsageError, and NoHostsError unless an empty answer is allowed.
    """
    inventory = load_inventory(path)
    if not inventory.hosts and not allow_empty:
        raise NoHostsError(f"{path} names no hosts", "add some under `hosts:`, or pass --allow-empty")
    if limit is not None:
        inventory = limit_hosts(inventory, *limit, allow_empty=allow_empty)
    return _set_timeout(settle_hosts(inventory, ssh_config), timeout)


def choose_target(
    target: str,
    limit: Sequence[str] | None = None,
    timeout: float | None = None,
    allow_empty: bool = False,
) -> Inventory:
    """Return the hosts TARGET means: those of an inventory file, or one host that `ssh TARGET` reaches.

    A file that exists, or what is written like one (with a slash, or ending in .yaml or .yml), is an inventory;
    anything else a host: `name`, `user@name`, `name:port` or `ssh://user@name:port`. Raises as `choose_hosts` does.
    """
    if looks_like_file(target):
        return choose_hosts(Path(target), limit, timeout, allow_empty)
    if limit is not None:
        raise UsageError(f"a limit chooses among the hosts of an inventory, and {target!r} is one host", "leave -l out")
    return _set_timeout(settle_hosts(host_from_name(target)), timeout)


def _set_timeout(inventory: Inventory, timeout: float | None) -> Inventory:
    """Put `timeout` (seconds) over every host's own."""
    if timeout is None:
        return inventory
    hosts = tuple(host.model_copy(update={"timeout": timeout}) for host in inventory.hosts)
    return inventory.model_copy(update={"hosts": hosts})


def choose_trust(inventory: Inventory, *, accept_new: bool, ignore: bool) -> Inventory:
    """Return the inventory with the command line's word on host keys. Raises UsageError for two words at once."""
    if accept_new and ignore:
        raise UsageError(
            "--accept-new-host-keys and --insecure-ignore-host-keys exclude each other",
            "the first refuses keys that changed, the second refuses none",
        )
    if not accept_new and not ignore:
        return inventory
    if ignore:
        log.warn("host keys are not verified (--insecure-ignore-host-keys): anybody on the way can answer for a host")
    return inventory.model_copy(update={"host_keys": "ignored" if ignore else "accept-new"})


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
