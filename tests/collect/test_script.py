"""The script in real shells: what it prints when files are missing, denied or strange, and what it never does."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from auditor import collect as collecting
from auditor.collect import build_script, unframe
from auditor.collect.sections import ASKED, SECTIONS
from auditor.model.snapshot import Snapshot
from tests.collect.answers import NONCE, a_transcript
from tests.requirements import require

SHELLS = ("dash", "bash --posix", "busybox sh")
WITH_KSH = pytest.mark.parametrize("shell", [*SHELLS, "ksh"], indirect=True)
"""It runs the end of a pipeline itself."""
HEADER = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
NOBODY = 65534


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    require(name.split(maxsplit=1)[0])
    return name


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a small recorded host: proc, etc and sys, open to everybody."""
    for name in ("proc/net/sctp", "proc/sys/kernel", "proc/sys/net/ipv4", "proc/sys/net/ipv6", "sys/kernel", "etc"):
        (tmp_path / name).mkdir(parents=True)
    write(tmp_path, "proc/sys/kernel/ostype", b"Linux\n")
    write(tmp_path, "proc/sys/kernel/osrelease", b"6.9\n")
    write(tmp_path, "proc/sys/kernel/arch", b"riscv64\n")
    write(tmp_path, "proc/sys/kernel/hostname", b"recorded\n")
    write(tmp_path, "proc/net/tcp", HEADER)
    write(tmp_path, "proc/net/udp", HEADER)
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.geteuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    return tmp_path


def write(tree: Path, name: str, data: bytes) -> Path:
    path = tree / name
    path.write_bytes(data)
    return path


def run(
    shell: str, script: bytes, *, user: int | None = None, **environment: str
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*shell.split(), "-s"],
        input=script,
        capture_output=True,
        timeout=60,
        check=False,
        cwd="/",
        env={"PATH": "/usr/bin:/bin", **environment},
        user=user,
    )


def rooted(tree: Path, *, sudo: bool = False, path: str | None = None) -> bytes:
    """Return the script reading a recorded host."""
    text = build_script(NONCE, sudo=sudo).text
    for name in ("P=/proc", "E=/etc", "S=/sys"):
        line = f"\n{name}\n".encode()
        assert text.count(line) == 1
        text = text.replace(line, f"\n{name[:2]}{tree}{name[2:]}\n".encode())
    if path is not None:
        start = text.index(b"\nPATH=") + 1
        text = text[:start] + f"PATH={path}:/usr/bin:/bin".encode() + text[text.index(b"\n", start) :]
    return text


def collect(shell: str, script: bytes, **how: object) -> Snapshot:
    done = run(shell, script, **how)  # type: ignore[arg-type]  # environment or user
    assert done.returncode == 0, done.stderr
    snapshot = unframe(a_transcript(done.stdout))
    assert snapshot.gaps == ()
    return snapshot


def status_of(snapshot: Snapshot) -> dict[str, str]:
    return {name: section.status for name, section in snapshot.sections.items()}


def test_the_script_is_the_nonce_and_one_pair_of_braces() -> None:
    lines = build_script(NONCE).text.split(b"\n")
    assert lines[:3] == [f"N={NONCE}".encode(), b"{", b"exec </dev/null"]
    assert lines[-3:] == [b"exit 0", b"}", b""]
    assert not [line for line in lines if line.startswith((b" ", b"#"))]
    for root in (b"P=/proc", b"E=/etc", b"S=/sys"):
        assert lines.count(root) == 1


def test_sudo_changes_one_line() -> None:
    plain, raised = (build_script(NONCE, sudo=sudo).text.split(b"\n") for sudo in (False, True))
    assert [(a, b) for a, b in zip(plain, raised, strict=True) if a != b] == [(b"U=no", b"U=yes")]


@pytest.mark.parametrize("nonce", ["", "x" * 32, "0" * 31, "0" * 32 + "\n", "0" * 31 + ";", "A" * 32])
def test_a_nonce_that_could_be_code_is_refused(nonce: str) -> None:
    with pytest.raises(ValueError, match="nonce"):
        build_script(nonce)


def test_this_machine_answers_every_section_in_order(shell: str) -> None:
    snapshot = collect(shell, build_script(NONCE).text)
    assert tuple(snapshot.sections) == tuple(name for name in SECTIONS if name not in ASKED)
    for name, path in (
        ("hostname", "/proc/sys/kernel/hostname"),
        ("ip_local_port_range", None),
        ("services", "/etc/services"),
    ):
        source = path or "/proc/sys/net/ipv4/ip_local_port_range"
        assert snapshot.sections[name].data == Path(source).read_bytes()


@pytest.mark.parametrize("part", [0.01, 0.2, 0.5, 0.8, 0.95, 0.999])
def test_a_script_that_arrives_in_part_runs_nothing(shell: str, part: float) -> None:
    text = build_script(NONCE).text
    done = run(shell, text[: int(len(text) * part)].rstrip(b"\n"))
    assert done.stdout == b""


def test_it_writes_nothing_anywhere(shell: str, tmp_path: Path) -> None:
    require("strace")
    log = tmp_path / "log"
    run(
        f"strace -f -e trace=openat,open,creat,mkdir,mkdirat,unlink,unlinkat,rename -o {log} {shell}",
        build_script(NONCE).text,
    )
    calls = log.read_text().splitlines()
    assert [line for line in calls if "/proc/net/tcp" in line]
    assert not [
        line for line in calls if ("O_CREAT" in line or "O_WRONLY" in line or "O_RDWR" in line) and "/dev/" not in line
    ]
    assert not [line for line in calls if "mkdir" in line or "unlink" in line or "rename" in line]


def test_few_processes_are_started(shell: str, tmp_path: Path) -> None:
    """Each costs the host about a millisecond: the shell, and date, cat and awk."""
    require("strace", "awk")
    log = tmp_path / "log"
    run(f"strace -f -e trace=execve -e signal=none -o {log} {shell}", build_script(NONCE).text)
    started = [line for line in log.read_text().splitlines() if "execve(" in line and " = 0" in line]
    of_root = [line for line in started if any(word in line for word in ("nft", "-save", "20001s"))]
    assert len(started) - len(of_root) <= 4, started
    assert len(of_root) <= 10, of_root  # five tools that may know rules, each with a sed


@pytest.mark.parametrize("owners", [False, True])
def test_a_table_of_tcp_is_read_once_and_in_large_pieces(shell: str, tmp_path: Path, owners: bool) -> None:
    """For every piece that is not full the kernel looks through its whole hash table, milliseconds each time."""
    require("strace", "awk", "root")
    log = tmp_path / "log"
    run(f"strace -f -e trace=openat,open -e signal=none -o {log} {shell}", build_script(NONCE, owners=owners).text)
    opened = [line for line in log.read_text().splitlines() if '"/proc/net/tcp' in line]
    assert sorted(line.split('"')[1] for line in opened) == ["/proc/net/tcp", "/proc/net/tcp6"]
    run(f"strace -ff -y -e trace=read,sendfile -e signal=none -o {log} {shell}", build_script(NONCE).text)
    lines = [line for each in tmp_path.glob("log.*") for line in each.read_text("latin-1").splitlines()]
    sizes = [int(re.findall(r", ([0-9]+)\)", line)[-1]) for line in lines if "/net/tcp>" in line]
    assert sizes
    assert min(sizes) >= 4096


def both_ways(shell: str, script: bytes, **how: object) -> tuple[Snapshot, Snapshot]:
    """Return what comes with two programs for all tables, and what comes with a program for each."""
    assert script.count(b"\nY=plan\n") == 1
    return collect(shell, script, **how), collect(shell, script.replace(b"\nY=plan\n", b"\nY=one\n"), **how)


def payloads(snapshot: Snapshot) -> dict[str, tuple[str, bytes]]:
    return {name: (part.status, part.data) for name, part in snapshot.sections.items() if name != "date"}


@pytest.mark.parametrize("place", ["a", "z"])
def test_both_ways_read_the_same(shell: str, tree: Path, place: str) -> None:
    """The one is for hosts with awk, the other for those without, and for tables that sudo has to read."""
    require("root", "awk")
    odd = b"|\\n %s $(id) `id` * ~ \x1b[2J\t \xff\n"
    write(tree, "proc/net/tcp", HEADER + b"cut")
    write(tree, "proc/net/tcp6", HEADER + odd + b"\n\n")
    write(tree, "proc/net/udp6", b"")
    write(tree, "proc/net/raw", HEADER).chmod(0o000 if place == "a" else 0o644)
    (tree / "proc/net/raw6").mkdir()
    write(tree, "proc/net/snmp", b"Ip: 1\nIp: 2\nTcp: a b\nTcp: 1 2\nUdp: 3\n")
    write(tree, "proc/net/sockstat", b"sockets: used 5\nTCP: inuse 4 orphan 0 tw 3 alloc 1 mem 1\n")
    write(
        tree, "proc/net/unix", b"Num Path\n1: 2 0 00010000 1 1 7 /a\nLinux\ncat: x\n1: 2 0 00010000 1 1 8 /b\n1: 2 0\n"
    )
    write(
        tree,
        "etc/services",
        b"#Linux\nLinux\nhttp 80/tcp # on Linux\n" + odd + (b"last 1/tcp" if place == "a" else b""),
    )
    together, apart = both_ways(shell, rooted(tree), user=NOBODY)
    assert payloads(together).keys() == payloads(apart).keys()
    for name, part in payloads(together).items():
        if name != "raw6":  # a folder, which only some programs call an error
            assert part == payloads(apart)[name], name
    assert payloads(together)["unix"][1].count(b"/") == 2
    assert payloads(together)["snmp.2"] == ("ok", b"Tcp: a b\nTcp: 1 2\n")


def test_a_folder_cat_cannot_read_is_an_error_beside_whole_tables(shell: str, tree: Path) -> None:
    require("awk")
    (tree / "proc/net/udp6").mkdir()
    sections = collect(shell, rooted(tree)).sections
    assert (sections["udp6"].status, sections["udp6"].data) == ("error", b"")
    assert (sections["udp"].status, sections["udp"].data) == ("ok", HEADER * 3)


@pytest.mark.parametrize("killed", ["cat", "awk"])
def test_a_program_that_dies_leaves_no_whole_answer(
    shell: str, tree: Path, tmp_path_factory: pytest.TempPathFactory, killed: str
) -> None:
    require("awk")
    programs = tmp_path_factory.mktemp("programs")
    write(programs, killed, b"#!/bin/sh\nkill -9 $$\n").chmod(0o755)
    snapshot = unframe(a_transcript(run(shell, rooted(tree, path=str(programs))).stdout))
    assert "broken-frame" in {gap.source for gap in snapshot.gaps}
    assert "tcp" not in {name for name, part in snapshot.sections.items() if part.status == "ok"}


def test_what_is_not_there_is_absent(shell: str, tree: Path) -> None:
    snapshot = collect(shell, rooted(tree))
    status = status_of(snapshot)
    assert status["tcp"] == "ok"
    assert snapshot.sections["tcp"].data == HEADER
    assert snapshot.sections["udp"].data == HEADER * 3
    assert snapshot.sections["uname"].data == b"Linux 6.9 riscv64\n"
    assert snapshot.sections["hostname"].data == b"recorded\n"
    for name in (
        "tcp6",
        "udp6",
        "raw",
        "packet",
        "sctp",
        "unix",
        "if_inet6",
        "sockstat.1",
        "snmp.2",
        "services",
        "os-release",
    ):
        assert status[name] == "absent", name
    assert snapshot.sections["od"].data.strip() in (b"1", b"256")
    assert snapshot.sections["netns"].data == b"unknown\n"


def test_what_may_not_be_read_is_denied(shell: str, tree: Path) -> None:
    require("root")
    for name in ("proc/net/tcp", "proc/net/udp", "proc/net/raw", "proc/net/unix", "proc/net/sockstat", "etc/services"):
        write(tree, name, HEADER).chmod(0o000)
    (tree / "proc/net/sctp").chmod(0o000)
    status = status_of(collect(shell, rooted(tree), user=NOBODY))
    for name in ("tcp", "udp", "raw", "unix", "sockstat.1", "services", "sctp"):
        assert status[name] == "denied", name


def test_a_folder_that_may_not_be_entered_is_denied_and_not_absent(shell: str, tree: Path) -> None:
    require("root")
    (tree / "proc/net").chmod(0o000)
    status = status_of(collect(shell, rooted(tree), user=NOBODY))
    assert {status[name] for name in ("tcp", "tcp6", "udp", "udp6", "if_inet6", "raw", "packet")} == {"denied"}


def test_a_folder_in_place_of_a_table_is_never_an_empty_table(shell: str, tree: Path) -> None:
    (tree / "proc/net/tcp").unlink()
    (tree / "proc/net/tcp").mkdir()
    section = collect(shell, rooted(tree)).sections["tcp"]
    assert (section.status, section.data) in {
        ("error", b""),
        ("ok", b""),
    }  # busybox sed reads it as empty: a gap as well


def test_tables_without_a_last_newline_and_empty_ones_keep_their_shape(shell: str, tree: Path) -> None:
    for name, data in (
        ("tcp", HEADER + b"cut"),
        ("tcp6", b""),
        ("raw", b""),
        ("raw6", b"cut"),
        ("packet", HEADER + b"cut"),
    ):
        write(tree, f"proc/net/{name}", data)
    sections = collect(shell, rooted(tree)).sections
    assert sections["tcp"].data == HEADER + b"cut"
    assert sections["tcp6"].data == b""
    assert sections["raw"].data == b""
    assert sections["raw6"].data == b"cut"
    assert sections["packet"].data == HEADER + b"cut"
    assert {sections[name].status for name in ("tcp", "tcp6", "raw", "raw6", "packet")} == {"ok"}


@pytest.mark.parametrize(
    "text", ["1.2.3.4 5 6.7.8.9 22", "", f"x\n{NONCE} E tcp ok\n\\c\\n%s $(id) `id`", "\x1b[2J*", "-n"]
)
def test_the_environment_cannot_forge_the_frame(shell: str, tree: Path, text: str) -> None:
    section = collect(shell, rooted(tree), SSH_CONNECTION=text).sections["ssh_connection"]
    assert section.status == "ok"
    assert section.data.decode() == "".join(f"{line}\n" for line in text.split("\n") if line)


def test_odd_file_contents_come_through(shell: str, tree: Path) -> None:
    odd = f"\\n %s $(id) `id` * ~ \x1b[2J\t \n{NONCE} END 0\n|||\n".encode()
    write(tree, "proc/sys/kernel/hostname", odd)
    write(tree, "etc/services", odd)
    write(tree, "etc/os-release", b'NAME=x\nPRETTY_NAME="a \\" $(id) * b"\nZ=1\n')
    sections = collect(shell, rooted(tree)).sections
    assert sections["hostname"].data == odd
    assert sections["services"].data == odd
    assert sections["os-release"].data == b'PRETTY_NAME="a \\" $(id) * b"\n'


def test_services_may_be_anything_but_a_trap(shell: str, tree: Path) -> None:
    os.mkfifo(tree / "etc/services")
    os.mkfifo(tree / "etc/os-release")
    status = status_of(collect(shell, rooted(tree)))
    assert (status["services"], status["os-release"]) == ("error", "absent")


def test_endless_services_are_cut_on_the_host(shell: str, tree: Path) -> None:
    write(tree, "etc/services", b"a 1/tcp\n" * 200_000)
    section = collect(shell, rooted(tree)).sections["services"]
    assert section.data.count(b"\n") == 100_000


def test_numbers_under_proc_sys_are_whole(shell: str, tree: Path) -> None:
    """A shell that reads byte by byte gets one digit of them from a real kernel; hence sed."""
    sections = collect(shell, build_script(NONCE).text).sections
    for name, path in (("ip_local_port_range", "ipv4/ip_local_port_range"), ("bindv6only", "ipv6/bindv6only")):
        assert sections[name].data == Path(f"/proc/sys/net/{path}").read_bytes()
    write(tree, "proc/sys/net/ipv4/ip_local_port_range", b"1024\t65000\n")
    write(tree, "proc/sys/net/ipv4/ip_local_reserved_ports", b"\n")
    sections = collect(shell, rooted(tree)).sections
    assert sections["ip_local_port_range"].data == b"1024\t65000\n"
    assert sections["ip_local_reserved_ports"].data == b"\n"
    assert sections["bindv6only"].status == "absent"


def test_another_system_says_its_name_and_stops(shell: str, tree: Path) -> None:
    (tree / "proc/sys/kernel/ostype").unlink()
    done = run(shell, b"uname() { echo FreeBSD 14.1-RELEASE amd64; }\n" + rooted(tree))
    snapshot = unframe(a_transcript(done.stdout))
    assert snapshot.gaps == ()
    assert {name: section.data for name, section in snapshot.sections.items()} == {"uname": b"FreeBSD 6.9 riscv64\n"}


def test_without_proc_net_the_process_own_view_is_read(shell: str, tree: Path) -> None:
    (tree / "proc/self").mkdir()
    (tree / "proc/net").rename(tree / "proc/self/net")
    assert collect(shell, rooted(tree)).sections["tcp"].data == HEADER


@WITH_KSH
def test_sudo_reads_what_was_denied_and_nothing_else(
    shell: str, tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    require("root")
    programs = tmp_path_factory.mktemp("programs")
    for folder in (programs, *programs.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    sudo = write(
        programs, "sudo", b'#!/bin/sh\n[ "$1 $2" = "-n cat" ] || exit 9\nshift 2\nfor f; do printf "raised\\n"; done\n'
    )
    sudo.chmod(0o755)
    for name in ("tcp", "udp"):
        (tree / "proc/net" / name).chmod(0o000)
    write(tree, "proc/net/sockstat", HEADER).chmod(0o000)
    sections = collect(shell, rooted(tree, sudo=True, path=str(programs)), user=NOBODY).sections
    assert (sections["tcp"].status, sections["tcp"].data) == ("ok", b"raised\n")
    assert (sections["udp"].status, sections["udp"].data) == ("ok", b"raised\n" * 3)
    assert (sections["sockstat.1"].data, sections["sockstat.2"].data) == (b"raised\n", b"raised\n")
    assert sections["tcp6"].status == "absent"
    assert collect(shell, rooted(tree, path=str(programs)), user=NOBODY).sections["tcp"].status == "denied"


@WITH_KSH
def test_sudo_that_refuses_leaves_it_denied(shell: str, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    require("root")
    programs = tmp_path_factory.mktemp("programs")
    for folder in (programs, *programs.parents[:-1]):
        folder.chmod(folder.stat().st_mode | 0o055)
    write(programs, "sudo", b'#!/bin/sh\necho "sudo: a password is required" >&2\nexit 1\n').chmod(0o755)
    (tree / "proc/net/tcp").chmod(0o000)
    section = collect(shell, rooted(tree, sudo=True, path=str(programs)), user=NOBODY).sections["tcp"]
    assert (section.status, section.data) == ("denied", b"")


def test_where_nothing_can_be_read_one_gap_says_what_the_shell_said(shell: str, tree: Path) -> None:
    require("root")
    (tree / "null").touch(mode=0o644)
    done = run(shell, rooted(tree).replace(b"/dev/null", bytes(tree / "null")), user=NOBODY)
    assert done.returncode == 0
    snapshot = unframe(a_transcript(done.stdout, stderr=done.stderr))
    assert snapshot.sections == {}
    (gap,) = snapshot.gaps
    assert gap.source == "no-system"
    assert "ermission denied" in gap.reason


def test_without_the_programs_it_needs_nothing_passes_for_read(shell: str, tree: Path) -> None:
    text = rooted(tree)
    start = text.index(b"\nPATH=") + 1
    status = status_of(collect(shell, text[:start] + b"PATH=/nonexistent" + text[text.index(b"\n", start) :]))
    if shell != "busybox sh":  # which has the programs built in
        assert (status["tcp"], status["udp"]) == ("error", "error")


@pytest.mark.parametrize(
    ("modules", "known"), [(None, False), (b"", False), (b"nf_tables 1 2\n", False), (b"nf_nat 1 2\nfuse 1 1\n", True)]
)
def test_without_nft_only_a_kernel_without_nftables_has_no_rules(
    shell: str, tmp_path: Path, modules: bytes | None, known: bool
) -> None:
    (tmp_path / "net").mkdir()
    if modules is not None:
        (tmp_path / "modules").write_bytes(modules)
    program = (Path(collecting.__file__).parent / "nat.sh").read_text()
    path = tmp_path / "bin"
    path.mkdir()
    command = [
        *shell.split(),
        "-c",
        program.replace("PATH=$PATH:/usr/local/sbin", f"PATH={path}"),
        "nat",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd="/")
    assert done.stderr == ""
    assert done.stdout == f"|+ begin nft\n|+ end {0 if known else 127}\n"


def test_a_legacy_table_without_its_program_is_not_taken_for_empty(shell: str, tmp_path: Path) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "ip_tables_names").write_bytes(b"filter\nnat\n")
    (tmp_path / "modules").write_bytes(b"ip_tables 1 2\n")
    path = tmp_path / "bin"
    path.mkdir()
    program = (Path(collecting.__file__).parent / "nat.sh").read_text()
    command = [
        *shell.split(),
        "-c",
        program.replace("PATH=$PATH:/usr/local/sbin", f"PATH={path}"),
        "nat",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd="/")
    assert "|+ begin iptables-save\n|+ end 127\n" in done.stdout
