"""paramiko, bounded and observed: which algorithms we speak, how much a server may send, and what it said.

Only paramiko's public seams are used: `packetizer_class`, `Packetizer.read_all`, `read_message` and `start_handshake`,
`SecurityOptions`, the lists of what is preferred, and a version line of our own.
"""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import paramiko
from paramiko.kex_curve25519 import KexCurve25519
from paramiko.packet import Packetizer
from paramiko.ssh_exception import PartialAuthentication

from auditor.display import escape
from auditor.transport.deadline import Deadline
from auditor.transport.ssh_algorithms import Algorithms
from auditor.transport.ssh_banner import Greeting
from auditor.transport.ssh_shell import Job, PublicShell, Shell
from auditor.transport.ssh_wire import Wire

VERSION = "SSH-2.0-netaudit"

# Message numbers: RFC 4250 §4.1.2.
_DISCONNECT, _KEXINIT = 1, 20
_CHANNEL_EOF, _CHANNEL_CLOSE, _CHANNEL_REQUEST = 96, 97, 98

_NEVER_S = 1e9
_POLL_S = 0.25
_MOST_PACKET = 257 * 1024
"""OpenSSH never sends more than 256 KiB (PACKET_MAX_SIZE in packet.c)."""
_MOST_BEFORE_LOGIN = 512 * 1024
"""A real handshake and login take some 10 KiB; a flood of IGNORE or DEBUG messages ends here."""
_MESSAGE_COST = 256
"""Bytes that each message counts beside its own: to take one in costs as much as that, were it empty."""


@dataclass(slots=True)
class Observations:
    """What the server was seen to send, beyond what paramiko tells."""

    kexinit: bytes = b""
    disconnect: str = ""
    signal: str = ""
    stream_ended: bool = False
    exhausted: bool = False
    received: int = 0
    budget: int = _MOST_BEFORE_LOGIN
    """How many bytes may come in all, `_MESSAGE_COST` for each message among them: only the reader counts `received`,
    only who lets guests in raises this."""


class BoundedPacketizer(Packetizer):
    """Refuses oversized packets and endless chatter, and notes the messages that paramiko drops."""

    def __init__(self, socket: Wire) -> None:
        super().__init__(socket)  # type: ignore[arg-type]  # any object with recv, send, close and settimeout will do
        self.seen = Observations()

    def start_handshake(self, timeout: float) -> None:
        """Start no timer thread: the key exchange is waited for under a deadline of its own."""

    def charge(self, n: int) -> None:
        """Count `n` bytes that are about to be read. Raises SSHException when they are too many."""
        self.seen.received += n
        if n > _MOST_PACKET:
            raise paramiko.SSHException(f"the server announced a packet of {n} bytes")
        if self.seen.received > self.seen.budget:
            self.seen.exhausted = True
            raise paramiko.SSHException("the server sent more than its share")

    def read_all(self, n: int, check_rekey: bool = False) -> bytes:
        self.charge(n)
        return super().read_all(n, check_rekey)

    def read_message(self) -> tuple[int, paramiko.Message]:
        kind, message = super().read_message()
        self.note(kind, message)
        return kind, message

    def note(self, kind: int, message: paramiko.Message) -> None:
        """Take note of a message, and of what it says that paramiko does not tell."""
        self.seen.received += _MESSAGE_COST
        if kind in (_CHANNEL_EOF, _CHANNEL_CLOSE):
            self.seen.stream_ended = True
        elif kind == _KEXINIT and not self.seen.kexinit:
            self.seen.kexinit = message.asbytes()
        elif kind in (_CHANNEL_REQUEST, _DISCONNECT):
            self._note_reason(kind, message)

    def _note_reason(self, kind: int, message: paramiko.Message) -> None:
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


Prompted = Callable[[str, str, list[tuple[str, bool]]], list[str]]
"""What answers the prompts of keyboard-interactive (RFC 4256 §3.2): title, instructions, (prompt, echoed)… in."""


class Engine(paramiko.Transport):
    """One SSH connection: `algorithms` and no others.

    This one leaves the work to paramiko's own thread, so that several may use the connection at once; `ssh_engine` has
    another, which moves only while somebody waits on it and serves one. Whoever waits for it calls one of the methods
    below that take a deadline.
    """

    packetizer_kind = BoundedPacketizer
    rushed = False
    """Whether a command was sent to the server all at once, and it has not agreed with that yet."""

    # RFC 8731's name for it, which paramiko does not know.
    _kex_info = {**paramiko.Transport._kex_info, "curve25519-sha256": KexCurve25519}  # type: ignore[attr-defined]  # the stubs leave it out

    def __init__(self, wire: Wire, algorithms: Algorithms) -> None:
        super().__init__(wire, packetizer_class=self.packetizer_kind)  # type: ignore[arg-type]  # see BoundedPacketizer
        self._wire = wire
        self.name = "netaudit-ssh"
        self.local_version = VERSION
        # Limits on a clock that can be set: the deadlines and the watchdog take their place.
        self.auth_timeout = self.channel_timeout = self.clear_to_send_timeout = _NEVER_S
        options = self.get_security_options()
        options.ciphers = algorithms.ciphers
        options.digests = algorithms.macs
        options.kex = tuple(name for name in algorithms.kex if name in self._kex_info)
        options.key_types = algorithms.host_keys
        self.algorithms = replace(algorithms, kex=options.kex)

    # What paramiko would filter out of the same lists time and again.

    @property
    def preferred_kex(self) -> tuple[str, ...]:
        return self.algorithms.kex

    @property
    def preferred_ciphers(self) -> tuple[str, ...]:
        return self.algorithms.ciphers

    @property
    def preferred_macs(self) -> tuple[str, ...]:
        return self.algorithms.macs

    @property
    def preferred_keys(self) -> tuple[str, ...]:
        """Offer these host key algorithms only: paramiko adds certificates, and checks none."""
        return self.algorithms.host_keys

    @property
    def seen(self) -> Observations:
        packetizer = self.packetizer
        assert isinstance(packetizer, BoundedPacketizer)  # noqa: S101  # the constructor asked for it
        return packetizer.seen

    def hello(self) -> bytes:
        """Return what to send to the server before it has said anything."""
        return f"{self.local_version}\r\n".encode("ascii")

    def greet(self, greeting: Greeting) -> None:
        """Take what the server sent, up to now."""
        self._wire.replay(self.hello(), greeting.received)
        self._wire.settimeout(_POLL_S)  # from here on paramiko reads

    def exchange_keys(self, deadline: Deadline) -> bool:
        """Exchange keys with the server; return whether it came to an end in time.

        `is_active` then tells whether it was a good end. Raises RuntimeError when no thread can be started.
        """
        done = threading.Event()
        self.start_client(event=done)
        return done.wait(deadline.left())

    def bound(self, deadline: Deadline) -> None:
        """Set the deadline for what takes none: sending, and signing with a key in an agent."""

    def wait(self, event: threading.Event, deadline: Deadline) -> bool:
        """Return when `event` is set, the connection has ended, or the deadline has passed; whether it is set."""
        while not event.wait(deadline.left(_POLL_S)) and self.is_active() and not deadline.passed:
            pass
        return event.is_set()

    def login_answer(self) -> Sequence[str]:
        """Return what the server wants beyond the login it has just answered; nothing: logged in.

        Raises paramiko's exception for a refusal.
        """
        if self.is_authenticated():
            return ()
        error = self.get_exception() or paramiko.AuthenticationException("no answer")
        if isinstance(error, PartialAuthentication):
            return list(error.allowed_types)
        raise error

    def answer_prompts(self, username: str, answer: Prompted, deadline: Deadline) -> Sequence[str]:  # noqa: ARG002  # the watchdog ends it
        """Log in with keyboard-interactive; return and raise as `login_answer`."""
        return self.auth_interactive(username, answer)

    def plan(self, job: Job) -> None:
        """Learn what is going to be started after the login: a driven engine sends it along with the login."""

    def start_shell(self, job: Job, deadline: Deadline) -> Shell:  # noqa: ARG002  # the watchdog ends it
        """Have the server start a command. Raises what paramiko raises when it does not."""
        channel = self.open_session()
        channel.exec_command(job.command)
        return PublicShell(channel, job)


@dataclass(frozen=True, slots=True)
class Offer:
    """The algorithm lists of one side's SSH_MSG_KEXINIT (RFC 4253 §7.1) that have to agree."""

    kex: tuple[str, ...]
    host_keys: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]


def read_offer(kexinit: bytes) -> Offer:
    """Decode what a server offers: total, whatever the bytes are."""
    return _read_lists(kexinit[16:])


@lru_cache(maxsize=32)
def _read_lists(data: bytes) -> Offer:
    """Decode what follows the cookie: the same bytes from every sshd of a kind."""
    message = paramiko.Message(data)
    lists = [tuple(_names(message.get_binary())) for _ in range(6)]
    return Offer(kex=lists[0], host_keys=lists[1], ciphers=lists[3], macs=lists[5])


def _names(data: bytes) -> list[str]:
    return [escape(name, 80) for name in data[:4096].decode("ascii", "replace").split(",")[:64] if name]


def agree(ours: Sequence[str], theirs: Sequence[str]) -> str | None:
    """Return the algorithm both sides will use: the first of the client's that the server has (RFC 4253 §7.1)."""
    return next((name for name in ours if name in theirs), None)


def explain_disagreement(offer: Offer, ours: Algorithms) -> str:
    """Return the first kind of algorithm on which nothing is common, both lists named; '' when all agree."""
    theirs_kex = tuple(name for name in offer.kex if not name.startswith(("ext-info-", "kex-strict-")))
    kinds = (
        ("key exchange", ours.kex, theirs_kex),
        ("host key", ours.host_keys, offer.host_keys),
        ("cipher", ours.ciphers, offer.ciphers),
        ("MAC", ours.macs, offer.macs),
    )
    for kind, mine, theirs in kinds:
        if agree(mine, theirs) is None:
            return f"no common {kind}: the server offers {', '.join(theirs) or 'none'}; we use {', '.join(mine)}"
    return ""


def quiet_paramiko() -> None:
    """Keep paramiko's log, which quotes what servers send, away from the terminal."""
    logger = logging.getLogger("paramiko")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
