"""Tables with very many connections: what stays on the host changes nothing of what is known about it."""

# ruff: noqa: F401, F811 - two of the names from test_script are fixtures
from pathlib import Path

import pytest

from auditor.model.facts import HostFacts
from auditor.model.snapshot import Snapshot
from auditor.parse import parse_snapshot
from tests.collect.answers import a_transcript
from tests.collect.test_script import collect, rooted, shell, tree, write
from tests.parse.kernel import TCP6_HEADER, TCP_HEADER, tcp_row, tcp_short_row
from tests.parse.snapshots import a_snapshot, coverage_of, gaps_of, snmp, sockstat, sockstat6
from tests.requirements import require

PEER = ("192.0.2.1", 50000)
SESSION = "192.0.2.1 50000 192.0.2.10 22"
V4 = [
    *(tcp_row("0.0.0.0", port, inode=port) for port in (22, 80)),
    tcp_row("192.0.2.10", 22, state=1, peer=PEER, inode=9),
    *(tcp_row("192.0.2.10", 80, state=1, peer=("192.0.2.9", port), inode=port) for port in range(2000, 2050)),
    tcp_row("192.0.2.10", 80, state=8, peer=("192.0.2.9", 7), inode=7),
    *(tcp_short_row("192.0.2.10", 80, state=6, peer=("192.0.2.9", port)) for port in range(3000, 3020)),
    tcp_short_row("192.0.2.10", 80, state=3, peer=("192.0.2.9", 8)),
]
V6 = [
    tcp_row("::", 443, inode=443),
    *(tcp_row("2001:db8::1", 443, state=1, peer=("2001:db8::2", port), inode=port) for port in range(4000, 4030)),
]


@pytest.fixture
def host(tree: Path) -> Path:
    """Return the recorded host with these tables, which its kernel says hold more than the threshold."""
    for name in ("udp6", "raw", "raw6"):
        write(tree, f"proc/net/{name}", a_snapshot().sections[name].data[: 1000 if "udp" not in name else None])
    recorded = a_snapshot()
    for name in ("udp", "udp6"):
        write(tree, f"proc/net/{name}", recorded.sections[name].data[: len(recorded.sections[name].data) // 3])
    write(tree, "proc/net/tcp", TCP_HEADER + b"".join(V4))
    write(tree, "proc/net/tcp6", TCP6_HEADER + b"".join(V6))
    write(tree, "proc/net/if_inet6", recorded.sections["if_inet6"].data)
    write(tree, "proc/net/sockstat", sockstat(tcp=54).replace(b"tw 0", b"tw 20"))
    write(tree, "proc/net/sockstat6", sockstat6(tcp=31))
    write(tree, "proc/net/snmp", snmp())
    write(tree, "sys/kernel/cpu_byteorder", b"little\n")
    for process in ("1", "self"):
        (tree / "proc" / process).mkdir(exist_ok=True)
        (tree / "proc" / process / "net").symlink_to(tree / "proc/net")
    return tree


def read(name: str, host: Path, threshold: int, **how: str) -> tuple[Snapshot, HostFacts]:
    script = rooted(host, path=how.pop("path", None))
    assert script.count(b"\nMOST=20000\n") == 1
    snapshot = collect(name, script.replace(b"\nMOST=20000\n", b"\nMOST=%d\n" % threshold), SSH_CONNECTION=SESSION)
    return snapshot, parse_snapshot(snapshot, a_transcript(b""))


def without_counts(facts: HostFacts) -> dict[str, object]:
    dumped = facts.model_dump()
    dumped["system"] |= {"clock_skew_s": None}  # the two readings may fall into two seconds
    dumped["coverage"] = [{**entry, "sha256": None} for entry in dumped["coverage"]]
    return dumped


def test_nothing_known_is_lost(shell: str, host: Path) -> None:
    require("awk")
    whole, expected = read(shell, host, 1_000_000)
    filtered, facts = read(shell, host, 104)  # 54 + 20 + 31 are one more
    assert without_counts(facts) == without_counts(expected)
    assert facts.gaps == ()
    assert facts.system.states == {
        "tcp": {"ESTABLISHED": 81, "SYN_RECV": 1, "TIME_WAIT": 20, "CLOSE_WAIT": 1, "LISTEN": 3}
    }
    assert coverage_of(facts, "tcp").rows == len(V4)
    assert whole.sections["tcp"].data == TCP_HEADER + b"".join(V4)
    assert filtered.sections["tcp"].data.count(b"\n") == 1 + 2 + 1 + 4  # header, listeners, our session, counts
    assert filtered.sections["tcp6"].data.count(b"\n") == 1 + 1 + 1


def test_a_usual_host_sends_whole_tables(shell: str, host: Path) -> None:
    assert read(shell, host, 105)[0].sections["tcp"].data == TCP_HEADER + b"".join(V4)


def test_our_own_connection_still_proves_the_table(shell: str, host: Path) -> None:
    require("awk")
    sections, _ = read(shell, host, 0)
    assert V4[2] in sections.sections["tcp"].data
    (host / "proc/net/tcp").write_bytes(TCP_HEADER + b"".join(V4[:2] + V4[3:]))
    snapshot, _ = read(shell, host, 0)
    assert "session" in gaps_of(parse_snapshot(snapshot, a_transcript(b"", session={"address": "192.0.2.10"})))


@pytest.mark.parametrize(
    "odd",
    [
        V4[5].replace(b" 01 ", b" 0C ", 1),
        V4[5].replace(b" 01 ", b" 1 ", 1),
        V4[5].replace(b":0050", b":50", 1),
        b" " + V4[5][4:],
        V4[5][:40] + b"\n",
        b"\n",
        b"# 01 full 3 \n",
    ],
)
def test_what_is_no_plain_row_travels_and_is_judged_here(shell: str, host: Path, odd: bytes) -> None:
    require("awk")
    (host / "proc/net/tcp").write_bytes(TCP_HEADER + b"".join([*V4, odd]))
    assert "tcp" in gaps_of(read(shell, host, 0)[1])


def test_a_missing_row_still_shows(shell: str, host: Path) -> None:
    require("awk")
    (host / "proc/net/tcp").write_bytes(TCP_HEADER + b"".join(V4[:10] + V4[11:]))
    assert gaps_of(read(shell, host, 0)[1]) == {"tcp"}


def test_counts_in_no_kernels_words_are_rejected() -> None:
    for line in (b"# 0A full 3\n", b"# 01 half 3\n", b"# 01 full 0\n", b"# 01 full -1\n", b"# 01 full 9999999999\n"):
        snapshot = a_snapshot(tcp=TCP_HEADER + line)
        assert gaps_of(parse_snapshot(snapshot, a_transcript(b""))) >= {"tcp"}, line
