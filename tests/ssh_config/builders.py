"""Short ways to a config, to its user, and to what comes of both."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from auditor.model.host import Host, Inventory
from auditor.model.origin import Origin
from auditor.ssh_config.config import Config
from auditor.ssh_config.local import Local
from auditor.ssh_config.read import read_config
from auditor.ssh_config.settle import Fleet, Means, settle


def a_local(home: Path | str = "/home/ann", **fields: Any) -> Local:
    defaults: dict[str, Any] = {"user": "ann", "uid": 1000, "hostname": "desk.example.com", "system": f"{home}/etc"}
    return Local(home=str(home), **{**defaults, **fields})


def read_text(folder: Path, text: str, **fields: Any) -> Config:
    """Return a user's file with this text, read."""
    path = folder / ".ssh" / "config"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, newline="")
    path.chmod(0o600)
    return read_config(None, a_local(folder, **fields))


def an_inventory(*hosts: Host, others: Sequence[Host] = ()) -> Inventory:
    return Inventory(path="inventory.yaml", sha256="", hosts=hosts, others=tuple(others))


def an_open_host(name: str = "web", **fields: Any) -> Host:
    """Return a host of which the inventory says no more than this."""
    return Host(name=name, origin=Origin(file="inventory.yaml", line=7), **fields)


def settle_text(folder: Path, text: str, *hosts: Host, **means: Any) -> tuple[Inventory, Fleet]:
    """Return the hosts as the user's file `text` leaves them; every file is there unless told otherwise."""
    others = means.pop("others", ())
    local = means.pop("local", None) or a_local(folder)
    config = read_text(folder, text)
    made = Means(local=local, **{"exists": lambda _: True, **means})
    return settle(an_inventory(*(hosts or (an_open_host(),)), others=others), config, made)


def settle_one(folder: Path, text: str, host: Host | None = None, **means: Any) -> Host:
    return settle_text(folder, text, host or an_open_host(), **means)[0].hosts[0]
