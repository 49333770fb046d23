"""The kernel's printers, after the format strings in its source: what the parsers read is made here, not by them."""

from ipaddress import IPv6Address, ip_address
from typing import Literal

_TIMERS = b"   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode"
TCP_HEADER = (b"  sl  local_address rem_address" + _TIMERS).ljust(149) + b"\n"
TCP6_HEADER = b"  sl  local_address" + b" " * 25 + b"remote_address" + b" " * 21 + _TIMERS + b"\n"
UDP_HEADER = (b"   sl  local_address rem_address" + _TIMERS + b" ref pointer drops").ljust(127) + b"\n"
UDP6_HEADER = TCP6_HEADER.rstrip(b"\n") + b" ref pointer drops\n"
RAW_HEADER = b"  sl  local_address rem_address" + _TIMERS + b" ref pointer drops\n"
PACKET_HEADER = b"sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"

Order = Literal["little", "big"]


def words(address: str, order: Order = "little") -> str:
    """Return an address as %08X of its words in memory, on a machine of this byte order."""
    packed = ip_address(address).packed
    return "".join(f"{int.from_bytes(packed[at : at + 4], order):08X}" for at in range(0, len(packed), 4))


def endpoint(address: str, port: int, order: Order = "little") -> str:
    return f"{words(address, order)}:{port:04X}"


def _nowhere(address: str) -> str:
    return "::" if isinstance(ip_address(address), IPv6Address) else "0.0.0.0"


def tcp_row(
    address: str,
    port: int,
    *,
    state: int = 0x0A,
    peer: tuple[str, int] | None = None,
    uid: int = 0,
    inode: int = 4711,
    queue: int = 0,
    slot: int = 0,
    order: Order = "little",
) -> bytes:
    """net/ipv4/tcp_ipv4.c get_tcp4_sock, net/ipv6/tcp_ipv6.c get_tcp6_sock."""
    remote = endpoint(*(peer or (_nowhere(address), 0)), order)
    row = (
        f"{slot:4d}: {endpoint(address, port, order)} {remote} {state:02X} {0:08X}:{queue:08X} {0:02X}:{0:08X} {0:08X} "
        f"{uid:5d} {0:8d} {inode} 1 0000000092392f9a 100 0 0 10 0"
    )
    return (row if ":" in address else row.ljust(149)).encode() + b"\n"


def tcp_short_row(address: str, port: int, *, state: int, peer: tuple[str, int], order: Order = "little") -> bytes:
    """get_openreq4 (03) and get_timewait4_sock (05, 06): twelve fields."""
    row = (
        f"{7:4d}: {endpoint(address, port, order)} {endpoint(*peer, order)} {state:02X} {0:08X}:{0:08X} "
        f"{3:02X}:{0x1234:08X} {0:08X} {0:5d} {0:8d} 0 3 0000000092392f9a"
    )
    return (row if ":" in address else row.ljust(149)).encode() + b"\n"


def udp_row(
    address: str,
    port: int,
    *,
    state: int = 7,
    peer: tuple[str, int] | None = None,
    uid: int = 0,
    inode: int = 4711,
    order: Order = "little",
) -> bytes:
    """net/ipv4/udp.c udp4_format_sock, net/ipv6/datagram.c __ip6_dgram_sock_seq_show."""
    remote = endpoint(*(peer or (_nowhere(address), 0)), order)
    row = (
        f"{2047:5d}: {endpoint(address, port, order)} {remote} {state:02X} {0:08X}:{0:08X} {0:02X}:{0:08X} {0:08X} "
        f"{uid:5d} {0:8d} {inode} 2 0000000092392f9a 0"
    )
    return (row if ":" in address else row.ljust(127)).encode() + b"\n"


def raw_row(address: str, protocol: int, *, state: int = 7, inode: int = 4711, order: Order = "little") -> bytes:
    """net/ipv4/raw.c raw_sock_seq_show: the port is the IP protocol."""
    row = (
        f"{protocol & 0xFF:4d}: {endpoint(address, protocol, order)} {endpoint(_nowhere(address), 0, order)} "
        f"{state:02X} {0:08X}:{0:08X} {0:02X}:{0:08X} {0:08X} {0:5d} {0:8d} {inode} 2 0000000092392f9a 0"
    )
    return row.encode() + b"\n"


def packet_row(protocol: int, interface: int, *, kind: int = 3, uid: int = 0, inode: int = 4711) -> bytes:
    """net/packet/af_packet.c packet_seq_show."""
    row = f"0000000092392f9a {3:<6d} {kind:<4d} {protocol:04x}   {interface:<5d} 1 {0:<6d} {uid:<6d} {inode:<6d}"
    return row.encode() + b"\n"
