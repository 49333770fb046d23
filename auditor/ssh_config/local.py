"""What ssh_config refers to on this machine: who runs the program, where, and in which environment."""

import os
import pwd
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


def _find_home(name: str) -> str | None:
    try:
        return pwd.getpwnam(name).pw_dir
    except (KeyError, ValueError):  # ValueError: a NUL in the name
        return None


@dataclass(frozen=True, slots=True, eq=False)
class Local:
    """The user, as ssh(1) finds it: from the password database, not from HOME."""

    user: str
    uid: int
    home: str
    hostname: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    system: str = "/etc/ssh"
    home_of: Callable[[str], str | None] = _find_home


def read_local() -> Local:
    """Return who runs this program."""
    uid = os.getuid()
    try:
        entry = pwd.getpwuid(uid)
        name, home = entry.pw_name, entry.pw_dir
    except KeyError:  # a container's user without an entry
        name, home = os.environ.get("USER", str(uid)), os.environ.get("HOME", "/")
    return Local(user=name, uid=uid, home=home, hostname=socket.gethostname(), environment=dict(os.environ))
