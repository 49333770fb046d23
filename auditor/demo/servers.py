"""Real SSH servers for the demo: each logs in one key and runs one command, the collector's shell, on a recording.

The only file of the demo that speaks SSH or starts processes. Everything runs on threads of this process, and `close`
leaves none behind, nor a process, nor a descriptor.
"""

import io
import logging
import selectors
import socket
import subprocess
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

import paramiko
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from auditor.demo.keys import write_private
from auditor.demo.recording import Recording
from auditor.transport import SHELL

USER = "audit"
_COMMAND = f"exec {SHELL}".encode()
_SCRIPT_SECONDS = 20.0
_SCRIPT_LIMIT = 1 << 20
_CHUNK = 1 << 15
# What a visitor breaks off is the visitor's to report: paramiko would print a traceback of the server's side too.
_LOG = logging.getLogger("netaudit.demo")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False


@dataclass(frozen=True, slots=True)
class Stand:
    """One server to be: a listening socket, the key it proves itself with, the host it plays."""

    place: socket.socket
    host_key: Ed25519PrivateKey
    recording: Recording


class Servers:
    """SSH servers at their stands, from entering the context to leaving it; `now` is their clock, standing still."""

    def __init__(self, stands: Sequence[Stand], client_key: Ed25519PrivateKey, now: datetime) -> None:
        self._stands = stands
        self._client = _to_paramiko(client_key)
        self._now = now
        self._waker, self._woken = socket.socketpair()
        self._doorman = threading.Thread(target=self._admit, name="demo-doorman")
        self._transports: list[paramiko.Transport] = []
        self._actors: list[threading.Thread] = []

    def __enter__(self) -> Self:
        self._doorman.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._waker.close()
        self._doorman.join()
        self._woken.close()
        for transport in self._transports:
            transport.close()
            transport.packetizer.complete_handshake()  # ends the timer of a handshake that was never finished
            transport.join()
        for actor in self._actors:
            actor.join()

    def _admit(self) -> None:
        """Accept connections at every stand until woken."""
        with selectors.DefaultSelector() as doors:
            doors.register(self._woken, selectors.EVENT_READ)
            for stand in self._stands:
                doors.register(stand.place, selectors.EVENT_READ, stand)
            while True:
                for key, _ in doors.select():
                    if key.data is None:
                        return
                    with suppress(OSError, paramiko.SSHException, EOFError):  # the visitor has gone already
                        self._welcome(key.data)

    def _welcome(self, stand: Stand) -> None:
        visitor, _ = stand.place.accept()
        transport = paramiko.Transport(visitor)
        self._transports.append(transport)
        transport.set_log_channel(_LOG.name)
        transport.local_version = "SSH-2.0-netaudit-demo"
        transport.add_server_key(_to_paramiko(stand.host_key))
        transport.start_server(event=threading.Event(), server=_Door(self._client, self._cast(stand.recording)))

    def _cast(self, recording: Recording) -> Callable[[paramiko.Channel], None]:
        """Return what starts a thread that answers one channel with `recording`."""

        def start(channel: paramiko.Channel) -> None:
            actor = threading.Thread(target=_perform, args=(channel, recording, self._now), name="demo-actor")
            self._actors.append(actor)
            actor.start()

        return start


class _Door(paramiko.ServerInterface):
    """Who may come in, and for what: the holder of one key, for one command."""

    def __init__(self, client: paramiko.PKey, start: Callable[[paramiko.Channel], None]) -> None:
        self._client = client
        self._start = start

    def get_allowed_auths(self, _username: str) -> str:
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = username == USER and key == self._client
        return AUTH_SUCCESSFUL if known else AUTH_FAILED

    def check_channel_request(self, kind: str, _chanid: int) -> int:
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        if command != _COMMAND:
            return False
        self._start(channel)
        return True


def _perform(channel: paramiko.Channel, recording: Recording, now: datetime) -> None:
    """Read a script from `channel`, run it on the recording, send back what it says."""
    with suppress(OSError, EOFError, paramiko.SSHException):  # the visitor has hung up; nobody is left to tell
        script = _read_script(channel)
        if script is not None:
            stdout, stderr, status = _run(recording, script, now)
            channel.sendall(stdout)
            channel.sendall_stderr(stderr)
            channel.send_exit_status(status)
        channel.close()


def _read_script(channel: paramiko.Channel) -> bytes | None:
    """Return everything up to the end of the channel's input, or None when it is too much to be a script."""
    script = bytearray()
    while chunk := channel.recv(_CHUNK):
        script += chunk
        if len(script) > _SCRIPT_LIMIT:
            return None
    return bytes(script)


def _run(recording: Recording, script: bytes, now: datetime) -> tuple[bytes, bytes, int]:
    """Run `script` on the recording; return its output, its complaints and its exit status."""
    try:
        done = subprocess.run(
            SHELL.split(),
            input=recording.play(script, now),
            capture_output=True,
            env=recording.environment(),
            cwd=recording.folder,
            timeout=_SCRIPT_SECONDS,
            check=False,
        )
    except (ValueError, OSError, subprocess.SubprocessError) as error:
        return b"", f"netaudit demo: {error}\n".encode(), 1
    return done.stdout, done.stderr, done.returncode


def _to_paramiko(key: Ed25519PrivateKey) -> paramiko.PKey:
    return paramiko.Ed25519Key.from_private_key(io.StringIO(write_private(key).decode("ascii")))
