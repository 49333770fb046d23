"""Files of a host that never was in, the evidence netaudit gathers there out, by its own script.

Rows are written as the kernel writes them (net/ipv4/tcp_ipv4.c, net/ipv4/udp.c, net/ipv6/*), with the C library's
addresses, so nothing here comes from netaudit's decoder.
"""

import socket
import struct
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from auditor.collect import build_script
from auditor.collect.sections import TABLE_GROUPS
from auditor.model.host import Host
from auditor.model.origin import Origin
from auditor.model.transcript import Evidence, EvidenceHeader, Failure, Transcript
from auditor.transport.evidence import EvidenceWriter

HEADER4 = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
HEADER6 = "  sl  local_address                         remote_address                        st tx_queue"
HEADER_UNIX = "Num       RefCount Protocol Flags    Type St Inode Path"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
_NONCE = "0123456789abcdef" * 2
_SHORT = {3, 5, 6}
"""States of sockets that are no full ones, for which the kernel prints twelve fields."""


def a_row(
    local: tuple[str, int],
    remote: tuple[str, int] = ("", 0),
    state: int = 1,
    *,
    queues: tuple[int, int] = (0, 0),
    timer: tuple[int, int, int, int] = (0, 0, 0, 0),
    uid: int = 0,
    inode: int = 0,
) -> str:
    """Return a row; `queues` are (receive, send), `timer` is (kind, when, retransmits, probes)."""
    far = (remote[0] or ("::" if ":" in local[0] else "0.0.0.0"), remote[1])
    kind, when, retransmits, probes = timer
    return (
        f"   0: {_encode(local)} {_encode(far)} {state:02X} {queues[1]:08X}:{queues[0]:08X} "
        f"{kind:02X}:{when:08X} {retransmits:08X} {uid:5} {probes:8} {inode} 1 0000000000000000"
        + ("" if state in _SHORT and not inode else " 100 0 0 10 0")
    )


def _encode(place: tuple[str, int]) -> str:
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    packed = socket.inet_pton(family, place[0])
    words = struct.unpack(f"={len(packed) // 4}I", packed)
    return "".join(f"{word:08X}" for word in words) + f":{place[1]:04X}"


def a_table(*rows: str, v6: bool = False) -> bytes:
    return "".join(f"{line}\n" for line in ((HEADER6 if v6 else HEADER4), *rows)).encode()


def a_host_with(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return `files` with what every Linux host has besides: the other tables, and counters that agree with them."""
    order = sys.byteorder.encode() + b"\n"
    found = {
        "proc/sys/kernel/ostype": b"Linux\n",
        "proc/sys/kernel/osrelease": b"6.1.0\n",
        "proc/sys/kernel/arch": b"x86_64\n",
        "proc/sys/kernel/hostname": b"icebox\n",
        "proc/self/status": b"Uid:\t0\t0\t0\t0\n",
        "proc/sys/net/ipv4/ip_local_port_range": b"32768\t60999\n",
        "proc/sys/net/ipv4/ip_local_reserved_ports": b"\n",
        "proc/sys/net/ipv6/bindv6only": b"0\n",
        "proc/net/if_inet6": b"",
        "proc/net/unix": f"{HEADER_UNIX}\n".encode(),
        "sys/kernel/cpu_byteorder": order,
        **{f"proc/net/{name}": a_table() for name in ("tcp", "udp", "udplite", "raw", "icmp")},
        **{f"proc/net/{name}6": a_table(v6=True) for name in ("tcp", "udp", "udplite", "raw", "icmp")},
        **files,
    }
    counts = {
        name: sum(len(line.split()) > 12 for line in found[f"proc/net/{name}"].splitlines()[1:])
        for name in ("tcp", "udp", "raw", "tcp6", "udp6", "raw6")
    }
    for name, family in (("sockstat", ""), ("sockstat6", "6")):
        lines = (f"{proto}{family}: inuse {counts[proto.lower() + family]}" for proto in ("TCP", "UDP", "RAW"))
        found[f"proc/net/{name}"] = ("".join(f"{line} mem 0\n" for line in lines)).encode()
    return found


def answer(folder: Path, files: Mapping[str, bytes]) -> Transcript:
    """Return what the script answers on a host with these files, kept below `folder`."""
    for name, data in a_host_with(files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    for reader in ("self", "1"):
        (folder / "proc" / reader).mkdir(exist_ok=True)
        (folder / "proc" / reader / "net").symlink_to(folder / "proc/net")
    text = build_script(_NONCE, owners=True, tables=frozenset(TABLE_GROUPS)).text
    for name in ("P=/proc", "E=/etc", "S=/sys"):
        text = text.replace(f"\n{name}\n".encode(), f"\n{name[:2]}{folder}{name[2:]}\n".encode(), 1)
    done = subprocess.run(["/bin/sh", "-s"], input=text, capture_output=True, timeout=60, check=True, cwd="/")
    return Transcript(nonce=_NONCE, stdout=done.stdout, exit_status=0, started_at=NOW, finished_at=NOW)


def save(path: Path, hosts: Mapping[str, Transcript | Failure]) -> Path:
    """Write an evidence file of these hosts and return its path."""
    header = EvidenceHeader(run_id="test", started_at=NOW, inventory_path="fleet.yaml", inventory_sha256="0" * 64)
    with EvidenceWriter(path, header) as writer:
        for name, outcome in hosts.items():
            host = Host(name=name, address=name, origin=Origin(file="fleet.yaml", line=1))
            writer.append(Evidence(host=host, outcome=outcome, finished_at=NOW))
        writer.finish()
    return path
