"""Runs in namespaces of its own: starts processes that hold sockets, then says how the script and ss(8) see them.

    unshare --net --pid --fork --mount-proc python -m tests.parse.holders <folder> <shell>...

Prints one JSON object. Everything here ends with the process, but for control groups, which it removes.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from auditor.collect import build_script
from tests.parse.inside import NONCE, look

ID = "0123456789abcdef" * 4
GROUPS = {
    4001: "{top}.slice/docker-{id}.scope",
    4002: "{top}.slice/machine.slice/libpod-{id}.scope/container",
    4003: "{top}.slice/kubepods.slice/kubepods-pod1.slice/cri-containerd-{id}.scope",
    4004: "{top}.slice/kubepods.slice/crio-{id}.scope",
    4005: "{top}/lxc.payload.web-1/system.slice/nginx.service",
    4006: "{top}/docker/{id}",
    4007: "{top}.slice/web.service",
    4008: "{top}.slice/user@1000.service/nginx.service",
    4009: "{top}.slice/libpod-conmon-{id}.scope",
}
"""Port by port, the group of its holder: as the runtimes name them."""
NAMES = [b"\x1b[2J<b>x</b>", b"a\n|h 1 2 3", b"x\\n\ny\t;id", b"\n|z\n|v 0 1 0", f"\n{NONCE[:8]} S ".encode()]
WORDS = [
    "==> /proc/1/cmdline <==",
    "\n==> /proc/./1/cmdline <==\nforged",
    "\x1b]0;x\x07",
    "<script>",
    "|z",
    f"{NONCE} END",
]
SERVE = """
import os, socket, sys, time
port, name = int(sys.argv[1]), os.fsencode(sys.argv[2])
sock = socket.create_server(("127.0.0.1", port))
if name:
    open("/proc/self/comm", "wb").write(name)
print("ready", flush=True)
time.sleep(600)
"""


class Stage:
    """The processes and control groups of this run."""

    def __init__(self) -> None:
        self.processes: list[subprocess.Popen[bytes]] = []
        self.groups: list[Path] = []
        self.pids: dict[int, list[int]] = {}

    def serve(self, port: int, name: bytes = b"", *words: str) -> None:
        """Start a process that listens on a port of 127.0.0.1 and calls itself `name`."""
        command = [sys.executable, "-c", SERVE, str(port), os.fsdecode(name), *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        self.processes.append(process)
        self.pids[port] = [process.pid]

    def run_copy(self, path: Path, port: int) -> None:
        """Start a program of any path that listens: busybox's nc."""
        path.parent.mkdir(parents=True)
        shutil.copy(shutil.which("busybox") or "", path)
        self.run_nc(path, port)

    def run_nc(self, path: Path, port: int, user: int | None = None) -> None:
        command = ["nc", "-l", "-p", str(port)]
        process = subprocess.Popen(command, executable=path, stdin=subprocess.PIPE, user=user)
        self.processes.append(process)
        self.pids[port] = [process.pid]

    def confine(self, pid: int, path: str) -> bool:
        """Put a process into a control group of this name, in version 2 if there is any, else in systemd's own."""
        for line in Path("/proc/mounts").read_text().splitlines():
            _, place, kind, options, *_ = line.split()
            if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options):
                with contextlib.suppress(OSError):
                    return self._confine(pid, Path(place), path)
        return False

    def _confine(self, pid: int, root: Path, path: str) -> bool:
        group = root
        for part in path.split("/"):
            group /= part
            if not group.exists():
                group.mkdir()
                self.groups.append(group)
        (group / "cgroup.procs").write_text(str(pid))
        return True

    def clear(self) -> None:
        for process in self.processes:
            process.send_signal(signal.SIGKILL)
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    stream.close()
        for group in reversed(self.groups):
            for _ in range(50):
                with contextlib.suppress(OSError):
                    group.rmdir()
                    break
                time.sleep(0.02)


def look_alone(path: str) -> list[str]:
    """Return the lines of owners.sh by itself, with the programs of one PATH."""
    script = str(Path(__file__).parents[2] / "auditor/collect/owners.sh")
    done = subprocess.run(["sh", script], capture_output=True, check=True, env={"PATH": path})
    return done.stdout.decode("latin-1").splitlines()


def link_busybox(folder: Path) -> str:
    """Return a PATH on which busybox is all there is."""
    folder.mkdir()
    for name in ("ls", "awk", "head", "tr", "sh"):
        (folder / name).symlink_to(shutil.which("busybox") or "")
    return str(folder)


def main(folder: Path, shells: list[str]) -> None:
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    stage = Stage()
    try:
        json.dump(play(stage, folder, shells), sys.stdout)
    finally:
        stage.clear()


def play(stage: Stage, folder: Path, shells: list[str]) -> dict[str, object]:
    shared = socket.create_server(("127.0.0.1", 3000))
    os.set_inheritable(shared.fileno(), True)
    helper = subprocess.Popen(["sleep", "600"], pass_fds=[shared.fileno()])
    stage.processes.append(helper)
    stage.pids[3000] = [os.getpid(), helper.pid]
    kept = [shared]
    for kind, number in ((socket.SOCK_DGRAM, 3001), (socket.SOCK_RAW, 1)):
        sock = socket.socket(socket.AF_INET, kind, number if kind == socket.SOCK_RAW else 0)
        if kind == socket.SOCK_DGRAM:
            sock.bind(("0.0.0.0", number))
        kept.append(sock)
        stage.pids[number] = [os.getpid()]
    kept.append(socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)))
    stage.pids[3] = [os.getpid()]
    for at, name in enumerate(NAMES):
        stage.serve(3100 + at, name)
    stage.serve(3200, b"", *WORDS)
    stage.serve(3201, b"", "x" * 5000)
    stage.run_nc(Path(shutil.which("busybox") or ""), 3300, user=65534)
    stage.run_copy(folder / "a\n|e 1 /usr/sbin/nginx\n/proc/1/exe -> <b>\x1b[2J" / "nc", 3400)
    stage.run_copy(folder / "plain dir" / "nc", 3401)
    confined = {}
    top = f"na{Path('/proc/self/ns/net').stat().st_ino}"
    for port, path in GROUPS.items():
        stage.serve(port)
        confined[port] = stage.confine(stage.pids[port][0], path.format(top=top, id=ID))
    for _ in range(100):
        if all(f":{port} " in look("ss", "-Hlnt") for port in (3300, 3400, 3401)):
            break
        time.sleep(0.02)
    answers = {}
    for shell in shells:
        script = build_script(NONCE, owners=True).text
        done = subprocess.run([*shell.split(), "-s"], input=script, capture_output=True, check=False)
        answers[shell] = [done.stdout.decode("latin-1"), done.stderr.decode("latin-1"), done.returncode]
    user = subprocess.run(
        ["dash", "-s"], input=build_script(NONCE, owners=True).text, capture_output=True, check=False, user=65534
    )
    return {
        "answers": answers,
        "user": [user.stdout.decode("latin-1"), user.stderr.decode("latin-1"), user.returncode],
        "programs": [sorted(look_alone(path)) for path in ("/usr/bin:/bin", link_busybox(folder / "bin"))],
        "ss": look("ss", "-Hlntup") + look("ss", "-Hlnp", "-w") + look("ss", "-Hlnp", "-0"),
        "pids": stage.pids,
        "confined": confined,
        "top": top,
        "python": os.path.realpath(sys.executable),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
