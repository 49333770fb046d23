"""One host named on the command line, as ssh(1) takes it, in; an inventory of that host out."""

import hashlib
import re
from pathlib import Path

from auditor.inventory import make_host
from auditor.model.host import Host, Inventory
from auditor.model.origin import Origin

HERE = "localhost"
"""The name of this machine, which needs no login."""
_HERE_SECONDS = 60.0
_FILE_ENDS = (".yaml", ".yml", ".json", ".ini", ".toml")
_ORIGIN = Origin(file="command line", line=1)
_URI = re.compile(r"(?i)ssh://(?P<rest>[^/]*)/?")
_PLACE = re.compile(r"(?P<name>\[[^\]]*\]|[^:]*):(?P<port>[0-9]{1,5})", re.ASCII)


def looks_like_file(target: str) -> bool:
    """Return whether `target` is an inventory file, existing or meant to exist, and not the name of a host."""
    if _URI.fullmatch(target):
        return False
    return "/" in target or target.lower().endswith(_FILE_ENDS) or Path(target).is_file()


def host_from_name(target: str) -> Inventory:
    """Return an inventory of the one host that `target` names. Raises UsageError when it cannot name one."""
    uri = _URI.fullmatch(target)
    user, at, place = (uri["rest"] if uri else target).rpartition("@")
    found = _PLACE.fullmatch(place)
    name, port = (found["name"], int(found["port"])) if found else (place, None)
    return _only(target, make_host(name, user if at else None, port, _ORIGIN))


def this_host(timeout: float | None) -> Inventory:
    """Return an inventory of this machine, read without any login."""
    seconds = timeout or _HERE_SECONDS
    return _only(HERE, Host(name=HERE, address=HERE, connection="local", timeout=seconds, origin=_ORIGIN))


def _only(target: str, host: Host) -> Inventory:
    digest = hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()
    return Inventory(path=target, sha256=digest, hosts=(host,))
