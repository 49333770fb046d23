"""`transport: openssh`: the system's own ssh in place of paramiko, for what only it can do (Kerberos, FIDO keys…).

The same script, framing, bounds and codes. ssh reads its configuration itself, jump hosts included; what decides about
trust and safety is on its command line, where no configuration reaches: host keys, no forwarding, no terminal, no
questions. It is run by its argument list, never by a shell, and `--` stands before the host's name.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path

from auditor.errors import PHASES, Phase, TransportError
from auditor.model.host import Host
from auditor.model.transcript import Session, Transcript
from auditor.transport import SHELL, Limits, Script
from auditor.transport.deadline import Deadline
from auditor.transport.host_keys import HostKeys, effective_policy
from auditor.transport.loop import blocking
from auditor.transport.openssh_log import describe_session, explain_end, explain_timeout, has_session, read_log
from auditor.transport.process import Drain, end, start, why_cut
from auditor.transport.secret import PasswordPrompt, resolve_secret
from auditor.transport.timeline import step

_CONNECT_S = 10.0
_MOST_RETRIES = 3
_END_S = 2.0
_SSH_FAILED = 255
"""ssh(1), EXIT STATUS."""
_COMMANDS = (f"exec {SHELL}", "sh -s")

_SETTINGS = (
    "BatchMode=yes",
    "ClearAllForwardings=yes",
    "ControlMaster=no",
    "ControlPath=none",
    "ForwardAgent=no",
    "ForwardX11=no",
    "HashKnownHosts=no",
    "LogLevel=DEBUG1",
    "PermitLocalCommand=no",
    "RemoteCommand=none",
    "RequestTTY=no",
    "Tunnel=no",
    "UpdateHostKeys=no",
)
"""ssh_config(5); what stands on the command line wins over every file."""


class OpenSshTransport:
    """Runs scripts through ssh(1). Safe to use from several threads.

    `config` is the ssh_config to read; None: where ssh looks for it, `none`: none.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        jump_hosts: Mapping[str, Host] | None = None,
        host_keys: HostKeys | None = None,
        config: str | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._clock = clock
        self._jump_hosts = jump_hosts or {}
        self._host_keys = host_keys or HostKeys()
        self._config = () if config is None else ("-F", _find_config(config))
        self._limits = limits or Limits()

    def run(self, host: Host, script: Script) -> Transcript:
        """See `Transport.run`."""
        return blocking(partial(self._run, host, script))

    def _run(self, host: Host, script: Script) -> Transcript:
        deadline = Deadline(host.timeout)
        secret = b"" if host.sudo_password is None else resolve_secret(host.sudo_password).encode("utf-8")
        for attempt in range(_MOST_RETRIES + 1):
            try:
                transcript = self._try(host, script, secret, deadline)
            except TransportError as error:
                pause = 2.0**attempt
                if error.code != "throttled" or attempt == _MOST_RETRIES or pause >= deadline.left():
                    raise
                time.sleep(pause)
            else:
                return transcript
        raise AssertionError("unreachable")

    def _try(self, host: Host, script: Script, secret: bytes, deadline: Deadline) -> Transcript:
        transcript = self._converse(host, script, _COMMANDS[0], secret, deadline)
        # A restricted shell (bash(1), RESTRICTED SHELL) forbids exec, but finds sh by its name.
        if transcript.cut or b"restricted" not in transcript.stderr or script.nonce.encode() in transcript.stdout:
            return transcript
        return self._converse(host, script, _COMMANDS[1], secret, deadline)

    def _converse(self, host: Host, script: Script, command: str, secret: bytes, deadline: Deadline) -> Transcript:
        """Run ssh once. Raises TransportError when the script printed nothing because ssh failed."""
        started_at = self._clock()
        ignored = self._host_keys.policy == "ignored"  # then nobody looks whom a password would go to
        prompt = PasswordPrompt(script.prompt, b"" if ignored else secret)
        with _open_log() as (path, log):
            words = ["ssh", *self._config, "-E", path, *build_arguments(host, self._settings(host)), command]
            with step("tcp", host) as note:
                note("all steps are taken by the system's ssh")
                shell = start(words, _environment())
                drain = Drain(shell, script.text, self._limits, prompt, log)
                try:
                    drain.run(deadline)
                finally:
                    status = end(shell, 0.0 if drain.full else deadline.left(_END_S))
                    drain.read_log()
                    drain.close()
        account = read_log(bytes(drain.log))
        session = describe_session(account, ignored=ignored, accepted=str(self._host_keys.accepted.path))
        error = None
        if not drain.stdout and status is None and not drain.full:
            error = explain_timeout(account, deadline.seconds)
        elif not drain.stdout and (status == _SSH_FAILED or not has_session(account)):
            error = explain_end(account, bytes(drain.stderr))
        _tell_steps(host, session, error)
        return Transcript(
            nonce=script.nonce,
            stdout=bytes(drain.stdout),
            stderr=bytes(drain.stderr),
            exit_status=status if status is not None and 0 <= status < _SSH_FAILED else None,
            cut="lost" if status == _SSH_FAILED and not drain.full else why_cut(drain, status),
            started_at=started_at,
            finished_at=self._clock(),
            session=session,
        )

    def _settings(self, host: Host) -> list[str]:
        """Return what is said about trust, and the way to the host."""
        files = " ".join(_quote(str(Path(path).absolute())) for path in host.known_hosts)
        settings = [f"ConnectTimeout={max(1, round(host.ssh.connect_timeout or _CONNECT_S))}"]
        policy = effective_policy(host, self._host_keys.policy)
        theirs = files or "~/.ssh/known_hosts ~/.ssh/known_hosts2"
        if policy == "ignored":  # the first file is the one that ssh writes to
            settings += ["StrictHostKeyChecking=no", f"UserKnownHostsFile={os.devnull} {theirs}"]
        elif policy == "accept-new":
            path = self._host_keys.accepted.path
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.touch(mode=0o600)  # ssh would let everybody read it
            mine = _quote(str(path))
            settings += ["StrictHostKeyChecking=accept-new", f"UserKnownHostsFile={mine} {theirs}"]
        else:
            settings += ["StrictHostKeyChecking=yes", *([f"UserKnownHostsFile={files}"] if files else [])]
        settings += ["GlobalKnownHostsFile=none"] if files else []
        jumps = [_spell_jump(name, self._jump_hosts) for name in host.jump]
        return [*settings, f"ProxyJump={','.join(jumps)}"] if jumps else settings


def _tell_steps(host: Host, session: Session, error: TransportError | None) -> None:
    """Tell whoever watches of the steps that only ssh saw, after they were taken. Raises `error`, in its own step."""
    notes: Mapping[Phase, str | None] = {
        "banner": session.server_version,
        "kex": f"{session.kex}, {session.cipher}",
        "hostkey": f"{session.host_key}, {session.host_key_trust}",
        "auth": "as ssh is configured",
    }
    reached = PHASES if error is None else PHASES[: PHASES.index(error.phase) + 1]
    for phase in reached[2:]:
        with step(phase, host) as note:
            if error is not None and error.phase == phase:
                raise error
            if notes.get(phase):
                note(str(notes[phase]))
    if error is not None:
        raise error


def build_arguments(host: Host, settings: Sequence[str]) -> list[str]:
    """Return the arguments that reach `host`; what the inventory leaves open is ssh's to find out.

    Raises TransportError (auth) for what ssh cannot be given.
    """
    if host.password is not None or host.passphrase is not None:
        hint = "use a key, an agent or Kerberos: ssh takes passwords only from a terminal or SSH_ASKPASS"
        raise TransportError("auth", "password-unsupported", "transport: openssh takes no password or passphrase", hint)
    words = ["-T", "-a", "-x"]
    if "port" in host.model_fields_set:
        words += ["-p", str(host.port)]
    if host.user is not None:
        words += ["-l", host.user]
    for path in host.identity:
        words += ["-i", str(Path(path).absolute()).replace("%", "%%")]
    named = [f"HostName={host.address.replace('%', '%%')}"] if "address" in host.model_fields_set else []
    for setting in (*_SETTINGS, *named, *settings):
        words += ["-o", setting]
    return [*words, "--", host.name]


def _spell_jump(name: str, jump_hosts: Mapping[str, Host]) -> str:
    """Return a jump host of the inventory as ProxyJump takes it; its keys are those of ssh's own configuration."""
    jump = jump_hosts.get(name)
    if jump is None:
        return name
    address = f"[{jump.address}]" if ":" in jump.address else jump.address
    user = f"{jump.user}@" if jump.user else ""
    return f"{user}{address}:{jump.port}" if "port" in jump.model_fields_set else f"{user}{address}"


def _find_config(config: str) -> str:
    """Return what -F takes: ssh is run in another folder than ours, and `none` names no file (ssh(1))."""
    return config if config.lower() == "none" else str(Path(config).expanduser().absolute())


def _quote(path: str) -> str:
    """Return a path as one word of ssh_config. Raises TransportError (hostkey): ssh has no word for a quote in it."""
    if '"' in path:
        message = f"ssh cannot be given the path {path}, which has a quote in it"
        raise TransportError("hostkey", "known-hosts-unreadable", message, "rename the file")
    return '"' + path.replace("%", "%%") + '"'


def _environment() -> dict[str, str]:
    """Return ours, with messages in English, and nothing that could pop up and ask."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SSH_ASKPASS", "LC_"))}
    return {**kept, "LC_ALL": "C"}


@contextmanager
def _open_log() -> Iterator[tuple[str, int]]:
    """Yield a pipe with a name for ssh to log to, and the end to read it from."""
    folder = tempfile.mkdtemp(prefix="netaudit-")
    path = Path(folder) / "log"
    try:
        os.mkfifo(path, 0o600)
        descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)  # for writing too: so it has no end before ssh opens it
        try:
            yield str(path), descriptor
        finally:
            os.close(descriptor)
    finally:
        with suppress(OSError):
            shutil.rmtree(folder)
