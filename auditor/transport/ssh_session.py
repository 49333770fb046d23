"""A session channel of RFC 4254 without paramiko's: messages of the server in, messages to it and a Shell out.

Pure protocol, and no waiting: whoever drives the connection hands in each message as it comes (`take`), and is handed
each message to send. A server whose first channel is known to be number 0 can be sent everything at once (`rush`);
the others are asked step by step, each after the answer to the one before.
"""

import contextlib
from collections.abc import Callable

import paramiko

from auditor.transport.ssh_shell import GONE, Job, News

# Message numbers: RFC 4254 §9.
CHANNEL_OPEN, OPEN_CONFIRMATION, OPEN_FAILURE, WINDOW_ADJUST, DATA, EXTENDED_DATA = 90, 91, 92, 93, 94, 95
EOF, CLOSE, REQUEST, SUCCESS, FAILURE = 96, 97, 98, 99, 100
ANSWERS = frozenset(range(OPEN_CONFIRMATION, FAILURE + 1))
"""The messages that a session takes."""

_WINDOW = 2 * 1024 * 1024
"""How many bytes the server may send ahead of us: more than an ordinary answer, so that it never waits for us."""
_PACKET = 32 * 1024
"""RFC 4253 §6.1: what every side must be able to take; it is also what OpenSSH asks for."""
_HEADERS = 64
_STDERR = 1
_REFUSALS = {1: "administratively prohibited", 2: "connect failed", 3: "unknown channel type", 4: "resource shortage"}


class Session:
    """One command on one channel. `number` is ours; `send` takes the messages for the server, in order."""

    def __init__(self, number: int, job: Job, send: Callable[[paramiko.Message], None]) -> None:
        self.number = number
        self.job = job
        self.exit_status: int | None = None
        self.ended = False  # the server said so, see Shell
        self.over = False  # no more output
        self.started = False  # the command was accepted
        self.refusal: Exception | None = None
        self.too_early = False  # the server did not understand what was sent ahead
        self.news = False  # something came that nobody has looked at
        self._send = send
        self._input = bytearray(job.text)
        self._finish = not job.more
        self._remote = 0  # the server's number for the channel,
        self._open = False  # once it is known, or guessed
        self._room = 0
        self._packet = _PACKET
        self._owed = 0
        self._closed = False
        self._stdout = bytearray()
        self._stderr = bytearray()

    @property
    def settled(self) -> bool:
        """Whether it is known if the command was started."""
        return self.started or self.refusal is not None or self.over or self.too_early

    # -- to the server

    def open(self) -> None:
        """Ask for the channel; the rest follows answer by answer."""
        self._send(_message(CHANNEL_OPEN, "session", self.number, _WINDOW, _PACKET))

    def rush(self) -> None:
        """Ask for the channel and send everything after it, on the guess that the server calls its channel 0.

        What OpenSSH and dropbear do: channels count from 0, and once the exec is taken the window is far larger than
        what is sent here, which is less than any server's largest packet.
        """
        self.open()
        self._open = True
        self._exec()
        self._room = _PACKET
        self._push()
        self._room -= _PACKET

    def answer(self, line: bytes) -> None:
        """Send the last line of the input, and its end; a message that finds nobody is no error."""
        self._input += line
        self._finish = True
        with contextlib.suppress(*GONE):
            self._push()

    def close(self) -> None:
        if self._open and not self._closed:
            self._closed = True
            with contextlib.suppress(*GONE):
                self._send(_message(CLOSE, self._remote))

    def _exec(self) -> None:
        self._send(_message(REQUEST, self._remote, "exec", True, self.job.command))

    def _push(self) -> None:
        """Send as much of the input as there is room for, and its end after it."""
        while self._input and self._room > 0 and not self._closed:
            size = min(self._room, self._packet - _HEADERS)
            self._send(_message(DATA, self._remote, bytes(self._input[:size])))
            self._room -= min(size, len(self._input))
            del self._input[:size]
        if not self._input and self._finish and not self._closed:
            self._finish = False
            self._send(_message(EOF, self._remote))

    # -- from the server

    def take(self, kind: int, message: paramiko.Message) -> None:
        """Take one message for this channel, whose number has been read already."""
        if kind == DATA:
            self._receive(self._stdout, message.get_binary())
        elif kind == EXTENDED_DATA:
            code, data = message.get_int(), message.get_binary()
            self._receive(self._stderr if code == _STDERR else bytearray(), data)
        elif kind == WINDOW_ADJUST:
            self._room += message.get_int()
            if self.started:
                self._push()
        elif kind == REQUEST:
            self._take_request(message)
        elif kind in {EOF, CLOSE}:
            self.over = self.news = True
            self.ended = self.ended or kind == CLOSE
        else:
            self._take_answer(kind, message)

    def _take_answer(self, kind: int, message: paramiko.Message) -> None:
        """Take what the server says to our opening and exec."""
        if kind == OPEN_CONFIRMATION:
            remote, room, packet = message.get_int(), message.get_int(), message.get_int()
            if self._open and remote != self._remote:
                raise WrongGuessError(f"the server calls its channel {remote}")
            self._remote = remote
            self._room += room
            self._packet = max(_HEADERS + 1, min(packet, _PACKET))
            if not self._open:
                self._open = True
                self._exec()
        elif kind == OPEN_FAILURE:
            code = message.get_int()
            self.refusal = paramiko.ChannelException(code, _REFUSALS.get(code, "unknown reason"))
        elif kind == FAILURE:
            self.refusal = self.refusal or paramiko.SSHException("Channel closed.")
        elif not self.started:
            self.started = True
            self._push()

    def _take_request(self, message: paramiko.Message) -> None:
        """Take the exit status or the signal (RFC 4254 §6.10); whatever else the server asks for is refused."""
        what, wants_answer = message.get_binary(), message.get_boolean()
        if what == b"exit-status":
            self.exit_status = message.get_int()
        if what in {b"exit-status", b"exit-signal"}:
            self.ended = self.news = True
        if wants_answer and self._open:
            self._send(_message(FAILURE, self._remote))

    def _receive(self, into: bytearray, data: bytes) -> None:
        """Keep output, and let the server send more when it has used a good part of its window."""
        into += data
        self.news = True
        self._owed += len(data)
        if self._owed > _WINDOW // 4 and self._open and not self._closed:
            self._send(_message(WINDOW_ADJUST, self._remote, self._owed))
            self._owed = 0

    def look(self) -> News:
        """Take the output that came since the last look."""
        self.news = False
        news = News(bytes(self._stdout), bytes(self._stderr), self.over)
        self._stdout.clear()
        self._stderr.clear()
        return news


class WrongGuessError(paramiko.SSHException):
    """The server numbers its channels in another way than `rush` assumed."""


def _message(kind: int, *fields: bool | int | str | bytes) -> paramiko.Message:
    message = paramiko.Message()
    message.add_byte(bytes([kind]))
    for value in fields:
        if isinstance(value, bool):
            message.add_boolean(value)
        elif isinstance(value, int):
            message.add_int(value)
        else:
            message.add_string(value)
    return message
