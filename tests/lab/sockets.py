"""Descriptions of sockets in, the real sockets out: what a laboratory host has open in the kernel's tables.

Standard library only: it runs as the first process of a namespace, where nothing but the interpreter is promised.
"""

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal

Proto = Literal["tcp", "udp", "udplite", "raw", "packet"]
Peer = tuple[str, int]

_UDPLITE = 136  # IPPROTO_UDPLITE, linux/in.h
_ETH_P_ALL = 3  # linux/if_ether.h
_BACKLOG = 16


@dataclass(frozen=True)
class Wanted:
    """One socket to open.

    `port` is the IP protocol for raw sockets; 0 lets the kernel choose. `v6only` None leaves IPv6 to the host's own
    default. `copies` more than one opens that many with SO_REUSEPORT. `peer` connects it; `sendto` only sends one
    datagram there, which leaves an unconnected socket on an ephemeral port. `uid` is the user the kernel notes.
    `accept` takes and keeps what connects; without it connections wait in the kernel's queue.
    """

    proto: Proto
    address: str
    port: int = 0
    v6only: bool | None = None
    copies: int = 1
    uid: int = 0
    device: str = ""
    peer: Peer | None = None
    sendto: Peer | None = None
    accept: bool = False


def open_sockets(wanted: Wanted) -> list[socket.socket]:
    """Open every copy of `wanted`; raises OSError when the kernel refuses."""
    return [_open(wanted) for _ in range(wanted.copies)]


def _open(wanted: Wanted) -> socket.socket:
    if wanted.proto == "packet":
        with _as_user(wanted.uid):
            return socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL))
    opened = _create(wanted)
    if wanted.v6only is not None:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(wanted.v6only))
    if wanted.copies > 1:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, int(wanted.proto == "tcp"))
    if wanted.proto == "raw":
        return opened
    if wanted.port or wanted.peer is None:
        opened.bind(_place(wanted))
    _start(opened, wanted)
    return opened


def _create(wanted: Wanted) -> socket.socket:
    family = socket.AF_INET6 if ":" in wanted.address else socket.AF_INET
    kind, number = {
        "tcp": (socket.SOCK_STREAM, 0),
        "udp": (socket.SOCK_DGRAM, 0),
        "udplite": (socket.SOCK_DGRAM, _UDPLITE),
        "raw": (socket.SOCK_RAW, wanted.port),
    }[wanted.proto]
    if wanted.proto == "raw":  # needs CAP_NET_RAW when it is created
        return socket.socket(family, kind, number)
    with _as_user(wanted.uid):
        return socket.socket(family, kind, number)


def _place(wanted: Wanted) -> tuple[str, int] | tuple[str, int, int, int]:
    if ":" not in wanted.address:
        return wanted.address, wanted.port
    index = socket.if_nametoindex(wanted.device) if wanted.device else 0
    return wanted.address, wanted.port, 0, index


def _start(opened: socket.socket, wanted: Wanted) -> None:
    if wanted.peer is not None:
        opened.connect(wanted.peer)
    elif wanted.sendto is not None:
        opened.sendto(b"?", wanted.sendto)
    elif wanted.proto == "tcp":
        opened.listen(_BACKLOG)
        if wanted.accept:
            threading.Thread(target=_accept, args=(opened,), daemon=True).start()


def _accept(listening: socket.socket) -> None:
    kept = []
    while True:
        kept.append(listening.accept())


@contextmanager
def _as_user(uid: int) -> Iterator[None]:
    """Let the kernel note `uid` as the socket's creator; binding low ports needs root again afterwards."""
    if not uid:
        yield
        return
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
