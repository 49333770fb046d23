"""The tables that are asked for besides those of an audit: in real shells, from this kernel and from recorded hosts."""

import os
import socket
import subprocess
from pathlib import Path

import pytest

from auditor.collect import build_script, unframe
from auditor.collect.sections import ASKED, SECTIONS, TABLE_GROUPS, TableGroup
from auditor.model.snapshot import Snapshot
from auditor.parse.owners import Ownership
from tests.collect.answers import NONCE, a_transcript
from tests.requirements import require

SHELLS = ("dash", "bash --posix", "busybox sh")
EVERY = frozenset(TABLE_GROUPS)


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    require(name.split(maxsplit=1)[0])
    return name


def collect(shell: str, *groups: TableGroup, root: Path | None = None, **more: bool) -> Snapshot:
    """Return the answer of this machine, or of the recorded host whose proc, etc and sys are under `root`."""
    text = build_script(NONCE, tables=frozenset(groups), **more).text
    for name in ("P=/proc", "E=/etc", "S=/sys") if root else ():
        text = text.replace(f"\n{name}\n".encode(), f"\n{name[:2]}{root}{name[2:]}\n".encode(), 1)
    done = subprocess.run([*shell.split(), "-s"], input=text, capture_output=True, timeout=60, check=True, cwd="/")
    assert done.stderr == b""
    snapshot = unframe(a_transcript(done.stdout))
    assert snapshot.gaps == ()
    return snapshot


def a_host(tmp_path: Path, **files: bytes) -> Path:
    """Return a recorded host with these files; `__` stands for `/`."""
    kernel = {"proc__sys__kernel__ostype": b"Linux\n", "proc__net__tcp": b"  sl  local_address rem_address\n"}
    for name, data in {**kernel, **files}.items():
        path = tmp_path / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return tmp_path


@pytest.mark.parametrize("uid", [0, 1000])
def test_without_connection_tracking_nobody_needs_root_to_know_that_no_port_is_led_elsewhere(
    shell: str, tmp_path: Path, uid: int
) -> None:
    host = a_host(tmp_path, proc__self__status=b"Uid:\t%d\t%d\t%d\t%d\n" % (uid, uid, uid, uid))
    assert collect(shell, root=host).sections["nat"].status == "absent"


def test_where_connections_are_tracked_only_root_can_tell(shell: str, tmp_path: Path) -> None:
    tracking = {"proc__sys__net__netfilter__nf_conntrack_max": b"65536\n"}
    host = a_host(tmp_path, proc__self__status=b"Uid:\t1000\t1000\t1000\t1000\n", **tracking)
    assert collect(shell, root=host).sections["nat"].status == "denied"


def test_nothing_more_than_an_audit_needs_comes_unasked() -> None:
    plain = build_script(NONCE, owners=True)
    assert plain == build_script(NONCE, owners=True, tables=frozenset())
    for group in EVERY:
        assert plain.text != build_script(NONCE, owners=True, tables=frozenset({group})).text


@pytest.mark.parametrize("group", sorted(EVERY))
def test_each_group_brings_its_sections(shell: str, group: TableGroup) -> None:
    found = tuple(collect(shell, group).sections)
    assert found == tuple(name for name in SECTIONS if name not in ASKED or name in TABLE_GROUPS[group])


def test_all_of_them_come_in_order_and_as_the_kernel_has_them(shell: str) -> None:
    sections = collect(shell, *EVERY).sections
    assert tuple(sections) == SECTIONS
    for name, path in (("hosts", "/etc/hosts"), ("route", "/proc/net/route"), ("igmp6", "/proc/net/igmp6")):
        assert sections[name].data == Path(path).read_bytes()
    loopback = next(line for line in sections["links"].data.split(b"\n") if line.startswith(b"lo "))
    assert loopback.split()[:4] == [
        b"lo",
        *(Path(f"/sys/class/net/lo/{name}").read_bytes().strip() for name in ("ifindex", "flags", "mtu")),
    ]


def test_of_users_only_name_and_number_travel(shell: str, tmp_path: Path) -> None:
    root = a_host(tmp_path, etc__passwd=b"root:secret:0:0:r:/root:/bin/sh\n+@nis\nwww:x:33:33::/:\nbad:x:y:1::/:\n")
    assert collect(shell, "names", root=root).sections["passwd"].data == b"0 root\n33 www\n"


def test_names_that_are_not_files_are_an_error_and_long_ones_are_cut(shell: str, tmp_path: Path) -> None:
    root = a_host(tmp_path, etc__networks=b"a 10\n" * 20_000, etc__protocols__x=b"")
    sections = collect(shell, "names", root=root).sections
    assert sections["networks"].data.count(b"\n") == 10_000
    assert {name: sections[name].status for name in TABLE_GROUPS["names"]} == {
        "hosts": "absent",
        "networks": "ok",
        "protocols": "error",
        "passwd": "absent",
    }


def test_links_without_sys_are_absent_and_without_interfaces_none(shell: str, tmp_path: Path) -> None:
    root = a_host(tmp_path)
    assert collect(shell, "links", root=root).sections["links"].status == "absent"
    (root / "sys/class/net").mkdir(parents=True)
    section = collect(shell, "links", root=root).sections["links"]
    assert (section.status, section.data) == ("ok", b"")


def test_an_interface_names_its_driver_and_leaves_out_what_is_not_there(shell: str, tmp_path: Path) -> None:
    root = a_host(tmp_path, sys__class__net__eth0__ifindex=b"2\n", sys__class__net__eth0__speed=b"1000\n")
    (root / "sys/class/net/bonding_masters").write_bytes(b"bond0\n")
    (root / "drivers/e1000e").mkdir(parents=True)
    (root / "sys/class/net/eth0/device").mkdir()
    (root / "sys/class/net/eth0/device/driver").symlink_to(root / "drivers/e1000e")
    assert collect(shell, "links", root=root).sections["links"].data == b"eth0 2 - - - - 1000 - - - e1000e\n"


def test_unix_sockets_come_with_all_of_their_rows(shell: str, tmp_path: Path) -> None:
    rows = (
        b"Num       RefCount Protocol Flags    Type St Inode Path\n"
        b"0000000000000000: 00000002 00000000 00010000 0001 01 11 /run/a\n"
        b"0000000000000000: 00000003 00000000 00000000 0001 03 12\n"
    )
    root = a_host(tmp_path, proc__net__unix=rows)
    assert collect(shell, root=root).sections["unix"].data == rows[: rows.index(b"/run/a") + 7]
    assert collect(shell, "connections", root=root).sections["unix"].data == rows
    (root / "proc/net/unix").write_bytes(rows + rows[-60:] * 90_000)
    assert collect(shell, "connections", root=root).sections["unix"].data.count(b"\n") == 80_000


@pytest.mark.parametrize(("connections", "whole"), [(80_000, True), (80_001, False)])
def test_connections_travel_up_to_a_limit(shell: str, tmp_path: Path, connections: int, whole: bool) -> None:
    header = b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
    row = b" 0: 0100007F:0016 0100007F:8235 01 00000000:00000000 00:00000000 00000000 0 0 1 1 0 20 4 24 10 -1\n"
    root = a_host(
        tmp_path,
        proc__net__tcp=header + row * 30,
        proc__net__sockstat=f"sockets: used 9\nTCP: inuse {connections} orphan 0 tw 0 alloc 9 mem 9\n".encode(),
    )
    data = collect(shell, "connections", root=root).sections["tcp"].data
    assert data == (header + row * 30 if whole else header + b"# 01 full 30\n")
    assert collect(shell, root=root).sections["tcp"].data == header + b"# 01 full 30\n"


def test_with_connections_the_owners_are_those_of_every_socket() -> None:
    near, far = socket.socketpair()
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as client,
        near,
        far,
    ):
        inodes = [os.fstat(each.fileno()).st_ino for each in (server, client, near)]
        everybody = Ownership(collect("dash", "connections", owners=True).sections["owners"])
        listeners = Ownership(collect("dash", owners=True).sections["owners"])
    found = [[owner.pid for owner in everybody.find(inode, os.geteuid()).owners] for inode in inodes]
    assert found == [[os.getpid()]] * 3
    found = [[owner.pid for owner in listeners.find(inode, os.geteuid()).owners] for inode in inodes]
    assert found == [[os.getpid()], [], []]
