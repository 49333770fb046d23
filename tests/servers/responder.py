"""A whole fleet in one cheap process: an SSH server that answers for every loopback address at well under 1 ms each.

`run_responder()` starts it. One socket listens for all of 127.0.0.0/8 (on the loopback device only), and the address
that was dialled decides which host answers: `ports_of(address)` listen there, and on no other host. Speaks only
curve25519, ssh-ed25519 and aes128-gcm, lets everybody in, and answers any exec with a complete transcript framed by the
nonce it reads from the script. The protocol is RFC 4253 and 4254, RFC 8731 (key exchange) and RFC 5647 (AES-GCM), as
far as one well-behaved client needs it; that the client is well-behaved is for real servers to judge.
"""

import argparse
import asyncio
import contextlib
import hashlib
import os
import re
import socket
import struct
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from auditor.collect.sections import SECTIONS
from auditor.model.host import Host
from auditor.model.snapshot import Section
from tests.builders import a_host
from tests.collect.answers import begin, end, frame_section
from tests.parse.kernel import TCP_HEADER, tcp_row
from tests.parse.snapshots import a_snapshot

ROOT = Path(__file__).resolve().parents[2]
USER = "audit"
VERSION = "SSH-2.0-responder"
_NONCE = re.compile(rb"^N=([0-9a-f]{32})$", re.MULTILINE)
_BACKLOG = 4096
# Placeholders in a prepared answer, as long as what takes their place.
_NO_NONCE, _NO_PORT = "0123456789abcdef" * 2, 65432
_LISTS = (
    b"curve25519-sha256,curve25519-sha256@libssh.org", b"ssh-ed25519", b"aes128-gcm@openssh.com",
    b"aes128-gcm@openssh.com", b"hmac-sha2-256", b"hmac-sha2-256", b"none", b"none", b"", b"",
)  # fmt: skip


def ports_of(address: str) -> tuple[int, int, int]:
    """Return the TCP ports that are open on the host at 127.a.b.c: 22, and two that together no other host has."""
    number = int(ip_address(address))
    return 22, 20_000 + (number >> 8 & 0xFFFF) % 20_000, 40_000 + (number & 0xFF)


@dataclass(frozen=True)
class Responder:
    """A running responder: its port on every loopback address, and its host key as `ssh-ed25519 AAAA…`."""

    port: int
    public_key: str
    pid: int

    def known_hosts_line(self) -> str:
        return f"[127.*]:{self.port} {self.public_key}\n"

    def host(self, name: str, address: str, **fields: object) -> Host:
        """Return an inventory host that this responder plays; `identity` and `known_hosts` are still to be given."""
        return a_host(name, **{"address": address, "port": self.port, "user": USER, **fields})


@contextlib.contextmanager
def run_responder(*options: str) -> Iterator[Responder]:
    """Run a responder in a process of its own until the block ends."""
    command = [sys.executable, "-m", "tests.servers.responder", *options]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:  # it ends when its standard input does
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            port, _, public_key = process.stdout.readline().strip().partition(" ")
            yield Responder(int(port), public_key, process.pid)
        finally:
            process.stdin.close()
            process.wait(10)


# -- what the hosts say


_OWN_SECTIONS = ("hostname", "ssh_connection", "tcp")


@cache
def _common_sections(services: bytes) -> dict[str, bytes]:
    """Return the framed sections in their order; those that tell one host from another are empty."""
    rows = b"".join(tcp_row("0.0.0.0", port) for port in range(1, 5))  # for the counters: three listeners, and us
    fields = {"tcp": TCP_HEADER + rows, **({"services": services} if services else {})}
    sections = a_snapshot(**fields).sections
    names = [name for name in SECTIONS if name in sections]
    return {name: b"" if name in _OWN_SECTIONS else _frame(sections[name]) for name in names}


def _prepare_answer(address: str, port: int, services: bytes) -> bytes:
    """Return the transcript of the host at `address`, with placeholders for the nonce and the client's port."""
    listening = b"".join(tcp_row("0.0.0.0", number, inode=9000 + number) for number in ports_of(address))
    own = {
        "hostname": f"host-{address.replace('.', '-')}\n".encode(),
        "ssh_connection": f"127.0.0.1 {_NO_PORT} {address} {port}\n".encode(),
        "tcp": TCP_HEADER + listening + tcp_row(address, port, state=1, peer=("127.0.0.1", _NO_PORT), inode=8999),
    }
    common = _common_sections(services)
    parts = [frame_section(name, own[name], nonce=_NO_NONCE) if name in own else common[name] for name in common]
    return begin(_NO_NONCE) + b"".join(parts) + end(*common, nonce=_NO_NONCE)


def _frame(section: Section) -> bytes:
    return frame_section(section.name, section.data, section.status, _NO_NONCE)


def answer(address: str, port: int, client_port: int, nonce: bytes, services: bytes = b"") -> bytes:
    """Return what the script would print there."""
    text = _prepare_answer(address, port, services).replace(_NO_NONCE.encode(), nonce)
    text = text.replace(b":%04X" % _NO_PORT, b":%04X" % client_port)
    return text.replace(b" %d " % _NO_PORT, b" %d " % client_port)


# -- the protocol


def _string(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _mpint(data: bytes) -> bytes:
    stripped = data.lstrip(b"\0")
    return _string(b"\0" + stripped if stripped and stripped[0] & 0x80 else stripped)


def _take(payload: bytes, at: int) -> tuple[bytes, int]:
    """Return the string at `at` and where the next field starts."""
    (size,) = struct.unpack_from(">I", payload, at)
    return payload[at + 4 : at + 4 + size], at + 4 + size


class Identity:
    """What every connection shares: the host key, and one key-exchange key (forward secrecy is no test's subject)."""

    def __init__(self, services: bytes, version: str = VERSION) -> None:
        self.version = version.encode("ascii")
        self.key = Ed25519PrivateKey.generate()
        raw = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.blob = _string(b"ssh-ed25519") + _string(raw)
        self.exchange = X25519PrivateKey.generate()
        self.share = self.exchange.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self.kexinit = b"\x14" + os.urandom(16) + b"".join(map(_string, _LISTS)) + bytes(5)
        self.services = services


class _Cipher:
    """One direction of aes128-gcm@openssh.com."""

    def __init__(self, key: bytes, iv: bytes) -> None:
        self._gcm = AESGCM(key)
        self._fixed, self._count = iv[:4], int.from_bytes(iv[4:12], "big")

    def _nonce(self) -> bytes:
        nonce = self._fixed + self._count.to_bytes(8, "big")
        self._count = (self._count + 1) & 0xFFFF_FFFF_FFFF_FFFF
        return nonce

    def seal(self, payload: bytes) -> bytes:
        padding = 16 - (len(payload) + 1) % 16
        padding += 16 if padding < 4 else 0
        head = struct.pack(">I", len(payload) + padding + 1)
        return head + self._gcm.encrypt(self._nonce(), bytes([padding]) + payload + bytes(padding), head)

    def open(self, head: bytes, sealed: bytes) -> bytes:
        plain = self._gcm.decrypt(self._nonce(), sealed, head)
        return plain[1 : len(plain) - plain[0]]


class Conversation(asyncio.Protocol):
    """One connection, from the version line to the end of one exec."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity
        self._received = bytearray()
        self._out: list[bytes] = []
        self._version = b""
        self._kexinit = self._session_id = b""
        self._reader: _Cipher | None = None
        self._writer: _Cipher | None = None
        self._next_reader: _Cipher | None = None
        self._script = bytearray()
        self._answered = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._address, self._port = transport.get_extra_info("sockname")[:2]
        self._client_port = transport.get_extra_info("peername")[1]
        transport.write(self._identity.version + b"\r\n" + self._plain(self._identity.kexinit))

    def data_received(self, data: bytes) -> None:
        self._received += data
        try:
            while self._step():
                pass
        except (ValueError, IndexError, struct.error) as error:  # InvalidTag would show as a closed connection too
            sys.stderr.write(f"responder: {error!r}\n")
            self._transport.abort()
            return
        if self._out:
            self._transport.write(b"".join(self._out))
            self._out.clear()

    def _step(self) -> bool:
        """Take one line or packet off what was received; return whether there was one."""
        if not self._version:
            line, found, _ = bytes(self._received).partition(b"\n")
            if found:
                del self._received[: len(line) + 1]
                self._version = line.rstrip(b"\r")
            return bool(found)
        if len(self._received) < 4:
            return False
        (size,) = struct.unpack_from(">I", self._received)
        whole = 4 + size + (16 if self._reader else 0)
        if len(self._received) < whole:
            return False
        head, rest = bytes(self._received[:4]), bytes(self._received[4:whole])
        del self._received[:whole]
        self._handle(self._reader.open(head, rest) if self._reader else rest[1 : len(rest) - rest[0]])
        return True

    def _plain(self, payload: bytes) -> bytes:
        padding = 8 - (len(payload) + 5) % 8
        padding += 8 if padding < 4 else 0
        return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)

    def _send(self, payload: bytes) -> None:
        self._out.append(self._writer.seal(payload) if self._writer else self._plain(payload))

    def _handle(self, payload: bytes) -> None:
        kind = payload[0]
        if kind in _HANDLERS:
            _HANDLERS[kind](self, payload)
        elif kind == 1:  # DISCONNECT
            self._transport.close()

    def _on_kexinit(self, payload: bytes) -> None:
        self._kexinit = payload

    def _on_share(self, payload: bytes) -> None:
        theirs, _ = _take(payload, 1)
        ours = self._identity
        secret = _mpint(ours.exchange.exchange(X25519PublicKey.from_public_bytes(theirs)))
        parts = (self._version, ours.version, self._kexinit, ours.kexinit, ours.blob, theirs, ours.share)
        digest = hashlib.sha256(b"".join(map(_string, parts)) + secret).digest()
        self._session_id = self._session_id or digest
        signature = _string(b"ssh-ed25519") + _string(ours.key.sign(digest))
        self._send(b"\x1f" + _string(ours.blob) + _string(ours.share) + _string(signature))
        self._send(b"\x15")

        def derive(letter: bytes) -> bytes:
            return hashlib.sha256(secret + digest + letter + self._session_id).digest()

        self._writer = _Cipher(derive(b"D")[:16], derive(b"B")[:12])
        self._next_reader = _Cipher(derive(b"C")[:16], derive(b"A")[:12])

    def _on_newkeys(self, _payload: bytes) -> None:
        self._reader = self._next_reader

    def _on_service(self, payload: bytes) -> None:
        self._send(b"\x06" + payload[1:])

    def _on_login(self, payload: bytes) -> None:
        _, at = _take(payload, 1)
        _, at = _take(payload, at)
        method, at = _take(payload, at)
        if method == b"publickey" and not payload[at]:
            self._send(b"\x3c" + payload[at + 1 :])  # USERAUTH_PK_OK: the key would do
        else:
            self._send(b"\x33" + _string(b"publickey,password") + b"\0" if method == b"none" else b"\x34")

    def _on_global_request(self, payload: bytes) -> None:
        _, at = _take(payload, 1)
        if payload[at]:
            self._send(b"\x52")

    def _on_open(self, payload: bytes) -> None:
        _, at = _take(payload, 1)
        self._channel = payload[at : at + 4]
        self._send(b"\x5b" + self._channel + struct.pack(">III", 0, 1 << 21, 1 << 15))

    def _on_request(self, payload: bytes) -> None:
        name, at = _take(payload, 5)
        if payload[at]:
            self._send((b"\x63" if name in {b"exec", b"env"} else b"\x64") + self._channel)
        if name == b"exec" and _take(payload, at + 1)[0].startswith(b"cat "):  # which reads no script
            self._on_eof(payload)

    def _on_data(self, payload: bytes) -> None:
        data, _ = _take(payload, 5)
        self._script += data

    def _on_eof(self, _payload: bytes) -> None:
        if self._answered:
            return
        self._answered = True
        found = _NONCE.search(self._script)
        nonce = found[1] if found else b"0" * 32
        text = answer(self._address, self._port, self._client_port, nonce, self._identity.services)
        for start in range(0, len(text), 1 << 15):
            self._send(b"\x5e" + self._channel + _string(text[start : start + (1 << 15)]))
        self._send(b"\x62" + self._channel + _string(b"exit-status") + b"\0" + struct.pack(">I", 0))
        self._send(b"\x60" + self._channel)
        self._send(b"\x61" + self._channel)


_HANDLERS = {
    5: Conversation._on_service,
    20: Conversation._on_kexinit,
    21: Conversation._on_newkeys,
    30: Conversation._on_share,
    50: Conversation._on_login,
    80: Conversation._on_global_request,
    90: Conversation._on_open,
    94: Conversation._on_data,
    96: Conversation._on_eof,
    98: Conversation._on_request,
}


def listen(port: int = 0, backlog: int = _BACKLOG) -> socket.socket:
    """Return a socket that listens on every loopback address, and on nothing that is not loopback."""
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo\0")
    listener.bind(("0.0.0.0", port))
    listener.listen(backlog)
    return listener


async def _serve(identity: Identity, listener: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Conversation(identity), sock=listener, backlog=_BACKLOG)
    sys.stdout.write(f"{listener.getsockname()[1]} ssh-ed25519 {b64encode(identity.blob).decode()}\n")
    sys.stdout.flush()
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="Plays SSH hosts on every loopback address until its input ends.")
    parser.add_argument("--services", type=Path, help="the /etc/services they have (a small one otherwise)")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--version", default=VERSION, help="the version line: clients treat some servers differently")
    arguments = parser.parse_args()
    services = arguments.services.read_bytes() if arguments.services else b""
    asyncio.run(_serve(Identity(services, arguments.version), listen(arguments.port)))


if __name__ == "__main__":
    main()
