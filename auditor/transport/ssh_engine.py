"""paramiko driven as a protocol engine: no thread, no timer, no polling; whoever waits for something reads it himself.

paramiko builds and checks the packets, exchanges the keys and words the logins; this file moves the bytes and says
when. Messages to the server are joined until something is to be read. For that it leans on names of paramiko that are
not public: all are listed in `LEANS_ON`, and `find_obstacle` tells whether this paramiko has them as they were. Where
it has not, the public path (`ssh_protocol.Engine`, paramiko's own threads) takes its place, slower, in the same words.
"""

import inspect
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from math import inf
from typing import Any

import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.packet import Packetizer
from paramiko.ssh_exception import MessageOrderError

from auditor.transport.deadline import Deadline
from auditor.transport.loop import pause
from auditor.transport.ssh_agent import SharedAgentKey
from auditor.transport.ssh_banner import Greeting
from auditor.transport.ssh_driven_login import BoundedKey, DrivenLogin, Service
from auditor.transport.ssh_packets import STATE, DrivenPacketizer
from auditor.transport.ssh_protocol import Engine, Prompted
from auditor.transport.ssh_session import ANSWERS, Session
from auditor.transport.ssh_shell import Job, News, Shell
from auditor.transport.ssh_wire import Lull, Wire

KNOWN_VERSIONS = ("5.1.",)
"""The paramiko releases that this file was read against and tested with."""

LEANS_ON: Mapping[type, Mapping[str, str]] = {
    paramiko.Transport: {
        "_enforce_strict_kex": "self, ptype",
        "_expect_packet": "self, *ptypes",
        "_parse_newkeys": "self, m",
        "_send_kex_init": "self",
        "_send_message": "self, data",
        "_send_user_message": "self, data",
    },
    Packetizer: {
        "_trigger_rekey": "self",
        "close": "self",
        "need_rekey": "self",
        "read_all": "self, n, check_rekey=False",
        "read_message": "self",
        "send_message": "self, data",
        "write_all": "self, out",
    },
    AuthHandler: {
        "_handler_table": "",
        "_parse_service_accept": "self, m",
        "_request_auth": "self",
        "abort": "self",
        "auth_interactive": "self, username, handler, event, submethods=''",
        "auth_password": "self, username, password, event",
        "auth_publickey": "self, username, key, event",
    },
}
"""Class, name, parameters."""

LEANS_ON_STATE = (
    *STATE,
    "_expected_packet",
    "_handler_table",
    "active",
    "agreed_on_strict_kex",
    "auth_handler",
    "clear_to_send",
    "in_kex",
    "initial_kex_done",
    "kex_engine",
    "packetizer",
    "remote_version",
    "saved_exception",
)
"""What a Transport and its Packetizer keep under these names."""

# Message numbers: RFC 4250 §4.1.2.
_DISCONNECT, _IGNORE, _UNIMPLEMENTED, _DEBUG, _KEXINIT = 1, 2, 3, 4, 20
_KEX_ANSWERS = range(30, 42)

_LEAST_LULL_S, _MOST_LULL_S, _BULK = 0.02, 0.25, 16 * 1024
"""A script's output comes in dozens of small pieces, and each wakes a thread here and costs a packet there: until there
are so many bytes they are left alone for a while, to be read together; the longer, the slower the host."""

_LOGIN, _START = Lull(0.1, 89, sure=True), Lull(0.1, 1024, sure=True)
"""While what was sent ahead is answered: a yes to the login alone (88 bytes under AES-GCM) is nothing to wake up for,
but a no is longer; and any audit's answer is longer than so much."""

_AT_ONCE = 32
"""Messages that are taken in before somebody looks at what they brought, which is where its size is bounded; and before
other hosts have their turn: of a flood there are always more."""

_PATIENT_SERVERS = ("SSH-2.0-OpenSSH_", "SSH-2.0-dropbear")
"""Servers whose first channel is number 0, and which answer what they do not expect yet instead of hanging up
(dispatch_protocol_error() in OpenSSH's dispatch.c)."""


class DrivenEngine(Engine):
    """An Engine that moves only while somebody waits on it, in the waiting thread."""

    packetizer_kind = DrivenPacketizer
    packetizer: DrivenPacketizer

    # What is leaned on, for the type checker; see LEANS_ON.
    _enforce_strict_kex: Callable[[int], None]
    _expect_packet: Callable[[int], None]
    _send_kex_init: Callable[[], None]
    _send_message: Callable[[paramiko.Message], None]
    _expected_packet: tuple[int, ...]
    agreed_on_strict_kex: bool
    _handler_table: dict[int, Callable[[paramiko.Message], None]]
    kex_engine: Any

    def __init__(self, wire: Wire, *args: Any, **options: Any) -> None:
        super().__init__(wire, *args, **options)
        self._service = Service()
        self._job: Job | None = None
        self._ahead: Session | None = None  # what was started together with the login
        self._sessions: list[Session] = []
        self._held: list[paramiko.Message] = []

    # -- what every Engine can do

    def hello(self) -> bytes:
        """Return the version line and, RFC 4253 §7.1 allows it, our half of the algorithm negotiation behind it."""
        self.active = True
        self._send_kex_init()
        self._expect_packet(_KEXINIT)
        return super().hello() + self.packetizer.take_outgoing()

    def greet(self, greeting: Greeting) -> None:
        self.remote_version = greeting.version
        self._wire.replay(b"", greeting.rest)

    def exchange_keys(self, deadline: Deadline) -> bool:
        return self.pump(lambda: self.initial_kex_done, deadline) or not self.active

    def bound(self, deadline: Deadline) -> None:
        self.packetizer.limit = deadline

    def wait(self, event: threading.Event, deadline: Deadline) -> bool:
        return self.pump(event.is_set, deadline, lull=_LOGIN if self._ahead else None)

    def plan(self, job: Job) -> None:
        self._job = job

    def auth_publickey(self, username: str, key: paramiko.PKey, event: threading.Event | None = None) -> list[str]:
        bounded = BoundedKey(key, self.packetizer.limit) if isinstance(key, SharedAgentKey) else key
        self._begin_login().auth_publickey(username, bounded, event or threading.Event())
        self._rush()
        return []

    def auth_password(
        self,
        username: str,
        password: str,
        event: threading.Event | None = None,
        fallback: bool = True,  # noqa: ARG002  # paramiko's signature; whoever gives an event falls back himself
    ) -> list[str]:
        # Nothing is sent behind a password: a server that hangs up on what it did not expect would have to be asked
        # again, and a wrong password would count twice.
        self._begin_login().auth_password(username, password, event or threading.Event())
        return []

    def answer_prompts(self, username: str, answer: Prompted, deadline: Deadline) -> Sequence[str]:
        answered = threading.Event()
        self._begin_login().auth_interactive(username, answer, answered)
        self.pump(answered.is_set, deadline)
        return self.login_answer()

    def start_shell(self, job: Job, deadline: Deadline) -> Shell:
        session = self._ahead
        if session is None or session.job != job:
            session = self._begin(job, ahead=job == self._job and not self._sessions and self._is_patient)
        self._settle(session, deadline)
        if session.too_early:
            session = self._begin(job, ahead=False)
            self._settle(session, deadline)
        if not session.started:
            raise session.refusal or self.get_exception() or paramiko.SSHException("Channel closed.")
        self._ahead, self.rushed = None, False
        return DrivenShell(self, session)

    def _settle(self, session: Session, deadline: Deadline) -> None:
        self.pump(lambda: session.settled, deadline, lull=_START if self._ahead else None)

    # -- login and session

    @property
    def _is_patient(self) -> bool:
        return self.remote_version.startswith(_PATIENT_SERVERS)

    def _begin_login(self) -> AuthHandler:
        """Make ready for an attempt. What was sent along with the one before it was for nothing."""
        self._ahead, self.rushed = None, False
        self.take_in()  # it may say which signatures the server takes, RFC 8308
        if not self.active:
            raise self.get_exception() or paramiko.SSHException("No existing session")
        handler = DrivenLogin(self, self._service, early=self._is_patient)
        self.auth_handler = handler
        return handler

    def _rush(self) -> None:
        """Send the job right behind the first key."""
        if self._job is not None and self._is_patient and not self._sessions:
            self._ahead = self._begin(self._job, ahead=True)

    def _begin(self, job: Job, *, ahead: bool) -> Session:
        session = Session(len(self._sessions), job, self._send_user_message)
        self._sessions.append(session)
        if ahead:
            self.rushed = True
            session.rush()
        else:
            session.open()
        return session

    def _log(self, *_: object) -> None:
        """Take no log: nobody reads paramiko's (`quiet_paramiko`), and a connection makes forty lines of it."""

    # -- moving

    def pump(self, done: Callable[[], bool], deadline: Deadline, most: float = inf, lull: Lull | None = None) -> bool:
        """Take in messages until `done`, the deadline, `most` seconds or the end of the connection; return `done`.

        A message that has begun is waited for until the deadline, whatever `most` says: half of one cannot be put back.
        `lull`: see `Wire.receive`.
        """
        packetizer = self.packetizer
        packetizer.limit = deadline
        soft = deadline if most == inf else deadline.within(most)
        taken = 0
        while not done() and self.active and self._advance(soft, lull):
            taken += 1
            if taken % _AT_ONCE == 0:
                pause(0.0)
        return done()

    def take_in(self) -> None:
        """Take in the messages that are here; not all of them, for of a flood there are always more."""
        for _ in range(_AT_ONCE):
            if not self.packetizer.buffered or not self.active:
                return
            self._advance()
        pause(0.0)

    def _advance(self, deadline: Deadline | None = None, lull: Lull | None = None) -> bool:
        """Take in one message; return whether one came before the deadline. (None: it is here, or its beginning.)"""
        try:
            if deadline is not None and not self.packetizer.buffered and not self.packetizer.fill(deadline, lull):
                return False
            self._step()
        except Exception as error:  # noqa: BLE001 - paramiko raises whatever its decoding of hostile bytes hits
            self._end(error)
        return True

    def _end(self, error: Exception | None) -> None:
        """Give the connection up, as paramiko's own thread does at its end."""
        self.saved_exception = error
        self.active = False
        self.packetizer.close()
        if self.auth_handler is not None:
            self.auth_handler.abort()

    def _step(self) -> None:
        """Read one message and hand it to whoever it is for: the order of paramiko's Transport.run."""
        if self.packetizer.need_rekey() and not self.in_kex:
            self._send_kex_init()
        kind, message = self.packetizer.read_message()
        if kind in {_IGNORE, _DEBUG}:
            self._enforce_strict_kex(kind)
        elif kind == _DISCONNECT:
            self._end(None)
        elif self._expected_packet and kind not in self._expected_packet:
            raise self._disorder(kind)
        elif self._expected_packet and kind in _KEX_ANSWERS:
            self._expected_packet = ()
            self.kex_engine.parse_next(kind, message)
        else:
            self._expected_packet = ()
            self._hand_over(kind, message)

    def _disorder(self, kind: int) -> paramiko.SSHException:
        wrong = MessageOrderError if self.agreed_on_strict_kex else paramiko.SSHException
        return wrong(f"Expecting packet from {self._expected_packet!r}, got {kind:d}")

    def _hand_over(self, kind: int, message: paramiko.Message) -> None:
        if kind in ANSWERS:
            self._session_of(message).take(kind, message)
        elif kind in self._handler_table:
            self._handler_table[kind](message)
        elif isinstance(self.auth_handler, DrivenLogin) and kind in self.auth_handler._handler_table:
            self.auth_handler._handler_table[kind](message)
        elif kind == _UNIMPLEMENTED:
            if self._ahead is not None:
                self._ahead.too_early = True
        else:
            self._send_message(paramiko.Message(bytes([_UNIMPLEMENTED]) + message.seqno.to_bytes(4, "big")))

    def _session_of(self, message: paramiko.Message) -> Session:
        number = message.get_int()
        if number >= len(self._sessions):
            raise paramiko.SSHException(f"a message for a channel that was never opened, {number}")
        return self._sessions[number]

    def _send_user_message(self, data: paramiko.Message) -> None:
        """Send a message; while new keys are being exchanged only theirs may go (RFC 4253 §7.1), and it waits."""
        if self.clear_to_send.is_set():
            self._send_message(data)
        else:
            self._held.append(data)

    def _parse_newkeys(self, m: paramiko.Message) -> None:
        super()._parse_newkeys(m)  # type: ignore[misc]  # see LEANS_ON
        held, self._held = self._held, []
        for message in held:
            self._send_message(message)


class DrivenShell:
    """A Shell whose news come when somebody waits for them."""

    def __init__(self, engine: DrivenEngine, session: Session) -> None:
        self._engine = engine
        self._session = session
        self._began = time.monotonic()
        self._lull: Lull | None = None

    @property
    def exit_status(self) -> int | None:
        return self._session.exit_status

    @property
    def ended(self) -> bool:
        return self._session.ended or not self._engine.active

    def feed(self, deadline: Deadline) -> None:
        """Do nothing: the session sends its input as the server makes room for it."""

    def answer(self, line: bytes) -> None:
        self._session.answer(line)

    def look(self) -> News:
        stdout, stderr, over = self._session.look()
        if stdout:
            so_far = time.monotonic() - self._began
            seconds = min(max(_LEAST_LULL_S, so_far / 3), _MOST_LULL_S)
            self._lull = Lull(seconds, _BULK) if len(stdout) < _BULK else None
        return News(stdout, stderr, (over or not self._engine.active) and not stdout and not stderr)

    def wait(self, deadline: Deadline, most: float) -> None:
        self._engine.pump(lambda: self._session.news, deadline, most, self._lull)
        self._engine.take_in()

    def wait_for_end(self, deadline: Deadline, most: float) -> None:
        self._engine.pump(lambda: self._session.ended, deadline, most)

    def close(self) -> None:
        """Close the channel: the server hears of it with whatever is sent next, or by the end of the connection."""
        self._session.close()


@cache
def find_obstacle() -> str:
    """Return why this paramiko cannot be driven; '' when it can."""
    if not paramiko.__version__.startswith(KNOWN_VERSIONS):
        return f"paramiko {paramiko.__version__} is not one of those known here ({', '.join(KNOWN_VERSIONS)}*)"
    for owner, names in LEANS_ON.items():
        for name, parameters in names.items():
            found = getattr(owner, name, None)
            if found is None or (callable(found) and str(inspect.signature(found)) != f"({parameters})"):
                return f"paramiko's {owner.__name__}.{name}({parameters}) is not there, or has changed"
    near, far = socket.socketpair()
    with near, far:
        transport = paramiko.Transport(near)
        state = vars(transport) | vars(transport.packetizer)
    missing = [name for name in LEANS_ON_STATE if name not in state]
    return f"paramiko's Transport keeps no {missing[0]}" if missing else ""
