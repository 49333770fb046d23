"""Tables that encode what no host has at once: the lesson's screen, every state, every timer, odd names.

The expected text is net-tools' own, run over the very same files, or the lesson's.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auditor.cli import app
from tests.netstat.host import show_saved
from tests.netstat.nettools import run_over
from tests.netstat.record import HEADER_UNIX, a_row, a_table, answer, save
from tests.requirements import require

LESSON = """\
Active Internet connections (servers and established)
Proto Recv-Q Send-Q Local Address           Foreign Address         State
tcp        0      0 icebox:domain           *:*                     LISTEN
tcp        0      0 localhost:ipp           *:*                     LISTEN
tcp        0      0 icebox.lan:44468        124.28.28.50:http       TIME_WAIT
tcp6       1      0 ip6-localhost:35094     ip6-localhost:ipp       CLOSE_WAIT
"""
ICEBOX = {
    "etc/hosts": b"127.0.0.1 localhost\n127.0.1.1 icebox\n192.168.1.7 icebox.lan\n::1 ip6-localhost ip6-loopback\n",
    "etc/services": b"domain 53/tcp\ndomain 53/udp\nhttp 80/tcp www\nipp 631/tcp\n",
    "proc/net/tcp": a_table(
        a_row(("127.0.1.1", 53), state=10, inode=1),
        a_row(("127.0.0.1", 631), state=10, inode=2),
        a_row(("192.168.1.7", 44468), ("124.28.28.50", 80), 6, timer=(3, 4000, 0, 0)),
    ),
    "proc/net/tcp6": a_table(a_row(("::1", 35094), ("::1", 631), 8, queues=(1, 0), inode=3), v6=True),
}


def show(tmp_path: Path, files: Mapping[str, bytes], *flags: str) -> str:
    """Return what netaudit shows of a host with these files."""
    evidence = save(tmp_path / "evidence.jsonl.gz", {"icebox": answer(tmp_path / "root", files)})
    return "".join(f"{line}\n" for line in show_saved(evidence, flags))


def show_both(tmp_path: Path, files: Mapping[str, bytes], *flags: str) -> tuple[str, str]:
    """Return what netaudit and net-tools show of a host with these files."""
    require("root", "unshare", "netstat")
    absent = {"etc/hosts": b"", "etc/services": b"", "etc/protocols": b"", **files}
    tables = {f"proc/net/{name}{six}": a_table(v6=bool(six)) for name in ("tcp", "udp", "raw") for six in ("", "6")}
    theirs = run_over({**tables, "proc/net/unix": f"{HEADER_UNIX}\n".encode(), **absent}, "netstat", *flags)
    return show(tmp_path, absent, *flags), theirs


def test_the_lessons_screen(tmp_path: Path) -> None:
    shown = show(tmp_path, ICEBOX, "-at", "--classic")
    assert [line.rstrip() for line in shown.splitlines()] == LESSON.splitlines()


def test_the_lessons_screen_as_net_tools_shows_it_today(tmp_path: Path) -> None:
    ours, theirs = show_both(tmp_path, ICEBOX, "-at")
    assert ours == theirs
    assert ours != show(tmp_path / "again", ICEBOX, "-at", "--classic")


@pytest.mark.parametrize("flags", [["-at"], ["-ato"], ["-t"], ["-lt"], ["-ateo"]], ids=" ".join)
def test_every_state_and_timer_of_tcp(tmp_path: Path, flags: list[str]) -> None:
    rows = (
        a_row(
            ("10.0.0.1", 1000 + state),
            ("10.0.0.2", 80),
            state,
            timer=(timer, 12345, 3, 2),
            uid=state,
            inode=100 * state + timer,
        )
        for state in range(1, 12)
        for timer in range(7)
    )
    passwd = b"root:x:0:0::/:\nfive:x:5:5::/:\nalso:x:5:5::/:\n"
    files = {"proc/net/tcp": a_table(*rows), "etc/passwd": passwd}
    ours, theirs = show_both(tmp_path, files, *flags)
    assert ours == theirs


@pytest.mark.parametrize(
    "flags", [["-au"], ["-auo"], ["-u"], ["-lu"], ["-aUo"], ["-awo"], ["-w"], ["-lw"]], ids=" ".join
)
def test_the_states_and_timers_of_the_others(tmp_path: Path, flags: list[str]) -> None:
    def rows(near: str, far: str) -> list[str]:
        return [
            a_row(
                (near, 900 + timer),
                (far, 53 * (state == 1)),
                state,
                timer=(timer, 500, 7, 1),
                inode=100 * state + timer,
            )
            for state in (1, 7)
            for timer in range(4)
        ] + [a_row((near, 999), ("", 0), 7, inode=5), a_row((near, 998), ("", 77), 7, inode=6)]

    files = {
        f"proc/net/{name}{'6' if ':' in far else ''}": a_table(*rows(near, far), v6=":" in far)
        for name in ("udp", "udplite", "raw")
        for near, far in (("0.0.0.0", "10.0.0.9"), ("2001:db8::5", "2001:db8::9"))
    }
    ours, theirs = show_both(tmp_path, files, *flags)
    assert ours == theirs


def test_addresses_are_cut_and_named_as_net_tools_does_it(tmp_path: Path) -> None:
    places4 = ["10.9.9.0", "10.9.8.1", "10.9.7.1", "127.0.0.1", "127.0.0.0", "255.255.255.255"]
    places6 = [
        "2001:db8::5",
        "2001:db8::6",
        "::1.2.3.4",
        "::1",
        "::ffff:10.9.7.1",
        "::ffff:10.9.8.1",
        "fe80::7",
        "2001:db8:1111:2222:3333:4444:5555:6666",
        "1:0:2:3:4:5:6:7",
        "::2:3",
        "64:ff9b::10.0.0.1",
    ]
    ports = (443, 1111, 2, 65535)
    files = {
        "etc/hosts": b"# first\n127.0.0.1 localhost lh\n10.9.8.1\tsecond.example.com # short\n10.9.8.1 third\n"
        b"::ffff:10.9.7.1 mapped\n10.9.9.0 zero\n2001:db8::5 five.example.com\n2001:0DB8:0::0006 six\n"
        b"::1 ip6-localhost\nfe80::7 local\nbad.address name\n10.0.0.300 worse\n"
        b"2001:db8:1111:2222:3333:4444:5555:6666 a-very-long-ipv6-name-indeed\n",
        "etc/services": b"https 443/tcp\n  other 443/tcp\nbad 70000/tcp\na-service-with-a-very-long-name 1111/tcp\n"
        b"half 2\nudp-only 65535/udp\n#no 2/tcp\n",
        "proc/net/tcp": a_table(
            *(
                a_row((place, port), state=10, inode=9000 + 10 * n + port % 10)
                for n, place in enumerate(places4)
                for port in ports
            )
        ),
        "proc/net/tcp6": a_table(
            *(
                a_row((place, port), state=10, inode=7000 + 10 * n + port % 10)
                for n, place in enumerate(places6)
                for port in ports
            ),
            v6=True,
        ),
    }
    for number, flags in enumerate((["-lt"], ["-ltn"], ["-ltW"], ["-ltWn"], ["-lt", "--numeric-hosts"])):
        ours, theirs = show_both(tmp_path / str(number), files, *flags)
        assert ours == theirs, flags


@pytest.mark.parametrize("flags", [["-ax"], ["-lx"], ["-x"]], ids=" ".join)
def test_every_kind_and_state_of_unix_sockets(tmp_path: Path, flags: list[str]) -> None:
    rows = (
        f"{0:016}: {kind:08X} {0:08X} {bits:08X} {kind:04X} {state:02X} {100 * kind + 10 * state + n:5} /run/{n}"
        for kind in range(1, 7)
        for state in range(6)
        for n, bits in enumerate((0, 0x10000, 0x20000, 0x40000, 0x70000))
    )
    nameless = "0000000000000000: 00000002 00000000 00000000 0002 01 77"
    files = {"proc/net/unix": "".join(f"{row}\n" for row in (HEADER_UNIX, *rows, nameless)).encode()}
    ours, theirs = show_both(tmp_path, files, *flags)
    assert ours == theirs


def test_where_net_tools_loses_what_a_path_says(tmp_path: Path) -> None:
    """The differences on unix sockets that docs/netstat.md lists."""
    row = "0000000000000000: 00000002 00000000 00010000 0001 01 7"
    files = {"proc/net/unix": f"{HEADER_UNIX}\n{row} /run/with a space\n{row}1 @nl\nfake\x1b[2J\n".encode()}
    ours, theirs = show_both(tmp_path, files, "-lx")
    assert ours.splitlines()[2:] == [
        "unix  2      [ ACC ]     STREAM     LISTENING     7        /run/with a space",
        "unix  2      [ ACC ]     STREAM     LISTENING     71       @nl\\x0afake\\x1b[2J",
    ]
    assert [line.split(" ")[-1] for line in theirs.splitlines()[2:]] == ["/run/with", "@nl"]


def test_rows_that_no_kernel_prints_are_said_to_be_missing(tmp_path: Path) -> None:
    files = {"proc/net/tcp": a_table(a_row(("10.0.0.1", 22), state=10, inode=1)) + b"   1: 0100007F:0016 nonsense\n"}
    evidence = save(tmp_path / "evidence.jsonl.gz", {"icebox": answer(tmp_path / "root", files)})
    done = CliRunner().invoke(app, ["netstat", str(evidence), "-lt"])
    assert done.exit_code == 3
    assert "10.0.0.1:22" in done.stdout
    assert "not known: tcp: 1 row is not what a kernel prints" in done.stderr
