"""What the report says is listening is what `ss` says on the same host, for every kind of socket the kernel shows."""

import ipaddress
from collections.abc import Iterator

import pytest

from tests.lab.fleet import LabFleet, Outcome, lab_fleet
from tests.lab.namespace import LabHost
from tests.lab.sockets import Wanted

Endpoint = tuple[str, str, int]

HOSTS: dict[str, tuple[Wanted, ...]] = {
    "plain": (
        Wanted("tcp", "0.0.0.0", 80),
        Wanted("tcp", "127.0.0.1", 5432),
        Wanted("tcp", "10.77.1.2", 9100, uid=112),
        Wanted("udp", "0.0.0.0", 123),
        Wanted("udp", "127.0.0.1", 323),
    ),
    "both-families": (
        Wanted("tcp", "::", 80, v6only=False),
        Wanted("tcp", "0.0.0.0", 443),
        Wanted("tcp", "::", 443, v6only=True),
        Wanted("tcp", "::", 8443, v6only=True),
        Wanted("tcp", "::1", 631),
        Wanted("tcp", "2001:db8:77:2::2", 25),
        Wanted("tcp", "fe80::2", 179, device="eth0"),
        Wanted("tcp", "::ffff:10.77.2.2", 5000, v6only=False),
        Wanted("udp", "::", 53, v6only=False),
        Wanted("udp", "fe80::2", 546, device="eth0"),
    ),
    "shared-ports": (
        Wanted("tcp", "0.0.0.0", 80, copies=4),
        Wanted("tcp", "::", 443, copies=3, v6only=True),
        Wanted("udp", "0.0.0.0", 5353, copies=2),
    ),
    "clients": (
        Wanted("tcp", "127.0.0.1", 5432, accept=True),
        Wanted("tcp", "127.0.0.1", peer=("127.0.0.1", 5432)),
        Wanted("tcp", "127.0.0.1", 6379),
        Wanted("tcp", "127.0.0.1", peer=("127.0.0.1", 6379)),
        Wanted("udp", "127.0.0.1", 514),
        Wanted("udp", "127.0.0.1", peer=("127.0.0.1", 514)),
        Wanted("udp", "0.0.0.0", sendto=("127.0.0.1", 514)),
        Wanted("udp", "::", sendto=("::1", 514)),
    ),
    "crowded": tuple(Wanted("tcp", "0.0.0.0", port) for port in range(10000, 10300))
    + tuple(Wanted("udp", "::", port, v6only=True) for port in range(11000, 11200)),
}
SERVICES = "ssh 22/tcp\nlab-web 80/tcp www\nlab-syslog 514/udp\n"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabFleet]:
    with lab_fleet(tmp_path_factory.mktemp("fleet")) as fleet:
        for name, sockets in HOSTS.items():
            fleet.add(name, *sockets, files={"/etc/services": SERVICES})
        yield fleet


@pytest.fixture(scope="module")
def outcome(fleet: LabFleet) -> Outcome:
    return fleet.run()


def list_with_ss(host: LabHost) -> dict[Endpoint, set[str]]:
    """Return every listener `ss` shows, with the spellings of its address (`*` is both families in one socket)."""
    done = host.run(["ss", "-H", "-lntu"])
    assert done.returncode == 0, done.stderr
    found: dict[Endpoint, set[str]] = {}
    for line in done.stdout.splitlines():
        proto, _state, _received, _sent, local, _peer = line.split()[:6]
        spelled, _, port = local.rpartition(":")
        found.setdefault((proto, _plain(spelled), int(port)), set()).add(spelled)
    return found


def _plain(spelled: str) -> str:
    """Return an address as the report writes it: no brackets, no zone, IPv4-mapped as IPv4."""
    if spelled == "*":
        return "::"
    address = ipaddress.ip_address(spelled.partition("%")[0].strip("[]"))
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


@pytest.mark.parametrize("name", HOSTS)
def test_listeners_are_those_ss_shows(fleet: LabFleet, outcome: Outcome, name: str) -> None:
    expected = list_with_ss(fleet.members[name].lab)
    listeners = outcome.host(name)["listeners"]
    found = {(row["proto"], row["address"], row["port"]) for row in listeners if row["proto"] in {"tcp", "udp"}}
    assert found == set(expected)
    assert len([row for row in listeners if row["proto"] in {"tcp", "udp"}]) == len(expected)


@pytest.mark.parametrize("name", HOSTS)
def test_every_host_is_complete_and_compliant(outcome: Outcome, name: str) -> None:
    host = outcome.host(name)
    assert (host["gaps"], host["status"]) == ([], "compliant")


def test_dual_stack_agrees_with_ss_where_the_tables_can_tell(fleet: LabFleet, outcome: Outcome) -> None:
    for name in HOSTS:
        expected = list_with_ss(fleet.members[name].lab)
        for row in outcome.host(name)["listeners"]:
            if row["address"] != "::" or row["proto"] not in {"tcp", "udp"}:
                continue
            place = (row["proto"], "::", row["port"])
            if expected[place] == {"*"}:
                assert row["dual_stack"] != "no", place
            elif (row["proto"], "0.0.0.0", row["port"]) in expected and row["sockets"] == 1:
                assert row["dual_stack"] == "no", place


def test_copies_of_one_endpoint_are_counted(outcome: Outcome) -> None:
    counts = {(row["proto"], row["port"]): row["sockets"] for row in outcome.host("shared-ports")["listeners"]}
    assert (counts["tcp", 80], counts["tcp", 443], counts["udp", 5353]) == (4, 3, 2)


def test_udp_clients_are_told_from_services(fleet: LabFleet, outcome: Outcome) -> None:
    """The connected socket is none, the two that only sent are ephemeral, and 514 is a service."""
    low, high = fleet.members["clients"].lab.run(["cat", "/proc/sys/net/ipv4/ip_local_port_range"]).stdout.split()
    udp = [row for row in outcome.host("clients")["listeners"] if row["proto"] == "udp"]
    ephemeral = [row for row in udp if row["kind"] == "ephemeral-udp"]
    assert [row["port"] for row in udp if row["kind"] == "listener"] == [514]
    assert sorted(row["address"] for row in ephemeral) == ["0.0.0.0", "::"]
    assert all(int(low) <= row["port"] <= int(high) for row in ephemeral)


def test_connections_that_wait_to_be_accepted_are_pending(outcome: Outcome) -> None:
    pending = {row["port"]: row["pending_accepts"] for row in outcome.host("clients")["listeners"]}
    assert (pending[5432], pending[6379]) == (0, 1)


def test_names_are_those_the_host_itself_gives(fleet: LabFleet, outcome: Outcome) -> None:
    """getent(1) reads the same file with the C library."""
    for name in ("plain", "clients"):
        for row in outcome.host(name)["listeners"]:
            answer = fleet.members[name].lab.run(["getent", "services", f"{row['port']}/{row['proto']}"]).stdout
            assert row["service"] == (answer.split()[0] if answer else None), row


def test_owners_uid_is_the_users_that_opened_the_socket(outcome: Outcome) -> None:
    uids = {row["port"]: row["uid"] for row in outcome.host("plain")["listeners"]}
    assert (uids[80], uids[9100]) == (0, 112)


def test_facts_are_those_the_host_prints(fleet: LabFleet, outcome: Outcome) -> None:
    lab = fleet.members["plain"].lab
    facts = outcome.host("plain")["facts"]
    kernel = lab.run(["uname", "-r"]).stdout.strip()
    machine = lab.run(["uname", "-m"]).stdout.strip()
    byte_order = lab.run(["cat", "/sys/kernel/cpu_byteorder"]).stdout.strip()
    assert (facts["hostname"], facts["kernel"], facts["arch"]) == ("plain", kernel, machine)
    assert (facts["byte_order"], facts["privileged"]) == (byte_order, False)


def test_host_key_is_written_as_ssh_keygen_writes_it(fleet: LabFleet, outcome: Outcome) -> None:
    path = fleet.folder / "plain" / "host_key.pub"
    fingerprint = fleet.controller.run(["ssh-keygen", "-l", "-f", str(path)]).stdout.split()[1]
    assert outcome.host("plain")["facts"]["host_key"] == f"ssh-ed25519 {fingerprint}"
