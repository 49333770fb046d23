"""/proc/<pid>/cgroup in, the container its path names out. cgroups(7): a line per hierarchy, one in all for version 2.

Nothing in the kernel is a container; what tells one is where its runtime puts its cgroup. Only root, or who was given
that part of the tree, can put a process there.
"""

import re
from collections.abc import Mapping
from typing import NamedTuple

_LINE = re.compile(rb"^[0-9]{1,9}:[^:\n]*:(/[^\n]*)$", re.MULTILINE)
_DIGITS = 64
_ID = rf"(?P<id>[0-9a-f]{{{_DIGITS}}})"
# systemd driver: <prefix>-<id>.scope; cgroupfs driver: a folder named by the id; both below whatever slices there are.
_SCOPE = re.compile(rf"/(?P<prefix>docker|libpod|cri-containerd|crio|nerdctl|containerd)-{_ID}\.scope(?:/|\Z)")
_FOLDER = re.compile(rf"/(?P<prefix>docker|libpod_parent/libpod|kubepods[^/]*(?:/[^/]+)*|[^/]+)[/-]{_ID}(?:/|\Z)")
_NAMED = re.compile(rf"[/:](?P<prefix>docker|libpod|cri-containerd|crio|nerdctl)[:-]{_ID}(?:/|\Z)")
_LXC = re.compile(r"/(?:lxc\.payload[./]|lxc/)(?P<id>[A-Za-z0-9_.-]{1,64})(?:/|\Z)")
_MACHINE = re.compile(r"/(?:systemd-nspawn@|machine-)(?P<id>[A-Za-z0-9_.\\-]{1,64})\.(?:service|scope)(?:/|\Z)")
_RUNTIMES: Mapping[str, str] = {
    "docker": "docker",
    "libpod": "podman",
    "libpod_parent/libpod": "podman",
    "cri-containerd": "containerd",
    "containerd": "containerd",
    "nerdctl": "containerd",
    "crio": "cri-o",
}
_SHOWN = 12  # digits of an id, as the runtimes themselves print it


class Container(NamedTuple):
    """`runtime`: `container` where the path does not tell. `name`: its whole id, or for lxc and nspawn its name."""

    runtime: str
    name: str


def read_container(cgroup: bytes) -> str | None:
    """Return `docker:0123456789ab`, `lxc:web`; `container:…` where the path does not tell the runtime, else None."""
    for path in _LINE.findall(cgroup):
        if found := find_container(path.decode("utf-8", "backslashreplace")):
            return f"{found.runtime}:{found.name[:_SHOWN] if len(found.name) == _DIGITS else found.name}"
    return None


def find_container(path: str) -> Container | None:
    """Return the container whose control group, or one below it, has this path."""
    for grammar in (_SCOPE, _NAMED, _FOLDER):
        if match := grammar.search(path):
            return Container(_RUNTIMES.get(match["prefix"], "container"), match["id"])
    for runtime, grammar in (("lxc", _LXC), ("nspawn", _MACHINE)):
        if match := grammar.search(path):
            return Container(runtime, match["id"])
    return None
