"""Other network namespaces: their labels, and answers that are cut off, damaged or say too little.

Real ones are in test_apart.py.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.parse.containers import read_container
from tests.parse.kernel import TCP6_HEADER, TCP_HEADER, UDP6_HEADER, UDP_HEADER, tcp_row
from tests.parse.snapshots import (
    ABSENT,
    Replaced,
    coverage_of,
    gaps_of,
    parse,
    parse_with_namespaces,
    snmp,
    sockstat,
    sockstat6,
)

ID = "0123456789abcdef" * 4
FILES = ("if_inet6", "snmp", "sockstat", "sockstat6", "tcp", "tcp6", "udp", "udp", "udp", "udp6", "udp6", "udp6")
AFTER = ("raw", "raw6", "sockstat", "sockstat6", "snmp")


@pytest.mark.parametrize(
    ("cgroup", "name"),
    [
        (f"0::/system.slice/docker-{ID}.scope", "docker:0123456789ab"),
        (f"0::/docker/{ID}", "docker:0123456789ab"),
        (f"12:pids:/docker/{ID}\n1:name=systemd:/docker/{ID}", "docker:0123456789ab"),
        (f"0::/machine.slice/libpod-{ID}.scope/container", "podman:0123456789ab"),
        (f"0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope", "podman:0123456789ab"),
        (f"0::/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-{ID}.scope", "containerd:0123456789ab"),
        (f"0::/kubepods.slice/kubepods-besteffort.slice/crio-{ID}.scope", "cri-o:0123456789ab"),
        (f"0::/kubepods/besteffort/pod1234-5678/{ID}", "container:0123456789ab"),
        (f"0::/default/{ID}", "container:0123456789ab"),
        ("0::/lxc.payload.web-1/init.scope", "lxc:web-1"),
        ("4:memory:/lxc/db", "lxc:db"),
        ("0::/machine.slice/systemd-nspawn@build.service/payload", "nspawn:build"),
        ("0::/system.slice/ssh.service", None),
        ("0::/", None),
        (f"0::/system.slice/docker-{ID[:-1]}.scope", None),
        (f"x::/docker/{ID}", None),
        ("", None),
    ],
)
def test_a_container_is_told_by_its_control_group(cgroup: str, name: str | None) -> None:
    assert read_container(cgroup.encode() + b"\n") == name


def a_namespace(
    *rows: bytes,
    inode: int = 100,
    number: int = 4026532271,
    holder: str = "77",
    cgroup: bytes = b"0::/\n",
    counted: int = -1,
) -> bytes:
    """Return what namespaces.sh prints of one."""
    names = (["cgroup"] if cgroup else []) + [f"net/{name}" for name in (*FILES, *AFTER)]
    data = {
        "cgroup": cgroup,
        "net/if_inet6": b"00000000000000000000000000000001 01 80 10 80       lo\n",
        "net/snmp": snmp(),
        "net/sockstat": sockstat(tcp=len(rows) if counted < 0 else counted),
        "net/sockstat6": sockstat6(),
        "net/tcp": TCP_HEADER + b"".join(rows),
        "net/tcp6": TCP6_HEADER,
        "net/udp": UDP_HEADER,
        "net/udp6": UDP6_HEADER,
        "net/raw": UDP_HEADER,
        "net/raw6": UDP6_HEADER,
    }
    body = b"".join(data[name] + b"Linux\n" for name in names)
    return f"+ begin {inode} {number} {holder} {' '.join(names)}\n".encode() + body + f"+ end {inode} ok\n".encode()


WEB = tcp_row("0.0.0.0", 80)
ONE = a_namespace(WEB)


def test_the_listener_of_another_namespace_is_not_the_hosts() -> None:
    facts = parse(tcp=TCP_HEADER + WEB, namespaces=ONE)
    assert facts.gaps == ()
    assert [(one.netns, one.port, one.sockets) for one in facts.listeners] == [
        ("host", 80, 1),
        ("net:[4026532271]", 80, 1),
    ]


def test_names_and_containers_are_labels_and_never_two_of_one() -> None:
    docker = f"0::/docker/{ID}\n".encode()
    answer = (
        a_namespace(WEB, inode=1, number=11, cgroup=docker)
        + a_namespace(WEB, inode=2, number=12, cgroup=docker)
        + a_namespace(WEB, inode=3, number=13)
        + a_namespace(WEB, inode=4, number=0, holder="99")
        + b"+ name 13 bl\x1bue\n"
    )
    assert [one.netns for one in parse(namespaces=answer).listeners] == [
        "docker:0123456789ab net:[11]",
        "docker:0123456789ab net:[12]",
        "net:[pid 99]",
        "netns:bl\\x1bue",
    ]


def test_none_at_all_is_no_gap_and_not_asked_is_not_in_the_ledger() -> None:
    assert coverage_of(parse(namespaces=b""), "namespaces").status == "ok"
    assert parse(namespaces=b"").gaps == ()
    assert "namespaces" not in {entry.source for entry in parse(namespaces=ABSENT).coverage}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (ABSENT, "the collector of `netaudit target-kit` does not"),
        (("denied", b""), "are read as root only"),
        (("error", b""), "failed"),
        (b"+ apart\n", "only processes outside of it are in"),
        (b"+ apart\n" + ONE, "only processes outside of it are in"),
        (b"", None),  # there is no other
        (ONE, None),
    ],
)
def test_what_was_asked_for_and_is_not_there_is_a_gap(answer: Replaced, reason: str | None) -> None:
    facts = parse_with_namespaces(namespaces=answer)
    said = [(gap.source, reason is not None and reason in gap.reason) for gap in facts.gaps]
    assert said == ([("namespaces", True)] if reason else [])
    assert (coverage_of(facts, "namespaces").status == "ok") == (reason is None)


def test_a_host_that_answered_nothing_has_one_gap_and_not_another_for_namespaces() -> None:
    assert gaps_of(parse_with_namespaces(uname=b"Darwin 23 arm64\n")) == {"unsupported-os"}


def test_namespaces_that_only_names_hold_are_told_apart_by_their_numbers() -> None:
    one, two = (a_namespace(WEB, inode=0, number=number, holder="self", cgroup=b"") for number in (11, 12))
    facts = parse(namespaces=one + b"+ name 11 blue\n" + two + b"+ name 12 red\n")
    assert facts.gaps == ()
    assert [one.netns for one in facts.listeners] == ["netns:blue", "netns:red"]
    broken = two.replace(b"+ end 0 ok", b"+ end 0 error")
    [gap] = parse(namespaces=one + b"+ name 11 blue\n" + broken + b"+ name 12 red\n").gaps
    assert gap.reason.startswith("the network namespace red could not be read whole")
    assert "`ip netns delete red`" in gap.reason


def test_a_process_that_ended_costs_nothing() -> None:
    gone = ONE.replace(b"+ end 100 ok", b"+ end 100 gone")
    assert parse(namespaces=gone).gaps == ()
    assert [one.netns for one in parse(namespaces=gone + ONE).listeners] == ["net:[4026532271]"]


@pytest.mark.parametrize(
    "answer",
    [
        b"+ more\n",
        b"+ denied\n",
        b"+ apart\n",
        b"+ begin x\n",
        b"+ what\n",
        b"stray\n",
        ONE[: len(ONE) // 2],
        ONE[:-15],
        ONE.replace(b"+ end 100 ok", b"+ end 100 error"),
        ONE.replace(b"+ end 100 ok", b"+ end 101 ok"),
        ONE.replace(b"Linux\n", b"", 1),
        ONE.replace(WEB, WEB[:50] + b"\n"),
        ONE.replace(TCP_HEADER, b""),
        a_namespace(WEB, counted=2),
        ("denied", b""),
        ("error", b""),
        ("truncated", ONE),
    ],
)
def test_what_was_not_read_of_them_is_a_gap(answer: bytes) -> None:
    assert gaps_of(parse(namespaces=answer)) == {"namespaces"}


@given(st.integers(0, len(ONE)), st.integers(0, 60), st.binary(max_size=8))
def test_a_damaged_answer_costs_only_its_own_host(at: int, length: int, damage: bytes) -> None:
    facts = parse(namespaces=ONE[:at] + damage + ONE[at + length :])
    assert gaps_of(facts) <= {"namespaces"}
    assert facts == type(facts).model_validate_json(facts.model_dump_json())


def test_a_name_for_a_service_in_utf8_is_shown_as_such() -> None:
    assert parse(services="dépôt 9/tcp\n".encode(), tcp=TCP_HEADER + tcp_row("::1", 9)[:0]).services == {
        "9/tcp": "dépôt"
    }
    assert parse(services=b"d\xe9p\xf4t 9/tcp\n").services == {"9/tcp": "d\\xe9p\\xf4t"}
