"""A recorded host: folders of what its kernel printed, and the collector's script changed to read them.

The script is the one real hosts get. Its three roots (`P=/proc`, `E=/etc`, `S=/sys`) are pointed at the recording, in
whose folder it runs; shell functions in front of it answer what no file does: the clock, the kernel's name, who asks.
"""

import json
import shlex
from datetime import datetime
from pathlib import Path

from auditor.model.value import Value

HOSTS = Path(__file__).parent / "hosts"
_ROOTS = ((b"P=/proc", b"P=./proc"), (b"E=/etc", b"E=./etc"), (b"S=/sys", b"S=./sys"))


class Session(Value):
    """What the recorded session said of itself. `uname` is name, release and machine; `id` the line id(1) prints."""

    ssh_connection: str
    id: str
    uname: tuple[str, str, str]
    clock_skew_s: int


class Recording:
    """One recorded host, read from its folder. Raises OSError or ValueError when the folder is not a recording."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.session = Session(**json.loads((folder / "session.json").read_text("utf-8")))

    def environment(self) -> dict[str, str]:
        """Return the whole environment the script runs in, as sshd would have set it."""
        return {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "SSH_CONNECTION": self.session.ssh_connection}

    def play(self, script: bytes, now: datetime) -> bytes:
        """Return `script` reading this recording, on a host whose clock says `now` plus the recorded skew.

        It is to be run in the recording's folder, so that no name of a folder ever stands in the script.
        Raises ValueError when the script does not name each root exactly once, on a line of its own.
        """
        lines = script.split(b"\n")
        for real, recorded in _ROOTS:
            if lines.count(real) != 1:
                raise ValueError(f"the script has {lines.count(real)} lines {real.decode()!r} instead of one")
            lines[lines.index(real)] = recorded
        return self._answers(now).encode() + b"\n".join(lines)

    def _answers(self, now: datetime) -> str:
        name, release, machine = (shlex.quote(word) for word in self.session.uname)
        clock = int(now.timestamp()) + self.session.clock_skew_s
        uid, who = _read_uid(self.session.id), shlex.quote(self.session.id)
        return (
            f"date() {{ echo {clock}; }}\n"
            f"id() {{ case $1 in -u) echo {uid};; *) echo {who};; esac; }}\n"
            f"uname() {{ case $1 in -r) echo {release};; -m) echo {machine};; -s | '') echo {name};; "
            f"*) echo {name} {release} {machine};; esac; }}\n"
        )


def _read_uid(line: str) -> int:
    """Return 990 for `uid=990(audit) gid=…`."""
    return int(line.removeprefix("uid=").partition("(")[0])
