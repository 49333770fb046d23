"""One host named on the command line, as ssh(1) takes it, in; an inventory of that host out."""

import hashlib
import re
from pathlib import Path

from auditor.inventory import make_host
from auditor.model.host import Inventory
from auditor.model.origin import Origin

_FILE_ENDS = (".yaml", ".yml", ".json", ".ini", ".toml")
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
    host = make_host(name, user if at else None, port, Origin(file="command line", line=1))
    digest = hashlib.sha256(target.encode("utf-8", "surrogateescape")).hexdigest()
    return Inventory(path=target, sha256=digest, hosts=(host,))
