"""The local transport: the machine that runs netaudit is itself the host. No login, no trust to check.

The script runs under /bin/sh in a session of its own, with a clean environment, and its whole process group is killed
when it is done or out of time.
"""

from collections.abc import Callable
from datetime import datetime
from functools import partial

from auditor.model.host import Host
from auditor.model.transcript import Transcript
from auditor.transport import SHELL, Limits, Script
from auditor.transport.deadline import Deadline
from auditor.transport.loop import blocking
from auditor.transport.process import Drain, end, start, why_cut
from auditor.transport.secret import PasswordPrompt, resolve_secret
from auditor.transport.timeline import step

_ENVIRONMENT = {"LC_ALL": "C", "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}


class LocalTransport:
    """Runs scripts on this machine. Safe to use from several threads."""

    def __init__(self, *, clock: Callable[[], datetime], limits: Limits | None = None) -> None:
        self._clock = clock
        self._limits = limits or Limits()

    def run(self, host: Host, script: Script) -> Transcript:
        """See `Transport.run`."""
        return blocking(partial(self._run, host, script))

    def _run(self, host: Host, script: Script) -> Transcript:
        started_at = self._clock()
        deadline = Deadline(host.timeout)
        password = b"" if host.sudo_password is None else resolve_secret(host.sudo_password).encode("utf-8")
        with step("exec", host) as note:
            shell = start(SHELL.split(), _ENVIRONMENT)
            note(SHELL)
        drain = Drain(shell, script.text, self._limits, PasswordPrompt(script.prompt, password))
        with step("read", host) as note:
            try:
                drain.run(deadline)
            finally:
                status = end(shell, 0.0 if drain.full else deadline.left())
                drain.close()
            note(f"{len(drain.stdout)} bytes")
        return Transcript(
            nonce=script.nonce,
            stdout=bytes(drain.stdout),
            stderr=bytes(drain.stderr),
            exit_status=status if status is not None and status >= 0 else None,
            cut=why_cut(drain, status),
            started_at=started_at,
            finished_at=self._clock(),
        )
