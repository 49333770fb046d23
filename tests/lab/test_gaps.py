"""What could not be read is said, and its host is never called compliant, though every policy would allow it."""

from collections.abc import Iterator

import pytest

from tests.lab.fleet import Outcome, lab_fleet
from tests.lab.init import DENIED
from tests.lab.sockets import Wanted

IPV6_FILES = ("tcp6", "udp6", "udplite6", "raw6", "icmp6", "if_inet6", "sockstat6")
TCP_HEADER = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
ROW_OF_SSHD = "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0\n"

TABLES: dict[str, tuple[str, dict[str, str | None], str]] = {
    "tcp-denied": ("tcp", {"tcp": DENIED}, "denied"),
    "tcp-absent": ("tcp", {"tcp": None}, "absent"),
    "tcp-empty": ("tcp", {"tcp": ""}, "empty"),
    "tcp-cut": ("tcp", {"tcp": TCP_HEADER + ROW_OF_SSHD[:40]}, "truncated"),
    "tcp-lying": ("tcp", {"tcp": TCP_HEADER + ROW_OF_SSHD}, "inconsistent"),
    "tcp6-denied": ("tcp6", {"tcp6": DENIED}, "denied"),
    "tcp6-gone": ("tcp6", {"tcp6": None}, "absent"),
    "udp-denied": ("udp", {"udp": DENIED}, "denied"),
    "udp-empty": ("udp", {"udp": ""}, "empty"),
    "udp6-denied": ("udp6", {"udp6": DENIED}, "denied"),
}
"""Host: the table that suffers, what /proc/net shows instead, what the report's coverage says of it."""

STREAMS = {
    "cut-early": "ForceCommand /bin/sh -s | head -c 200",
    "cut-in-tables": "ForceCommand /bin/sh -s | head -c 3000",
    "cut-at-end": "ForceCommand /bin/sh -s | sed '/ END /d'",
    "row-lost": "ForceCommand /bin/sh -s | sed '/:0016 00000000:0000 0A/d'",
}
"""Host: what its sshd does to the answer on its way."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    with lab_fleet(tmp_path_factory.mktemp("fleet")) as fleet:
        for name, (_, changes, _) in TABLES.items():
            fleet.add(name, Wanted("udp", "0.0.0.0", 123), proc_net=changes)
        for name, sshd in STREAMS.items():
            fleet.add(name, Wanted("udp", "0.0.0.0", 123), sshd=sshd)
        fleet.add("no-ipv6", proc_net=dict.fromkeys(IPV6_FILES), sshd="ListenAddress 0.0.0.0")
        fleet.add("ipv6-off", sysctl={"net/ipv6/conf/all/disable_ipv6": "1"}, addresses=("10.77.16.2/30",))
        yield fleet.run()


@pytest.mark.parametrize("name", [*TABLES, *STREAMS])
def test_what_could_not_be_known_is_never_compliant(outcome: Outcome, name: str) -> None:
    host = outcome.host(name)
    assert (host["status"], host["error"]) == ("incomplete", None)
    assert host["gaps"]
    assert {finding["rule"] for finding in host["findings"]} == {"evidence-gap"}
    about = [line for line in outcome.stdout.splitlines() if name in line]
    assert about
    assert "compliant" not in " ".join(about)


@pytest.mark.parametrize("name", TABLES)
def test_the_gap_names_its_table(outcome: Outcome, name: str) -> None:
    table, _, status = TABLES[name]
    host = outcome.host(name)
    assert {row["source"]: row["status"] for row in host["coverage"]}[table] == status
    assert table in {gap["source"] for gap in host["gaps"]}


def test_hosts_without_ipv6_are_complete(outcome: Outcome) -> None:
    for name in ("no-ipv6", "ipv6-off"):
        host = outcome.host(name)
        assert (host["status"], host["gaps"]) == ("compliant", []), name


def test_the_run_is_incomplete(outcome: Outcome) -> None:
    total = len(TABLES) + len(STREAMS) + 2
    assert (outcome.code, outcome.report["verdict"]) == (3, "incomplete")
    assert outcome.report["summary"]["hosts"] == {
        "total": total,
        "compliant": 2,
        "violating": 0,
        "incomplete": total - 2,
        "unreachable": 0,
    }
    assert f"{total - 2} of {total} hosts not fully audited" in outcome.last_line
