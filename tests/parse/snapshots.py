"""A dull, complete host as the script would answer it; a test replaces the sections it is about."""

import re
from datetime import timedelta

from auditor.model.facts import Coverage, HostFacts
from auditor.model.snapshot import ReadStatus, Section, Snapshot
from auditor.model.transcript import Session, Transcript
from auditor.parse import parse_snapshot
from auditor.parse.owners import INITIAL_PID_NAMESPACE
from tests.builders import NOW
from tests.parse.kernel import PACKET_HEADER, RAW_HEADER, TCP6_HEADER, TCP_HEADER, UDP6_HEADER, UDP_HEADER

ABSENT: tuple[ReadStatus, bytes] = ("absent", b"")
Replaced = bytes | tuple[ReadStatus, bytes]

_LOOPBACK = b"00000000000000000000000000000001 01 80 10 80       lo\n"


def sockstat(tcp: int = 0, udp: int = 0, raw: int = 0, udplite: int = 0) -> bytes:
    return (
        f"sockets: used 200\nTCP: inuse {tcp} orphan 0 tw 0 alloc 9 mem 1\nUDP: inuse {udp} mem 0\n"
        f"UDPLITE: inuse {udplite}\nRAW: inuse {raw}\nFRAG: inuse 0 memory 0\n"
    ).encode()


def sockstat6(tcp: int = 0, udp: int = 0, raw: int = 0) -> bytes:
    return (
        f"TCP6: inuse {tcp}\nUDP6: inuse {udp}\nUDPLITE6: inuse 0\nRAW6: inuse {raw}\nFRAG6: inuse 0 memory 0\n"
    ).encode()


def snmp(active: int = 10, passive: int = 20) -> bytes:
    return (
        "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails EstabResets CurrEstab\n"
        f"Tcp: 1 200 120000 -1 {active} {passive} 0 0 1\n"
    ).encode()


def a_snapshot(**replaced: Replaced) -> Snapshot:
    """Return a host on which nothing listens. `sockstat_1=` stands for section sockstat.1, `os_release=` likewise.

    The counts in sockstat follow from the tables unless given.
    """
    sections: dict[str, Replaced] = {
        "uname": b"Linux 6.1.0-13-amd64 x86_64\n",
        "hostname": b"web-01\n",
        "os-release": b'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
        "date": b"%d\n" % NOW.timestamp(),
        "uid": b"1000\n",
        "ssh_connection": ABSENT,
        "netns": b"init\n",
        "cpu_byteorder": b"little\n",
        "od": ABSENT,
        "ip_local_port_range": b"32768\t60999\n",
        "ip_local_reserved_ports": b"\n",
        "bindv6only": b"0\n",
        "if_inet6": _LOOPBACK,
        "snmp.1": snmp(),
        "snmp.2": snmp(),
        "tcp": TCP_HEADER,
        "tcp6": TCP6_HEADER,
        "udp": UDP_HEADER * 3,
        "udp6": UDP6_HEADER * 3,
        "udplite": UDP_HEADER,
        "udplite6": UDP6_HEADER,
        "raw": RAW_HEADER,
        "raw6": UDP6_HEADER,
        "icmp": UDP_HEADER,
        "icmp6": UDP6_HEADER,
        "packet": PACKET_HEADER,
        "sctp": ABSENT,
        "unix": b"Num       RefCount Protocol Flags    Type St Inode Path\n",
        "services": b"ssh\t\t22/tcp\ndomain\t\t53/tcp\ndomain\t\t53/udp\nhttps\t443/tcp\n",
        "ip_vs": ABSENT,
        "nat": ABSENT,
        "namespaces": ABSENT,
    }
    sections |= {_name(key): value for key, value in replaced.items()}
    counted4 = sockstat(_rows(sections["tcp"]), _rows(sections["udp"], 3), _rows(sections["raw"]))
    counted6 = sockstat6(_rows(sections["tcp6"]), _rows(sections["udp6"], 3), _rows(sections["raw6"]))
    for name, counted in {"sockstat": counted4, "sockstat6": counted6}.items():
        sections.setdefault(f"{name}.1", counted)
        sections.setdefault(f"{name}.2", counted)
    return Snapshot(sections={name: _section(name, value) for name, value in sections.items()})


def _name(key: str) -> str:
    if key.endswith(("_1", "_2")):
        return f"{key[:-2]}.{key[-1]}"
    return "os-release" if key == "os_release" else key


def _section(name: str, value: Replaced) -> Section:
    status, data = value if isinstance(value, tuple) else ("ok", value)
    return Section(name=name, status=status, data=data)


def _rows(value: Replaced, readings: int = 1) -> int:
    """Return how many 13- or 17-field rows one reading holds, if all readings hold the same."""
    data = value if isinstance(value, bytes) else b""
    return sum(len(line.split()) > 12 and b"address" not in line for line in data.split(b"\n")) // readings


def a_transcript(*, over_ssh: bool = False) -> Transcript:
    return Transcript(
        nonce="0" * 32,
        stdout=b"",
        exit_status=0,
        started_at=NOW,
        finished_at=NOW + timedelta(seconds=2),
        session=Session(address="192.0.2.10") if over_ssh else Session(),
    )


def in_first_pid_namespace(answer: str) -> str:
    """Return an answer from a pid namespace that is sealed off as it would be, were it the first one of a machine."""
    view = re.sub(r"^(\|v \d+ \d \d+) \d+$", rf"\g<1> {INITIAL_PID_NAMESPACE}", answer, flags=re.MULTILINE)
    return view.replace("|+ apart\n", "")


def parse(**replaced: Replaced) -> HostFacts:
    return parse_snapshot(a_snapshot(**replaced), a_transcript())


def parse_with_namespaces(**replaced: Replaced) -> HostFacts:
    """As of a host whose other network namespaces were asked for."""
    return parse_snapshot(a_snapshot(**replaced), a_transcript(), namespaces=True)


def parse_over_ssh(**replaced: Replaced) -> HostFacts:
    return parse_snapshot(a_snapshot(**replaced), a_transcript(over_ssh=True))


def coverage_of(facts: HostFacts, source: str) -> Coverage:
    return next(entry for entry in facts.coverage if entry.source == source)


def gaps_of(facts: HostFacts) -> set[str]:
    return {gap.source for gap in facts.gaps}


def places_of(facts: HostFacts) -> list[str]:
    """Return the listeners as `tcp 127.0.0.1 22`, in order."""
    return [f"{listener.proto} {listener.address} {listener.port}" for listener in facts.listeners]
