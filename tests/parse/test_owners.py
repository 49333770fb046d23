"""What is made of the owners section: which word says what is known, and what a hostile one cannot do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.facts import Listener
from auditor.model.snapshot import ReadStatus, Section
from auditor.parse.owners import INITIAL_PID_NAMESPACE, Ownership
from tests.parse.kernel import TCP_HEADER, tcp_row
from tests.parse.snapshots import parse

ROOT = f"v 0 1 0 {INITIAL_PID_NAMESPACE}"
HELD = "h 7 4711\nn 7 nginx\ne 7 /usr/sbin/nginx\nc 7 nginx: master"


def a_listener_seen(
    *lines: str, uid: int = 0, inode: int = 4711, status: ReadStatus = "ok", end: str = "z"
) -> Listener:
    data = "".join(f"{line}\n" for line in (*lines, end)).encode()
    facts = parse(tcp=TCP_HEADER + tcp_row("0.0.0.0", 80, uid=uid, inode=inode), owners=(status, data))
    (found,) = facts.listeners
    return found


@pytest.mark.parametrize(
    ("lines", "uid", "status"),
    [
        pytest.param([ROOT, HELD], 33, "known", id="root-sees-the-holder"),
        pytest.param([ROOT, "k 4711"], 0, "kernel", id="root-sees-that-nobody-holds-it"),
        pytest.param([ROOT, "k 4711"], 33, "unknown", id="a-user-cannot-pass-for-the-kernel"),
        pytest.param([ROOT], 0, "unknown", id="it-went-while-we-looked"),
        pytest.param(["v 0 1 0 4026532200", "k 4711"], 0, "other-namespace", id="held-outside-a-container"),
        pytest.param(["v 0 1 0 0", "k 4711"], 0, "other-namespace", id="pid-namespace-not-known"),
        pytest.param(
            [f"v 0 1 1 {INITIAL_PID_NAMESPACE}", HELD], 33, "unprivileged", id="one-process-was-closed-to-root"
        ),
        pytest.param([f"v 0 1 1 {INITIAL_PID_NAMESPACE}", "k 4711"], 0, "unprivileged", id="which-may-hold-it"),
        pytest.param([f"v 0 0 0 {INITIAL_PID_NAMESPACE}", HELD], 33, "unprivileged", id="hidepid"),
        pytest.param(["v 0 1 0 4026532200", HELD], 33, "other-namespace", id="held-outside-a-container-too-perhaps"),
        pytest.param(["v 0 1 0 0", HELD], 33, "other-namespace", id="held-and-pid-namespace-not-known"),
        pytest.param(["v 0 1 0 4026532200"], 0, "unknown", id="it-went-in-a-container"),
        pytest.param([f"v 1000 0 90 {INITIAL_PID_NAMESPACE}", HELD], 1000, "known", id="our-own"),
        pytest.param(["v 1000 0 90 4026532200", HELD], 1000, "other-namespace", id="our-own-in-a-container"),
        pytest.param([f"v 1000 0 90 {INITIAL_PID_NAMESPACE}", HELD], 0, "unprivileged", id="passed-on-to-us-by-root"),
        pytest.param(["v 1000 0 0 0", "k 4711"], 1000, "unprivileged", id="ours-but-not-seen"),
        pytest.param(["v 1000 1 0 0", "k 4711"], 0, "unprivileged", id="not-root-and-nothing-closed"),
        pytest.param([HELD], 33, "unknown", id="no-view"),
        pytest.param([ROOT, HELD, "z", ROOT], 33, "unknown", id="begun-again"),
    ],
)
def test_only_known_means_all_of_them(lines: list[str], uid: int, status: str) -> None:
    assert a_listener_seen(*lines, uid=uid).owner_status == status


def test_what_was_cut_off_is_not_all() -> None:
    assert a_listener_seen(ROOT, HELD, end="h 8").owner_status == "unknown"
    assert a_listener_seen(ROOT, HELD, status="truncated").owner_status == "unknown"
    assert a_listener_seen(ROOT, HELD, status="error").owner_status == "unknown"
    assert [owner.pid for owner in a_listener_seen(ROOT, HELD, end="").owners] == [7]


def test_a_socket_without_a_number_has_no_known_holder() -> None:
    assert a_listener_seen(ROOT, "h 7 0", "k 0", inode=0).owner_status == "unknown"


def test_nobody_asked() -> None:
    facts = parse(tcp=TCP_HEADER + tcp_row("0.0.0.0", 80), owners=("absent", b""))
    assert [found.owner_status for found in facts.listeners] == ["not-collected"]
    assert facts.gaps == ()


def test_all_that_is_said_of_a_process() -> None:
    lines = [
        ROOT,
        "h 9 4711",
        "h 7 1 4711",
        "n 7 a\\nb\\\\n",
        "e 7 /x",
        "E 7 y",
        "c 7 a b",
        "C 7 c ",
        "u 0 root",
        "u 0 x",
    ]
    found = a_listener_seen(*lines, "g 7 /system.slice/web.service", "n 9 other")
    first, second = found.owners
    assert (first.pid, first.comm, first.exe, first.cmdline) == (7, "a\nb\\n", "/x\ny", "a b\nc")
    assert (first.unit, first.container, first.runtime) == ("web.service", None, None)
    assert (second.pid, second.comm, second.exe) == (9, "other", None)
    assert (found.user, found.owner_status) == ("root", "known")


def test_twins_are_known_only_together() -> None:
    rows = tcp_row("0.0.0.0", 80, uid=33, inode=1) + tcp_row("0.0.0.0", 80, uid=33, inode=2)
    for lines, status, pids in (
        (f"{ROOT}\nh 7 1 2\nz", "known", [7]),
        (f"{ROOT}\nh 7 1\nh 8 2\nz", "known", [7, 8]),
        (f"{ROOT}\nh 7 1\nz", "unknown", [7]),
    ):
        (found,) = parse(tcp=TCP_HEADER + rows, owners=lines.encode()).listeners
        assert (found.sockets, found.owner_status, [owner.pid for owner in found.owners]) == (2, status, pids)


@given(st.lists(st.sampled_from([ROOT, HELD, "k 4711", "z", "h 7 x", "v", "g 7", "E 7 z", "n 99999999999 x", "\x00é"])))
def test_no_section_raises_and_known_takes_a_whole_one(lines: list[str]) -> None:
    data = "\n".join(lines).encode()
    found = Ownership(Section(name="owners", status="ok", data=data)).find(4711, 33)
    if found.status == "known":
        assert ROOT in lines
        assert HELD in lines
        assert lines.count("z") == 1


@given(st.binary(max_size=400))
def test_no_bytes_raise(data: bytes) -> None:
    ownership = Ownership(Section(name="owners", status="ok", data=data))
    assert ownership.find(4711, 0).status in ("unknown", "unprivileged", "known", "kernel", "other-namespace")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"\n+\nsudo: a password is required\n", "sudo-not-remembered"),
        (b"sudo: not found\n", "sudo-absent"),
        (b"sudo: sorry, you must have a tty to run sudo\n", "sudo-requires-tty"),
        (
            b"Sorry, try again.\nsudo: no password was provided\nsudo: 1 incorrect password attempt\n",
            "sudo-wrong-password",
        ),
        (b"audit is not in the sudoers file.\n", "sudo-not-allowed"),
        (b"audit is not in the sudoers file.  This incident will be reported.\n", "sudo-not-allowed"),
        (b"Sorry, user audit is not allowed to execute '/bin/sh -c echo +' as root on web-01.\n", "sudo-not-allowed"),
        (b"Sorry, user audit may not run sudo on web-01.\n", "sudo-not-allowed"),
        (b"sudo: a password is required\n", "sudo-needs-password"),
        (b"sudo: interactive authentication is required\n", "sudo-needs-password"),
        (b"sudo: /etc/sudo.conf is owned by uid 1\n\x1b[2Jsudo: no\n", "sudo-failed"),
        (b"", "sudo-failed"),
    ],
)
def test_each_way_sudo_fails_has_its_own_word(said: bytes, code: str) -> None:
    facts = parse(sudo=("error", said), owners=b"v 1000 0 9 0\nz\n")
    (gap,) = facts.gaps
    assert gap.source == "sudo"
    assert f"({code})" in gap.reason
    assert "\x1b" not in gap.reason


def test_sudo_that_worked_or_was_not_asked_is_no_gap() -> None:
    assert parse(sudo=b"+\n", owners=f"{ROOT}\nz\n".encode()).gaps == ()
    assert parse(sudo=("absent", b""), owners=b"v 1000 0 9 0\nz\n").gaps == ()
    assert parse(sudo=b"+\n", owners=("absent", b"")).gaps == ()
    (gap,) = parse(sudo=b"kit\n", owners=b"v 1000 0 9 0\nz\n").gaps
    assert "sudo-kit" in gap.reason
