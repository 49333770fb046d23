"""A ProxyCommand in, a stream to the host through it out (ssh_config(5)).

As in OpenSSH (`ssh_proxy_connect` in sshconnect.c) the user's shell runs `exec COMMAND`, and what the command reads and
writes is the connection. Here it gets a process group of its own, which is killed when the host is done with, so that
nothing it starts is left behind. It has no terminal to ask anybody anything.
"""

import contextlib
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable

from auditor.display import escape
from auditor.errors import TransportError

_MOST_ERRORS = 64 * 1024
_SHOWN = 300
_END_S = 0.5
"""How long to wait for a command whose stream has ended, so that its exit status and its complaints can be told."""


class Proxies:
    """The ProxyCommands that run. Safe to use from several threads; `close` it at the end."""

    def __init__(self) -> None:
        self._running: set[Proxy] = set()
        self._lock = threading.Lock()

    def start(self, command: str) -> "Proxy":
        """Start `command`, tokens already expanded. Raises TransportError (tcp, proxy-failed)."""
        proxy = Proxy(command, self._forget)
        with self._lock:
            self._running.add(proxy)
        return proxy

    def close(self) -> None:
        """Kill those that are left: a run that was interrupted leaves some."""
        with self._lock:
            left = list(self._running)
        for proxy in left:
            proxy.kill()

    def _forget(self, proxy: "Proxy") -> None:
        with self._lock:
            self._running.discard(proxy)


class Proxy:
    """A running ProxyCommand; `stream` is our end of the connection. Belongs to one host, and is closed by it."""

    def __init__(self, command: str, forget: Callable[["Proxy"], None]) -> None:
        self.command = command
        self._forget = forget
        shell = os.environ.get("SHELL") or "/bin/sh"
        self.stream, theirs = socket.socketpair()
        try:
            self._process = subprocess.Popen(
                [shell, "-c", f"exec {command}"],
                stdin=theirs.fileno(),
                stdout=theirs.fileno(),
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            self.stream.close()
            message = f"the ProxyCommand could not be started: {shell}: {error.strerror}"
            raise TransportError("tcp", "proxy-failed", message, "it is run by $SHELL: check that it exists") from error
        finally:
            theirs.close()

    def explain(self, error: TransportError) -> TransportError:
        """Return what to say instead of `error` when the command brought no answer at all: it is the likelier cause."""
        if error.code not in {"closed-before-banner", "banner-timeout"}:
            return error
        status = self._wait(_END_S if error.code == "closed-before-banner" else 0.0)
        ended = f"ended with status {status}" if status is not None else "brought no answer"
        said = self._read_errors()
        message = f"the ProxyCommand {ended}: {escape(self.command, 200)}"
        hint = "run it by hand: a server's version line, SSH-2.0-…, must come out of it"
        return TransportError("tcp", "proxy-failed", f'{message}; it says "{said}"' if said else message, hint)

    def close(self) -> None:
        """Let go of the command, and leave nothing of it behind."""
        self.stream.close()
        self.kill()
        self._forget(self)
        with contextlib.suppress(subprocess.TimeoutExpired):  # only now, so that the group's number was not used again
            self._process.wait(_END_S)
        if self._process.stderr is not None:
            self._process.stderr.close()

    def kill(self) -> None:
        """Kill the command and whatever it has started in its group."""
        if self._process.returncode is None:  # else its number may be another's by now
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def _wait(self, seconds: float) -> int | None:
        """Return the exit status (128 and more: a signal), or None when the command goes on without its stream."""
        end = time.monotonic() + seconds
        while True:
            ended = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            if ended is not None:
                return ended.si_status + (0 if ended.si_code == os.CLD_EXITED else 128)
            if time.monotonic() >= end:
                return None
            time.sleep(0.01)

    def _read_errors(self) -> str:
        """Return the end of what the command wrote to its standard error so far: the pipe holds no more than 64 KiB."""
        pipe = self._process.stderr
        if pipe is None:
            return ""
        os.set_blocking(pipe.fileno(), False)
        with contextlib.suppress(BlockingIOError):
            data = os.read(pipe.fileno(), _MOST_ERRORS)
            return escape(" ".join(data.decode("utf-8", "surrogateescape").split())[-_SHOWN:], _SHOWN)
        return ""
