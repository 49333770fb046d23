"""The first process of a laboratory host: one JSON description on stdin, `ready` on stdout; it lives until stdin ends.

It runs as process 1 of fresh network, host name, mount and process namespaces, so that everything it makes (addresses,
mounts, sockets, its sshd) is gone the moment it is, however it ends. Standard library only.
"""

import json
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.lab.sockets import Wanted, open_sockets

SCRATCH = Path("/run")
REAL_PROC = SCRATCH / "proc"
_LIMIT_S = 20.0


@dataclass(frozen=True)
class Machine:
    """What one laboratory host is.

    `addresses` are CIDR texts for `interface`; `files` maps a path to the text that covers it; `sshd` is the text of
    its sshd_config ('' for none). `proc_net` replaces files under /proc/net: text covers one, None removes it, `denied`
    in its place makes it unreadable for everybody but root. `sysctl` names are paths under /proc/sys.
    """

    hostname: str
    interface: str = ""
    addresses: tuple[str, ...] = ()
    sysctl: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    proc_net: dict[str, str | None] = field(default_factory=dict)
    sshd: str = ""
    sshd_log: str = ""
    sockets: tuple[Wanted, ...] = ()

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Machine":
        fields: dict[str, Any] = json.loads(text)
        sockets = tuple(_to_wanted(entry) for entry in fields.pop("sockets"))
        return cls(**{**fields, "addresses": tuple(fields["addresses"]), "sockets": sockets})


DENIED = "\0denied"
"""The `proc_net` text that stands for a file without any permission."""


def _to_wanted(entry: dict[str, Any]) -> Wanted:
    pairs = {key: tuple(entry[key]) for key in ("peer", "sendto") if entry[key] is not None}
    return Wanted(**{**entry, **pairs})


def main() -> None:
    """Become the machine described on stdin's first line; stay until stdin ends."""
    _say("born")
    machine = Machine.from_json(sys.stdin.readline())
    socket.sethostname(machine.hostname)
    _configure_network(machine)
    _run("mount", "-t", "tmpfs", "tmpfs", str(SCRATCH))
    for path, text in machine.files.items():
        _cover(Path(path), text)
    if machine.sshd:
        _start_sshd(machine)
    held = [opened for wanted in machine.sockets for opened in open_sockets(wanted)]
    if machine.proc_net:
        _replace_proc_net(machine.proc_net)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    _say("ready")
    sys.stdin.read()
    for opened in held:
        opened.close()


def _say(word: str) -> None:
    sys.stdout.write(word + "\n")
    sys.stdout.flush()


def _run(*command: str) -> None:
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)


def _configure_network(machine: Machine) -> None:
    for name, value in machine.sysctl.items():
        (Path("/proc/sys") / name).write_text(value)
    _run("ip", "link", "set", "lo", "up")
    for address in machine.addresses:
        plain = ["nodad"] if ":" in address else []
        _run("ip", "address", "add", address, "dev", machine.interface, *plain)
    if machine.interface:
        _run("ip", "link", "set", machine.interface, "addrgenmode", "none", "up")


def _cover(path: Path, text: str) -> None:
    """Mount a file with `text` over `path`, or write it where `path` lies in the scratch folder."""
    if path.is_relative_to(SCRATCH):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return
    cover = SCRATCH / "files" / path.name
    cover.parent.mkdir(exist_ok=True)
    cover.write_text(text)
    _run("mount", "--bind", str(cover), str(path))


def _start_sshd(machine: Machine) -> None:
    (SCRATCH / "sshd").mkdir(exist_ok=True)
    config = SCRATCH / "sshd_config"
    config.write_text(machine.sshd)
    with Path(machine.sshd_log).open("ab") as log:
        subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", str(config)], stdin=subprocess.DEVNULL, stderr=log)
    ports = {int(line.split()[1]) for line in machine.sshd.splitlines() if line.startswith("Port ")}
    deadline = time.monotonic() + _LIMIT_S
    while not ports <= _listening_ports():
        if time.monotonic() > deadline:
            raise TimeoutError(f"sshd does not listen: {Path(machine.sshd_log).read_text()}")
        time.sleep(0.01)


def _listening_ports() -> set[int]:
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path("/proc/net", name).read_text().splitlines()[1:]]
    return {int(row[1].rsplit(":", 1)[1], 16) for row in rows if row[3] == "0A"}


def _replace_proc_net(changes: dict[str, str | None]) -> None:
    """Put a folder of links in place of /proc, so that single files of /proc/net can be other than the kernel's.

    The files of /proc/net are looked up anew for every process, which a bind mount over one of them cannot reach.
    """
    REAL_PROC.mkdir()
    _run("mount", "--bind", "/proc", str(REAL_PROC))
    _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/proc")
    net = Path("/proc/net")
    _link(REAL_PROC / "self/net", net, without=set(changes))
    for name, text in changes.items():
        if text is not None:
            (net / name).write_text("" if text == DENIED else text)
            (net / name).chmod(0o000 if text == DENIED else 0o444)
    for reader in ("self", "1"):
        _link(REAL_PROC / reader, Path("/proc") / reader, without={"net"})
        (Path("/proc") / reader / "net").symlink_to(net)
    for entry in REAL_PROC.iterdir():
        if not entry.name.isdigit() and entry.name not in {"net", "self"}:
            (Path("/proc") / entry.name).symlink_to(entry)


def _link(source: Path, folder: Path, without: set[str]) -> None:
    """Make `folder`, with a link to every entry of `source` but those `without`."""
    folder.mkdir()
    for entry in source.iterdir():
        if entry.name not in without:
            (folder / entry.name).symlink_to(entry)


if __name__ == "__main__":
    main()
