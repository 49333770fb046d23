"""A host that has every kind of socket open: to be run in namespaces of its own; prints `ready` and stays.

Standard library only, as it may run where nothing else is.
"""

import socket
import subprocess
import sys
import threading

UDPLITE = 136  # IPPROTO_UDPLITE, linux/in.h
DEFER_ACCEPT_S = 60
_GROUP = socket.inet_aton("239.1.2.3") + socket.inet_aton("10.99.0.1")  # struct ip_mreq, ip(7)
_kept: list[socket.socket] = []
V4, V6 = socket.AF_INET, socket.AF_INET6


def _keep(opened: socket.socket) -> socket.socket:
    _kept.append(opened)
    return opened


def _listen(family: int, address: str, port: int = 0) -> socket.socket:
    opened = _keep(socket.socket(family, socket.SOCK_STREAM))
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    opened.bind((address, port))
    opened.listen(8)
    return opened


def _connect(server: socket.socket, address: str) -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new connection, which must be kept or closed."""
    client = socket.create_connection((address, server.getsockname()[1]))
    return client, server.accept()[0]


def _run(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def open_network() -> None:
    _run("link", "add", "lab0", "type", "veth", "peer", "name", "lab1")
    _run("address", "add", "10.99.0.1/24", "dev", "lab0")
    _run("-6", "address", "add", "2001:db8:1111:2222:3333:4444:5555:6666/64", "dev", "lab0", "nodad")
    for name in ("lab0", "lab1"):
        _run("link", "set", name, "addrgenmode", "none", "up")
    _run("neighbour", "add", "10.99.0.77", "lladdr", "02:00:00:00:00:77", "dev", "lab0")


def open_tcp() -> None:
    web, any4 = _listen(V4, "127.0.0.1", 443), _listen(V4, "0.0.0.0", 4444)
    any6, long6 = _listen(V6, "::", 8081), _listen(V6, "2001:db8:1111:2222:3333:4444:5555:6666", 51111)
    for server, address in ((web, "127.0.0.1"), (any4, "10.99.0.1"), (any6, "127.0.0.1"), (any6, "::1")):
        for opened in _connect(server, address):
            _keep(opened)
    for opened in _connect(long6, long6.getsockname()[0]):
        _keep(opened)
    for _ in range(3):  # nobody accepts these
        _keep(socket.create_connection(("10.99.0.1", 4444)))
    left, right = map(_keep, _connect(web, "127.0.0.1"))  # half-closed: FIN_WAIT2 here, CLOSE_WAIT there
    left.shutdown(socket.SHUT_WR)
    right.send(b"unread")
    alive, _ = map(_keep, _connect(any6, "::1"))
    alive.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for server, address in ((web, "127.0.0.1"), (any6, "::1")):  # TIME_WAIT
        client, served = _connect(server, address)
        client.close()
        served.close()
    slow = _listen(V4, "127.0.0.1", 7777)  # SYN_RECV: the handshake is not over before data comes
    slow.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, DEFER_ACCEPT_S)
    _keep(socket.create_connection(slow.getsockname()))
    calling = _keep(socket.socket())  # SYN_SENT: the cable leads to nobody
    calling.setblocking(False)
    calling.connect_ex(("10.99.0.77", 443))


def open_datagrams() -> None:
    for family, kind, proto, place in (
        (V4, socket.SOCK_DGRAM, 0, ("10.99.0.1", 53)),
        (V4, socket.SOCK_DGRAM, 0, ("0.0.0.0", 40000)),
        (V6, socket.SOCK_DGRAM, 0, ("::", 5353)),
        (V4, socket.SOCK_DGRAM, UDPLITE, ("0.0.0.0", 443)),
        (V6, socket.SOCK_DGRAM, UDPLITE, ("::1", 7)),
        (V4, socket.SOCK_RAW, 253, ("10.99.0.1", 0)),
        (V4, socket.SOCK_RAW, socket.IPPROTO_ICMP, ("0.0.0.0", 0)),
        (V6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6, ("::", 0)),
    ):
        _keep(socket.socket(family, kind, proto)).bind(place)
    for family, peer in ((V4, ("10.99.0.1", 53)), (V6, ("::1", 5353))):
        _keep(socket.socket(family, socket.SOCK_DGRAM)).connect(peer)
    _keep(socket.socket(V4, socket.SOCK_RAW, 254)).connect(("10.99.0.1", 0))
    group = _keep(socket.socket(V4, socket.SOCK_DGRAM))
    group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, _GROUP)


def open_unix(folder: str) -> None:
    for kind, name in (
        (socket.SOCK_STREAM, f"{folder}/stream"),
        (socket.SOCK_SEQPACKET, "\0abstract"),
        (socket.SOCK_STREAM, f"{folder}/{'long' * 20}"),
    ):
        server = _keep(socket.socket(socket.AF_UNIX, kind))
        server.bind(name)
        server.listen(4)
        client = _keep(socket.socket(socket.AF_UNIX, kind))
        client.connect(name)
        _keep(server.accept()[0])
    _keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)).bind(f"{folder}/datagrams")
    _keep(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM))
    for opened in socket.socketpair():
        _keep(opened)


def main() -> None:
    open_network()
    open_tcp()
    open_datagrams()
    open_unix(sys.argv[1])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    threading.Event().wait()


if __name__ == "__main__":
    main()
