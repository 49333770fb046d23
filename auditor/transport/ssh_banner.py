"""A fresh stream in, the server's version line out: the greeting of RFC 4253 §4.2, read under one total deadline.

paramiko's own reading has a timeout per read and no bound on what it keeps, so it only gets to see a version line that
was already found. What came instead of one says why: sshd's own refusals (MaxStartups, penalties) are plain text here.
"""

from contextlib import suppress
from dataclasses import dataclass

from auditor.display import escape
from auditor.errors import TransportError
from auditor.transport.deadline import Deadline
from auditor.transport.ssh_wire import Lull, Wire

_MOST_BYTES = 8 * 1024
_MOST_LINES = 50
_SHOWN = 120
_WITH_KEY_LIST = Lull(0.25, 128, sure=True)
"""The server's key list follows its version line, and is longer than that: they are read together."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """The version line as sent, without its line end, and everything from its first byte on."""

    version: str
    received: bytes

    @property
    def rest(self) -> bytes:
        """What came after the version line."""
        return self.received.partition(b"\n")[2]


def exchange_versions(wire: Wire, ours: bytes, deadline: Deadline) -> Greeting:
    """Send our version line and wait for the server's. Raises TransportError (banner).

    `ours` begins with it and goes out first: some servers wait for it, and it saves a round trip.
    """
    received = b""
    ended = False
    try:
        with suppress(OSError, EOFError):  # whoever has hung up already may have said why
            wire.send_all(ours, deadline)
        while not ended and not deadline.passed:
            chunk = wire.receive(deadline, _WITH_KEY_LIST)
            ended = chunk == b""
            received += chunk or b""
            if (greeting := find_version(received)) is not None:
                return greeting
    except (OSError, EOFError):
        ended = True
    # At the host's deadline the watchdog ends the stream; that is no word from the server.
    raise _explain_silence(received, ended and not deadline.passed, deadline)


def find_version(received: bytes) -> Greeting | None:
    """Return the greeting once its line is complete, None while more is needed.

    Raises TransportError (banner) for anything that cannot become one.
    """
    start = 0
    for _ in range(_MOST_LINES):
        end = received.find(b"\n", start)
        if end < 0:
            if len(received) - start > _MOST_BYTES:
                raise _not_ssh(received)
            return None
        line = received[start:end].removesuffix(b"\r")
        if line.startswith(b"SSH-"):
            return Greeting(_check_version(line, received), received[start:])
        if end > _MOST_BYTES or line.startswith(b"HTTP/"):
            raise _not_ssh(received)
        start = end + 1
    raise _not_ssh(received)


def _check_version(line: bytes, received: bytes) -> str:
    version = line.decode("latin-1")
    if len(line) > 255 or not line.isascii() or not version.isprintable():
        raise _not_ssh(received)
    if version.startswith(("SSH-2.0-", "SSH-1.99-")):
        return version
    if version.startswith("SSH-1."):
        raise TransportError(
            "banner",
            "ssh1",
            f"the server speaks only SSH protocol 1 ({escape(version, _SHOWN)})",
            "protocol 1 is broken and not supported: upgrade the server",
        )
    raise _not_ssh(received)


def _explain_silence(received: bytes, ended: bool, deadline: Deadline) -> TransportError:
    """Return why no version line came: the stream `ended`, or the time is up."""
    if b"Exceeded MaxStartups" in received:
        return TransportError(
            "banner",
            "throttled",
            "the server has too many logins in progress (Exceeded MaxStartups)",
            "run with fewer jobs, or raise MaxStartups in its sshd_config",
        )
    if b"Not allowed at this time" in received:
        return TransportError(
            "banner",
            "penalised",
            "the server refuses this machine for a while after earlier failures (Not allowed at this time)",
            "wait ten minutes, or exempt this machine in PerSourcePenaltyExemptList",
        )
    if received:
        return _not_ssh(received)
    if ended:
        return TransportError(
            "banner",
            "closed-before-banner",
            "the server closed the connection before saying anything",
            "a firewall, tcp wrappers or a full sshd does this: look at the server's log",
        )
    return TransportError(
        "banner",
        "banner-timeout",
        f"connected, but the server sent nothing within {deadline.seconds:.3g} s",
        "is it an SSH port? If so, its sshd hangs",
    )


def _not_ssh(received: bytes) -> TransportError:
    first = received[: 4 * _SHOWN].split(b"\n", 1)[0].decode("utf-8", "surrogateescape").strip("\r")
    return TransportError(
        "banner",
        "not-ssh",
        f'the server is no SSH server; it sent "{escape(first, _SHOWN)}"',
        "check the port in the inventory",
    )
