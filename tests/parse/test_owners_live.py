"""Real processes that hold real sockets, seen by the real script in every shell, held against what ss(8) says."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from auditor.collect import unframe
from auditor.model.facts import HostFacts, Listener, Owner
from auditor.model.transcript import Transcript
from auditor.parse import parse_snapshot
from tests.parse.holders import ID, NAMES, WORDS
from tests.parse.inside import NONCE
from tests.parse.snapshots import in_first_pid_namespace
from tests.requirements import require

SHELLS = ("dash", "bash --posix", "busybox sh")
ROOT = Path(__file__).parents[2]
SEALED = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    require("root", "unshare", "ip", "ss", "dash", "bash", "busybox")
    folder = tmp_path_factory.mktemp("programs")
    command = [*SEALED, sys.executable, "-m", "tests.parse.holders", str(folder), *SHELLS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return {**found, "folder": str(folder)}


def read(answer: Sequence[Any]) -> HostFacts:
    stdout, stderr, status = answer
    assert (stderr, status) == ("", 0)
    stdout = in_first_pid_namespace(stdout)
    now = datetime.now(UTC)
    transcript = Transcript(
        nonce=NONCE, stdout=stdout.encode("latin-1"), exit_status=status, started_at=now, finished_at=now
    )
    facts = parse_snapshot(unframe(transcript), transcript)
    assert facts.gaps == ()
    return facts


def at(facts: HostFacts, port: int) -> Listener:
    return next(found for found in facts.listeners if found.port == port)


def owner(stage: dict[str, Any], port: int, shell: str = "dash") -> Owner:
    (found,) = at(read(stage["answers"][shell]), port).owners
    assert found.pid == stage["pids"][str(port)][0]
    return found


@pytest.mark.parametrize("shell", SHELLS)
def test_the_processes_are_those_of_ss(stage: dict[str, Any], shell: str) -> None:
    """ss prints `tcp LISTEN 0 5 127.0.0.1:3000 0.0.0.0:* users:(("python",pid=1,fd=3),("sleep",pid=2,fd=3))`."""
    told = {}
    whole = stage["ss"].replace("\n", " ")  # a name may hold one
    for match in re.finditer(r"(tcp|udp) +(?:LISTEN|UNCONN) +\d+ +\d+ +\S+?:(\d+) +\S+ +users:(.*?)\)\)(?= |$)", whole):
        told[match[1], match[2]] = {int(pid) for pid in re.findall(r",pid=(\d+),fd=", match[3])}
    facts = read(stage["answers"][shell])
    seen = {
        (found.proto, str(found.port)): {owner.pid for owner in found.owners}
        for found in facts.listeners
        if found.proto in ("tcp", "udp")
    }
    assert told == seen
    assert len(seen) > 15


@pytest.mark.parametrize("shell", SHELLS)
def test_every_kind_of_socket_has_its_holders(stage: dict[str, Any], shell: str) -> None:
    facts = read(stage["answers"][shell])
    assert {found.owner_status for found in facts.listeners} == {"known"}
    assert {found.proto for found in facts.listeners} == {"tcp", "udp", "raw", "packet"}
    for found in facts.listeners:
        assert [owner.pid for owner in found.owners] == stage["pids"][str(found.port)], found.port
    assert at(facts, 3300).user == "nobody"
    assert at(facts, 3000).user == "root"


@pytest.mark.parametrize("shell", SHELLS[1:])
def test_every_shell_sees_the_same(stage: dict[str, Any], shell: str) -> None:
    assert read(stage["answers"][shell]).listeners == read(stage["answers"]["dash"]).listeners


def test_busybox_alone_is_enough(stage: dict[str, Any]) -> None:
    """Its ls prints a question mark for what cannot be printed, as it does to a terminal: seen in one path here."""
    strange = stage["pids"]["3400"][0]
    usual, alone = (
        [line for line in lines if not re.match(rf"\|[eE] {strange} ", line)] for lines in stage["programs"]
    )
    assert alone == usual
    assert len(usual) > 60
    (path,) = [line for line in stage["programs"][1] if line.startswith(f"|e {strange} ")]
    assert path.endswith("/a?|e 1 /usr/sbin/nginx?/proc/1/exe -> <b>?[2J/nc")


def test_rows_at_hand_tell_the_same_as_reading_them_again(stage: dict[str, Any]) -> None:
    """The script hands over the rows it has read; alone, as sudo starts it, the program reads them itself."""
    stdout = stage["answers"]["dash"][0]
    section = re.search(r" S owners\n(.*?)\n\n\w{32} E owners ok\n", stdout, re.DOTALL)
    assert section
    handed = sorted(line for line in section[1].split("\n") if not line.startswith("|v "))
    assert handed == [line for line in stage["programs"][0] if not line.startswith("|v ")]


@pytest.mark.parametrize("at_name", range(len(NAMES)))
@pytest.mark.parametrize("shell", SHELLS)
def test_a_name_of_any_kind_is_only_a_name(stage: dict[str, Any], shell: str, at_name: int) -> None:
    found = owner(stage, 3100 + at_name, shell)
    assert found.comm == NAMES[at_name][:15].decode()
    assert found.exe == stage["python"]


@pytest.mark.parametrize("shell", SHELLS)
def test_a_command_line_of_any_kind_is_only_a_command_line(stage: dict[str, Any], shell: str) -> None:
    found = owner(stage, 3200, shell).cmdline
    assert found is not None
    assert found.endswith(" ".join(WORDS))
    long = owner(stage, 3201, shell).cmdline
    assert long is not None
    assert 400 < len(long) <= 512


@pytest.mark.parametrize("shell", SHELLS)
def test_a_path_of_any_kind_is_only_a_path(stage: dict[str, Any], shell: str) -> None:
    assert owner(stage, 3401, shell).exe == f"{stage['folder']}/plain dir/nc"
    assert owner(stage, 3400, shell).exe == f"{stage['folder']}/a\n|e 1 /usr/sbin/nginx\n/proc/1/exe -> <b>\x1b[2J/nc"
    assert at(read(stage["answers"][shell]), 3000).owners[0].exe == stage["python"]


@pytest.mark.parametrize(
    ("port", "runtime", "container", "unit"),
    [
        (4001, "docker", ID, f"docker-{ID}.scope"),
        (4002, "podman", ID, f"libpod-{ID}.scope"),
        (4003, "containerd", ID, f"cri-containerd-{ID}.scope"),
        (4004, "cri-o", ID, f"crio-{ID}.scope"),
        (4005, "lxc", "web-1", None),
        (4006, "docker", ID, None),
        (4007, None, None, "web.service"),
        (4008, None, None, "user@1000.service"),
        (4009, None, None, f"libpod-conmon-{ID}.scope"),
    ],
)
def test_units_and_containers_come_from_control_groups(
    stage: dict[str, Any], port: int, runtime: str | None, container: str | None, unit: str | None
) -> None:
    if not stage["confined"][str(port)]:
        pytest.skip("no control group can be made here")
    found = owner(stage, port)
    assert (found.runtime, found.container, found.unit) == (runtime, container, unit)


HEADLESS = """
import ctypes, socket, subprocess, sys, threading, time
sock = socket.create_server(("127.0.0.1", 5000))
sock.set_inheritable(True)
threading.Thread(target=time.sleep, args=(60,)).start()
if len(sys.argv) > 1:
    subprocess.Popen(["sleep", "60"], close_fds=False, stdout=subprocess.DEVNULL)
print("ready", flush=True)
ctypes.CDLL(None).pthread_exit(None)  # the first thread ends, and the process goes on
"""


@pytest.mark.parametrize("awk", [("awk",), ("busybox", "awk")], ids=" ".join)
@pytest.mark.parametrize("shared", [False, True])
def test_a_process_whose_first_thread_has_ended_still_holds_its_sockets(
    awk: tuple[str, ...], shared: bool, tmp_path: Path
) -> None:
    """ss(8) does not find it: /proc/PID/fd is empty then, and the descriptors are those of the other threads."""
    require("root", "unshare", "ip", "dash", awk[0])
    (tmp_path / "awk").write_text(f'#!/bin/sh\nexec {shutil.which(awk[0])} {" ".join(awk[1:])} "$@"\n')
    (tmp_path / "awk").chmod(0o755)
    (tmp_path / "headless.py").write_text(HEADLESS)
    run = f"{sys.executable} {tmp_path}/headless.py {'shared' if shared else ''}"
    look = f"ip link set lo up; {{ {run} & }} | {{ read -r X; sleep 0.3; dash {ROOT}/auditor/collect/owners.sh; }}"
    environment = {"PATH": f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"}
    done = subprocess.run(
        [*SEALED, "sh", "-c", look], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.stderr == ""
    names = dict(re.findall(r"^\|n (\d+) (.*)$", done.stdout, re.MULTILINE))
    held = {names[pid] for pid in re.findall(r"^\|h (\d+) ", done.stdout, re.MULTILINE)}
    assert held == ({"sleep"} if shared else set()) | {Path(sys.executable).name[:15]}
    assert not re.search(r"^\|k ", done.stdout, re.MULTILINE)


def test_without_root_only_its_own_sockets_are_known(stage: dict[str, Any]) -> None:
    facts = read(stage["user"])
    assert not facts.system.privileged
    assert "\n|k " not in stage["user"][0]  # it cannot say that nobody holds a socket
    for found in facts.listeners:
        pids = [owner.pid for owner in found.owners]
        if found.port == 3300:
            assert (found.owner_status, pids) == ("known", stage["pids"]["3300"])
        else:
            assert (found.owner_status, pids) == ("unprivileged", []), found.port
    assert at(facts, 3000).user == "root"
