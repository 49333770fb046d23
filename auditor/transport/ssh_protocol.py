"""paramiko, bounded and observed: which algorithms we speak, how much a server may send, and what it said.

Only paramiko's public seams are used: `packetizer_class`, `Packetizer.read_all`, `read_message` and `start_handshake`,
`SecurityOptions`, and a version line of our own.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import paramiko
from paramiko.packet import Packetizer

from auditor.display import escape
from auditor.transport.ssh_wire import Wire

VERSION = "SSH-2.0-netaudit"

# Fastest first among what is sound today. Left out: CBC and 3DES (CVE-2023-48795 needs CBC with EtM), MD5 and SHA-1,
# and diffie-hellman-group-exchange, where the server picks the prime: 8192 bits cost this process seconds during which
# no other host is served.
CIPHERS = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com", "aes128-ctr", "aes192-ctr", "aes256-ctr")
MACS = ("hmac-sha2-256-etm@openssh.com", "hmac-sha2-512-etm@openssh.com", "hmac-sha2-256", "hmac-sha2-512")
KEX = (
    "mlkem768x25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
)
HOST_KEYS = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
)

# Message numbers: RFC 4250 §4.1.2.
_DISCONNECT, _KEXINIT = 1, 20
_CHANNEL_EOF, _CHANNEL_CLOSE, _CHANNEL_REQUEST = 96, 97, 98

_NEVER_S = 1e9
_MOST_PACKET = 257 * 1024
"""OpenSSH never sends more than 256 KiB (PACKET_MAX_SIZE in packet.c)."""
_MOST_BEFORE_LOGIN = 512 * 1024
"""A real handshake and login take some 10 KiB; a flood of IGNORE or DEBUG messages ends here."""


@dataclass(slots=True)
class Observations:
    """What the server was seen to send, beyond what paramiko tells."""

    kexinit: bytes = b""
    disconnect: str = ""
    signal: str = ""
    stream_ended: bool = False
    exhausted: bool = False
    budget: int = _MOST_BEFORE_LOGIN


class BoundedPacketizer(Packetizer):
    """Refuses oversized packets and endless chatter, and notes the messages that paramiko drops."""

    def __init__(self, socket: Wire) -> None:
        super().__init__(socket)  # type: ignore[arg-type]  # any object with recv, send, close and settimeout will do
        self.seen = Observations()

    def start_handshake(self, timeout: float) -> None:
        """Start no timer thread: the key exchange is waited for under a deadline of its own."""

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        self.seen.budget -= n
        if n > _MOST_PACKET:
            raise paramiko.SSHException(f"the server announced a packet of {n} bytes")
        if self.seen.budget < 0:
            self.seen.exhausted = True
            raise paramiko.SSHException("the server sent more than its share")
        return super().read_all(n, check_rekey)

    def read_message(self) -> tuple[int, paramiko.Message]:
        kind, message = super().read_message()
        if kind in (_CHANNEL_EOF, _CHANNEL_CLOSE):
            self.seen.stream_ended = True
        elif kind == _KEXINIT and not self.seen.kexinit:
            self.seen.kexinit = message.asbytes()
        elif kind in (_CHANNEL_REQUEST, _DISCONNECT):
            self._note(kind, message)
        return kind, message

    def _note(self, kind: int, message: paramiko.Message) -> None:
        """Keep a disconnect's reason (RFC 4253 §11.1) and the signal that ended a command (RFC 4254 §6.10)."""
        copy = paramiko.Message(message.asbytes())
        copy.get_int()
        if kind == _DISCONNECT:
            self.seen.disconnect = _text(copy.get_binary())
        elif copy.get_binary() == b"exit-signal":
            copy.get_boolean()
            self.seen.signal = _text(copy.get_binary()) or "unknown"


def _text(data: bytes) -> str:
    return escape(data[:400].decode("utf-8", "surrogateescape"), 200)


class Engine(paramiko.Transport):
    """One SSH connection: modern algorithms only, host key types in the order `stored`, then every other."""

    def __init__(self, wire: Wire, stored: Sequence[str]) -> None:
        super().__init__(wire, packetizer_class=BoundedPacketizer)  # type: ignore[arg-type]  # see BoundedPacketizer
        self.name = "netaudit-ssh"
        self.local_version = VERSION
        # Limits on a clock that can be set: the deadlines and the watchdog take their place.
        self.auth_timeout = self.channel_timeout = self.clear_to_send_timeout = _NEVER_S
        options = self.get_security_options()
        options.ciphers = CIPHERS
        options.digests = MACS
        options.kex = tuple(name for name in KEX if name in options.kex)
        options.key_types = order_host_keys(stored)

    @property
    def seen(self) -> Observations:
        packetizer = self.packetizer
        assert isinstance(packetizer, BoundedPacketizer)  # noqa: S101  # the constructor asked for it
        return packetizer.seen


def order_host_keys(stored: Sequence[str]) -> tuple[str, ...]:
    """Return the host key algorithms to offer: those of the stored keys first, so that no other key is shown."""
    wanted: list[str] = []
    for key_type in stored:
        wanted += ["rsa-sha2-512", "rsa-sha2-256"] if key_type == "ssh-rsa" else [key_type]
    known = [name for name in dict.fromkeys(wanted) if name in HOST_KEYS]
    return (*known, *(name for name in HOST_KEYS if name not in known))


@dataclass(frozen=True, slots=True)
class Offer:
    """The algorithm lists of one side's SSH_MSG_KEXINIT (RFC 4253 §7.1) that have to agree."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


def read_offer(kexinit: bytes) -> Offer:
    """Decode what a server offers: total, whatever the bytes are."""
    message = paramiko.Message(kexinit)
    message.get_bytes(16)
    lists = [tuple(_names(message.get_binary())) for _ in range(6)]
    return Offer(kex=lists[0], host_keys=lists[1], ciphers=lists[3], macs=lists[5])


def _names(data: bytes) -> list[str]:
    return [escape(name, 80) for name in data[:4096].decode("ascii", "replace").split(",")[:64] if name]


def agree(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    """Return the algorithm both sides will use: the first of the client's that the server has (RFC 4253 §7.1)."""
    return next((name for name in ours if name in theirs), None)


def explain_disagreement(offer: Offer, host_keys: Sequence[str]) -> str:
    """Return the first kind of algorithm on which nothing is common, both lists named; '' when all agree."""
    kinds = (
        ("key exchange", KEX, tuple(name for name in offer.kex if not name.startswith(("ext-info-", "kex-strict-")))),
        ("host key", tuple(host_keys), offer.host_keys),
        ("cipher", CIPHERS, offer.ciphers),
        ("MAC", MACS, offer.macs),
    )
    for kind, ours, theirs in kinds:
        if agree(ours, theirs) is None:
            return f"no common {kind}: the server offers {', '.join(theirs) or 'none'}; we use {', '.join(ours)}"
    return ""


def quiet_paramiko() -> None:
    """Keep paramiko's log, which quotes what servers send, away from the terminal."""
    logger = logging.getLogger("paramiko")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
