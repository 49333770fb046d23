"""Servers that misbehave, each in one way, on an ephemeral loopback port: the far side of the transport's tests.

`serve(behaviour)` runs one; a behaviour gets an accepted socket and an event that says when to stop. The plain ones
speak bytes; those made by `ssh_server` are real SSH servers (paramiko's) that go wrong after the handshake.
"""

import contextlib
import functools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import paramiko
from paramiko.packet import Packetizer

Behaviour = Callable[[socket.socket, threading.Event], None]
OnExec = Callable[[paramiko.Channel, threading.Event], None]

VERSION = b"SSH-2.0-OpenSSH_9.9\r\n"
USER, PASSWORD = "audit", "correct horse"


@dataclass
class Server:
    """A running hostile server. `accepted` counts its connections."""

    port: int
    accepted: int = 0
    threads: list[threading.Thread] = field(default_factory=list)


@contextlib.contextmanager
def serve(behaviour: Behaviour, address: str = "127.0.0.1") -> Iterator[Server]:
    """Run `behaviour` for every connection to the address until the block ends; then end them all."""
    stop = threading.Event()
    with socket.create_server((address, 0)) as listener:
        listener.settimeout(0.05)
        server = Server(listener.getsockname()[1])

        def converse(conn: socket.socket) -> None:
            with conn, contextlib.suppress(OSError, EOFError, paramiko.SSHException):
                behaviour(conn, stop)

        def accept() -> None:
            while not stop.is_set():
                with contextlib.suppress(TimeoutError):
                    conn, _ = listener.accept()
                    conn.settimeout(0.2)
                    server.accepted += 1
                    thread = threading.Thread(target=converse, args=(conn,), daemon=True)
                    server.threads.append(thread)
                    thread.start()

        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield server
        finally:
            stop.set()
            acceptor.join(5)
            for thread in server.threads:
                thread.join(5)


# -- before the version line


def silent(conn: socket.socket, stop: threading.Event) -> None:
    """Accept and say nothing."""
    stop.wait()


def say(text: bytes) -> Behaviour:
    """Say one thing and close in good order."""

    def behaviour(conn: socket.socket, stop: threading.Event) -> None:
        conn.sendall(text)
        conn.shutdown(socket.SHUT_WR)
        with contextlib.suppress(TimeoutError):
            while conn.recv(4096):
                pass

    return behaviour


def say_and_stay(text: bytes) -> Behaviour:
    """Say one thing and keep the connection open."""

    def behaviour(conn: socket.socket, stop: threading.Event) -> None:
        conn.sendall(text)
        stop.wait()

    return behaviour


def reset(conn: socket.socket, stop: threading.Event) -> None:
    """Close with a RST."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def repeat(chunk: bytes, pause: float = 0.0, first: bytes = b"") -> Behaviour:
    """Send `first` once, then `chunk` for ever with `pause` seconds between."""

    def behaviour(conn: socket.socket, stop: threading.Event) -> None:
        conn.settimeout(0.5)
        conn.sendall(first)
        while not stop.wait(pause) if pause else not stop.is_set():
            with contextlib.suppress(TimeoutError):
                conn.sendall(chunk)

    return behaviour


def busy_then(behaviour: Behaviour, refusals: int) -> Behaviour:
    """Refuse the first connections as sshd does over its MaxStartups, then serve."""
    lock = threading.Lock()
    left = [refusals]

    def both(conn: socket.socket, stop: threading.Event) -> None:
        with lock:
            left[0] -= 1
            refuse = left[0] >= 0
        (say(b"Exceeded MaxStartups\r\n") if refuse else behaviour)(conn, stop)

    return both


# -- between the version line and the login


def packet(payload: bytes) -> bytes:
    """Wrap a payload as an unencrypted SSH packet (RFC 4253 §6)."""
    padding = 8 - (len(payload) + 5) % 8
    padding += 8 if padding < 4 else 0
    return struct.pack(">IB", len(payload) + padding + 1, padding) + payload + bytes(padding)


SHORT_IGNORE = packet(b"\x02" + bytes(4))
IGNORE = packet(b"\x02" + struct.pack(">I", 1000) + bytes(1000))
DEBUG = packet(b"\x04\x00" + struct.pack(">I", 1000) + b"x" * 1000 + struct.pack(">I", 0))
HUGE_PACKET = VERSION + struct.pack(">I", 2**31 - 4) + b"\x04"


def kexinit(*, kex: str = "curve25519-sha256@libssh.org", cipher: str = "aes128-ctr") -> bytes:
    """Return an SSH_MSG_KEXINIT packet that offers these algorithms."""
    names = [kex, "ssh-ed25519", cipher, cipher, "hmac-sha2-256", "hmac-sha2-256", "none", "none", "", ""]
    lists = b"".join(struct.pack(">I", len(name)) + name.encode() for name in names)
    return packet(b"\x14" + bytes(16) + lists + bytes(5))


# -- after the login


@functools.cache
def host_key() -> paramiko.PKey:
    """Return the host key of every SSH server of this module; one per process."""
    return paramiko.ECDSAKey.generate()


def known_hosts_line(port: int) -> str:
    key = host_key()
    return f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n"


@dataclass(frozen=True)
class Manners:
    """How an SSH server behaves after the handshake; the default lets the one user in and runs nothing."""

    on_exec: OnExec | None = None
    exec_answer: bool | None = True  # None: never answer
    open_answer: bool | None = True
    login_answer: int | None = paramiko.common.AUTH_SUCCESSFUL
    methods: str = "password,publickey"
    prompts: tuple[tuple[str, bool], ...] = ()
    first_channel: int = 0


class _Interface(paramiko.ServerInterface):
    def __init__(self, manners: Manners, stop: threading.Event, seen: "Seen") -> None:
        self._manners = manners
        self._stop = stop
        self._seen = seen
        self.threads: list[threading.Thread] = []

    def get_allowed_auths(self, _username: str) -> str:
        return self._manners.methods

    def _login(self, good: bool) -> int:
        if self._manners.login_answer is None:
            self._stop.wait()
            return paramiko.common.AUTH_FAILED
        return self._manners.login_answer if good else paramiko.common.AUTH_FAILED

    def check_auth_password(self, username: str, password: str) -> int:
        self._seen.logins.append(("password", username, password))
        if "password" not in self._manners.methods:
            return paramiko.common.AUTH_FAILED
        return self._login((username, password) == (USER, PASSWORD))

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        self._seen.logins.append(("publickey", username, key.get_name()))
        return self._login(good=True) if "publickey" in self._manners.methods else paramiko.common.AUTH_FAILED

    def check_auth_interactive(self, _username: str, _submethods: str) -> "int | paramiko.server.InteractiveQuery":
        if not self._manners.prompts:
            return paramiko.common.AUTH_FAILED
        return paramiko.server.InteractiveQuery("", "", *self._manners.prompts)

    def check_auth_interactive_response(self, responses: list[str]) -> int:
        self._seen.logins.append(("keyboard-interactive", "", ",".join(responses)))
        return self._login(responses == [PASSWORD])

    def check_channel_request(self, _kind: str, _chanid: int) -> int:
        if self._manners.open_answer is None:
            self._stop.wait()
        return 0 if self._manners.open_answer else 1  # SSH_OPEN_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self._seen.commands.append(command)
        if self._manners.exec_answer is None:
            self._stop.wait()
        if self._manners.exec_answer and self._manners.on_exec is not None:
            thread = threading.Thread(target=self._run, args=(channel,), daemon=True)
            self.threads.append(thread)
            thread.start()
        return bool(self._manners.exec_answer)

    def _run(self, channel: paramiko.Channel) -> None:
        time.sleep(0.05)  # let the answer to the exec request go out first
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
            assert self._manners.on_exec is not None
            self._manners.on_exec(channel, self._stop)


@dataclass
class Seen:
    """What clients tried: (method, user, secret or key type) and commands, in order."""

    logins: list[tuple[str, str, str]] = field(default_factory=list)
    commands: list[bytes] = field(default_factory=list)


class _Timerless(Packetizer):
    """Starts no timer thread, which would outlive the test."""

    def start_handshake(self, _timeout: float) -> None:
        pass


def ssh_server(manners: Manners, seen: Seen | None = None) -> Behaviour:
    """Return a behaviour that is a real SSH server with these manners."""
    record = Seen() if seen is None else seen

    def behaviour(conn: socket.socket, stop: threading.Event) -> None:
        engine = paramiko.Transport(conn, packetizer_class=_Timerless)
        engine.add_server_key(host_key())
        engine._channel_counter = manners.first_channel  # type: ignore[attr-defined]  # where its numbers begin
        interface = _Interface(manners, stop, record)
        try:
            engine.start_server(event=threading.Event(), server=interface)
            while not stop.wait(0.05) and engine.is_alive():
                pass
        finally:
            engine.close()
            engine.join(5)
            for thread in interface.threads:
                thread.join(5)

    return behaviour


def answer(channel: paramiko.Channel, stdout: bytes = b"hello\n", stderr: bytes = b"", status: int | None = 0) -> None:
    """Print, say how it ended, and close in good order."""
    channel.sendall(stdout)
    if stderr:
        channel.sendall_stderr(stderr)
    if status is not None:
        channel.send_exit_status(status)
    channel.shutdown_write()
    channel.close()


def behave_well(channel: paramiko.Channel, stop: threading.Event) -> None:
    answer(channel)


def say_without_end(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print, and then nothing: no EOF, no exit status."""
    channel.sendall(b"hello\n")
    stop.wait()


def print_nothing(channel: paramiko.Channel, stop: threading.Event) -> None:
    stop.wait()


def end_without_status(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print and send EOF, but never an exit status, and do not close."""
    channel.sendall(b"hello\n")
    channel.shutdown_write()
    stop.wait()


def close_without_status(channel: paramiko.Channel, stop: threading.Event) -> None:
    answer(channel, status=None)


def status_without_end(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print and send the exit status, but no EOF."""
    channel.sendall(b"hello\n")
    channel.send_exit_status(0)
    stop.wait()


def end_by_signal(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print, then report death by SIGKILL (RFC 4254 §6.10)."""
    channel.sendall(b"hello\n")
    message = paramiko.Message()
    message.add_byte(bytes([98]))
    message.add_int(channel.remote_chanid)
    message.add_string("exit-signal")
    message.add_boolean(False)
    message.add_string("KILL")
    message.add_boolean(False)
    message.add_string("")
    message.add_string("")
    channel.get_transport()._send_user_message(message)  # type: ignore[attr-defined]  # paramiko has no public way to send it
    channel.shutdown_write()
    channel.close()


def print_for_ever(channel: paramiko.Channel, stop: threading.Event) -> None:
    while not stop.is_set():
        channel.sendall(b"x" * 32768)


def print_past_the_window(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print for ever and faster than the client allows."""
    while not stop.is_set():
        channel.out_window_size = 2**31
        channel.sendall(b"x" * 32768)


def drip(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print a byte now and then, for ever."""
    while not stop.wait(0.2):
        channel.sendall(b"x")


def complain_at_length(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print 3 MB on each output, errors first, as a client that reads only one of them would not survive."""
    channel.sendall_stderr(b"e" * 3_000_000)
    answer(channel, b"o" * 3_000_000)


def complain_for_ever(channel: paramiko.Channel, stop: threading.Event) -> None:
    while not stop.is_set():
        channel.sendall_stderr(b"e" * 32768)


def die_midway(channel: paramiko.Channel, stop: threading.Event) -> None:
    """Print half an answer and drop the connection."""
    channel.sendall(b"half an ans")
    time.sleep(0.1)
    channel.get_transport().sock.close()


def die_at_once(channel: paramiko.Channel, stop: threading.Event) -> None:
    channel.get_transport().sock.close()


def refuse_exec_of_shell(commands: Seen) -> OnExec:
    """Behave as a restricted shell: `exec` fails, `sh` by its plain name works."""

    def on_exec(channel: paramiko.Channel, stop: threading.Event) -> None:
        if commands.commands[-1].startswith(b"exec "):
            answer(channel, b"", b"rbash: line 1: exec: restricted\n", 1)
        else:
            answer(channel, b"from sh\n")

    return on_exec


def unused_port() -> int:
    """Return a port nobody listens on (until somebody else takes it)."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
