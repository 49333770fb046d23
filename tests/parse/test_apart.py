"""Network namespaces, an imitated container and address translation, all real, as the script shows them."""

import json
import re
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.collect import unframe
from auditor.model.facts import Exposure, HostFacts
from auditor.model.snapshot import Snapshot
from auditor.parse import parse_snapshot
from tests.collect.answers import a_transcript
from tests.parse.inside import NONCE
from tests.parse.snapshots import coverage_of, gaps_of, in_first_pid_namespace
from tests.requirements import require

ROOT = Path(__file__).parents[2]
SHELLS = ("dash", "bash --posix", "busybox sh")
SEALED = ("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount", "--mount-proc")
TREES = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
CONTAINER = secrets.token_hex(32)


@pytest.fixture(scope="module")
def cgroup() -> Iterator[Path]:
    require("root")
    tree = next((tree for tree in TREES if (tree / "cgroup.procs").exists()), None)
    if tree is None:
        pytest.fail("no tree of control groups is mounted")
    folder = tree / f"docker-{CONTAINER}.scope"
    folder.mkdir()
    yield folder
    for _ in range(200):  # a control group that was just left by its last process may still be busy
        try:
            folder.rmdir()
            break
        except OSError:
            subprocess.run(["sleep", "0.05"], check=True)


@pytest.fixture(scope="module")
def apart(cgroup: Path) -> dict[str, Any]:
    require("root", "namespaces", "ip", "nft", "iptables", "ip6tables", *(shell.split()[0] for shell in SHELLS))
    command = [*SEALED, sys.executable, "-m", "tests.parse.apart", str(cgroup), *SHELLS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def read(answer: str) -> tuple[Snapshot, HostFacts]:
    transcript = a_transcript(in_first_pid_namespace(answer).encode("latin-1"), nonce=NONCE)
    snapshot = unframe(transcript)
    return snapshot, parse_snapshot(snapshot, transcript)


def listeners_of(facts: HostFacts) -> dict[str, list[tuple[str, str, int]]]:
    """Return (protocol, address, port) by label; the number of a namespace is not known beforehand."""
    found: dict[str, list[tuple[str, str, int]]] = {}
    for one in facts.listeners:
        label = "net:[]" if one.netns.startswith("net:[") else one.netns
        found.setdefault(label, []).append((one.proto, one.address, one.port))
    return found


def opened(port: int) -> list[tuple[str, str, int]]:
    """Return what a process of tests/parse/apart.py opens."""
    return [("tcp", "127.0.0.1", port), ("tcp", "0.0.0.0", port + 1), ("udp", "0.0.0.0", 40000)]


@pytest.mark.parametrize("shell", SHELLS)
def test_every_other_namespace_is_read_once_and_labelled(apart: dict[str, Any], shell: str) -> None:
    snapshot, facts = read(apart["namespaces"][shell])
    assert facts.gaps == ()
    assert listeners_of(facts) == {
        "host": [("tcp", "127.0.0.1", 1000)],
        f"docker:{CONTAINER[:12]}": opened(2000),
        "net:[]": opened(3000),
    }
    assert all(listener.sockets == 1 for listener in facts.listeners)
    assert coverage_of(facts, "namespaces").rows == 4  # two have a name and no process; what has no namespace is none
    names = re.findall(rb"^\+ name [0-9]+ (.*)$", snapshot.sections["namespaces"].data, re.MULTILINE)
    assert names == [b"blue", b"red one"]


def test_what_is_outside_of_our_pid_namespace_was_not_seen(apart: dict[str, Any]) -> None:
    """Here that is this very machine."""
    transcript = a_transcript(apart["namespaces"]["dash"].encode("latin-1"), nonce=NONCE)
    facts = parse_snapshot(unframe(transcript), transcript, namespaces=True)
    [gap] = facts.gaps
    assert (gap.source, "another pid namespace than the host's first" in gap.reason) == ("namespaces", True)
    assert set(listeners_of(facts)) == {"host", f"docker:{CONTAINER[:12]}", "net:[]"}
    assert {one.owner_status for one in facts.listeners} == {"other-namespace"}


def test_a_socket_in_a_namespace_is_no_client_by_the_hosts_own_range(apart: dict[str, Any]) -> None:
    _, facts = read(apart["namespaces"]["dash"])
    assert {one.kind for one in facts.listeners if one.port == 40000} == {"listener"}


def test_without_the_key_no_other_namespace_is_read(apart: dict[str, Any]) -> None:
    _, facts = read(apart["plain"])
    assert listeners_of(facts) == {"host": [("tcp", "127.0.0.1", 1000)]}
    assert facts.gaps == ()
    assert facts.system.reader_netns == "host"


def test_without_privilege_the_namespaces_asked_for_are_a_gap(apart: dict[str, Any]) -> None:
    _, facts = read(apart["nobody"])
    assert gaps_of(facts) == {"namespaces"}
    assert listeners_of(facts) == {"host": [("tcp", "127.0.0.1", 1000)]}
    assert facts.exposures == ()
    assert coverage_of(facts, "nat").status == "denied"


def test_who_reads_from_elsewhere_says_so_and_finds_the_host(apart: dict[str, Any]) -> None:
    _, facts = read(apart["elsewhere"])
    assert facts.system.reader_netns == "other"
    assert facts.gaps == ()
    assert listeners_of(facts)["host"] == [("tcp", "127.0.0.1", 1000)]
    assert facts.exposures == ()  # those of another namespace


def places(exposures: tuple[Exposure, ...]) -> set[tuple[str, str | None, int | None, int | None, str]]:
    return {(one.proto, one.address, one.port, one.last_port, one.target) for one in exposures}


def test_published_ports_of_nftables(apart: dict[str, Any]) -> None:
    _, facts = read(apart["plain"])
    assert places(facts.exposures) == {
        ("tcp", "198.51.100.7", 8443, None, "10.1.0.2:443"),
        ("tcp", "198.51.100.7", 9000, 9010, "10.1.0.2:443"),
        ("udp", None, 5353, None, "this host, port 53"),
        ("tcp", None, 7000, None, "10.1.0.3:7"),
        ("tcp", None, 8001, None, "10.1.0.5:81"),
        ("tcp", None, 8002, None, "10.1.0.6:82"),
        ("tcp", None, 8003, None, "10.1.0.4"),
        ("tcp", None, None, None, "tcp dport map @published"),
    }
    assert {(one.source, one.family) for one in facts.exposures} == {("nftables", "ipv4")}
    printed = apart["native"]
    assert all(one.raw.split(" tcp dport")[0].split("meta")[0] in printed for one in facts.exposures)


def test_published_ports_of_iptables_once_although_nft_shows_them_too(apart: dict[str, Any]) -> None:
    snapshot, facts = read(apart["iptables"])
    assert places(facts.exposures) == {
        ("tcp", None, 8080, None, "172.17.0.2:80"),
        ("udp", "203.0.113.5", 500, None, "172.17.0.3"),
        ("udp", "203.0.113.5", 4500, 4510, "172.17.0.3"),
        ("tcp", None, 25, None, "this host, port 2525"),
        ("tcp", None, 8081, None, "[fd00::2]:80"),
    }
    assert {one.source for one in facts.exposures} == {"iptables"}
    assert {one.port: one.family for one in facts.exposures}[8081] == "ipv6"
    assert b"+ begin nft\n" in snapshot.sections["nat"].data
    assert facts.gaps == ()


def test_published_ports_of_legacy_iptables_which_nft_does_not_show(apart: dict[str, Any]) -> None:
    if "legacy" not in apart:
        pytest.skip("this kernel has no legacy iptables")
    snapshot, facts = read(apart["legacy"])
    assert places(facts.exposures) == {("tcp", None, 26, None, "this host, port 2526")}
    assert b"begin iptables-nft-save" not in snapshot.sections["nat"].data


def test_iptables_is_asked_only_where_nft_shows_its_table(apart: dict[str, Any]) -> None:
    snapshot, _ = read(apart["plain"])
    assert b"|table ip nat " in b"|" + snapshot.sections["nat"].data.replace(b"\n", b"\n|")
    assert b"begin iptables-nft-save" in snapshot.sections["nat"].data
    assert b"begin ip6tables" not in snapshot.sections["nat"].data


@pytest.mark.parametrize("shell", SHELLS)
def test_the_owners_in_other_namespaces_are_known_to_root(apart: dict[str, Any], shell: str) -> None:
    _, facts = read(apart["namespaces"][shell])
    known = {(one.netns.split(":")[0], one.port): {owner.pid for owner in one.owners} for one in facts.listeners}
    assert {one.owner_status for one in facts.listeners} == {"known"}
    assert {label: known[label, port] for label, port in (("docker", 2000), ("net", 3000))} == {
        "docker": set(apart["pids"]["2000"]),
        "net": set(apart["pids"]["3000"]),
    }
    assert {owner.runtime for one in facts.listeners if one.port == 2000 for owner in one.owners} == {"docker"}
