"""The ssh transport against real OpenSSH servers; what was tried is read from their logs."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import TransportError
from auditor.model.host import SecretRef
from auditor.transport import MEBIBYTE, Limits, Script
from auditor.transport.ssh import SshTransport
from tests.builders import NOW
from tests.requirements import require
from tests.servers.sshd import HOST_KEY_TYPES, Sshd, make_key, run_sshd
from tests.transport.conftest import SCRIPT

pytestmark = pytest.mark.usefixtures("nothing_left_behind", "engine")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with run_sshd(tmp_path / "sshd", host_keys=HOST_KEY_TYPES) as server:
        yield server


def script(text: str) -> Script:
    return Script(SCRIPT.nonce, f"{{ {text}\n}}\n".encode())


def fail(transport: SshTransport, sshd: Sshd, **fields: Any) -> TransportError:
    with pytest.raises(TransportError) as failure:
        transport.run(sshd.host(**fields), SCRIPT)
    return failure.value


def test_script_runs_and_the_session_is_told(transport: SshTransport, sshd: Sshd) -> None:
    """The fingerprint is the one ssh-keygen prints, the rest what the server logged."""
    transcript = transport.run(sshd.host(), script("echo out; echo err >&2; exit 3"))
    assert (transcript.stdout, transcript.stderr) == (b"out\n", b"err\n")
    assert (transcript.exit_status, transcript.cut, transcript.nonce) == (3, None, SCRIPT.nonce)
    assert (transcript.started_at, transcript.finished_at) == (NOW, NOW)
    listed = subprocess.run(
        ["ssh-keygen", "-l", "-f", sshd.directory / "host_ed25519.pub"], check=True, capture_output=True, text=True
    ).stdout
    assert transcript.session.host_key == f"ssh-ed25519 {listed.split()[1]}"
    assert transcript.session.address == "127.0.0.1"
    assert transcript.session.kex in {"mlkem768x25519-sha256", "curve25519-sha256@libssh.org"}
    assert transcript.session.cipher == "aes128-gcm@openssh.com"
    assert (transcript.session.server_version or "").startswith("SSH-2.0-OpenSSH_")
    assert sshd.login_attempts() == 1


def test_script_has_no_terminal_and_its_own_words_only(transport: SshTransport, sshd: Sshd) -> None:
    """No terminal, and the script is in no process's arguments."""
    told = transport.run(sshd.host(), script("tty; cat /proc/$$/cmdline | tr '\\0' ' '"))
    assert told.stdout == b"not a tty\n/bin/sh -s "


def test_unknown_host_key(transport: SshTransport, sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    error = fail(transport, sshd)
    assert (error.phase, error.code) == ("hostkey", "hostkey-unknown")
    assert f"ssh-keyscan -p {sshd.port} -t ed25519 127.0.0.1" in error.hint
    assert sshd.wait_for_close()
    assert sshd.login_attempts() == 0


def test_changed_host_key(transport: SshTransport, sshd: Sshd, tmp_path: Path) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    error = fail(transport, sshd)
    assert (error.phase, error.code) == ("hostkey", "hostkey-mismatch")
    assert f"{sshd.known_hosts}:1" in error.message
    assert error.message.count("SHA256:") == 2
    assert sshd.wait_for_close()
    assert sshd.login_attempts() == 0


def test_revoked_host_key(transport: SshTransport, sshd: Sshd) -> None:
    """A revocation wins over a line that trusts the same key."""
    with sshd.known_hosts.open("a") as file:
        file.write(f"@revoked * {sshd.public_key()}\n")
    error = fail(transport, sshd)
    assert (error.phase, error.code) == ("hostkey", "hostkey-revoked")
    assert sshd.wait_for_close()
    assert sshd.login_attempts() == 0


def test_authority_vouches_for_certificates_only(transport: SshTransport, sshd: Sshd) -> None:
    sshd.known_hosts.write_text(f"@cert-authority * {sshd.public_key()}\n")
    error = fail(transport, sshd)
    assert (error.phase, error.code) == ("hostkey", "hostkey-unknown")
    assert sshd.wait_for_close()
    assert sshd.login_attempts() == 0


def test_known_hosts_file_that_is_missing(transport: SshTransport, sshd: Sshd) -> None:
    error = fail(transport, sshd, known_hosts=("/nonexistent/known_hosts",))
    assert (error.phase, error.code) == ("hostkey", "known-hosts-unreadable")


@pytest.mark.parametrize("key_type", HOST_KEY_TYPES)
def test_server_is_asked_for_the_key_that_is_known(transport: SshTransport, sshd: Sshd, key_type: str) -> None:
    """A server with three keys shows the stored one: no false alarm."""
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {sshd.public_key(key_type)}\n")
    transcript = transport.run(sshd.host(), SCRIPT)
    assert (transcript.session.host_key or "").split()[0] == sshd.public_key(key_type).split()[0]


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("container", ["openssh", "pem", "encrypted"])
def test_key_files(
    transport: SshTransport, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key_type: str, container: str
) -> None:
    monkeypatch.setenv("NETAUDIT_TEST_PASSPHRASE", "pass phräse")
    phrase = "pass phräse" if container == "encrypted" else ""
    options = ("-m", "PEM") if container == "pem" else ("-a", "4")
    key = make_key(tmp_path / "user_key", key_type, phrase, *options)
    (sshd.directory / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
    host = sshd.host(identity=(str(key),), passphrase=SecretRef(source="env", name="NETAUDIT_TEST_PASSPHRASE"))
    assert transport.run(host, SCRIPT).stdout == b"hello\n"
    assert sshd.login_attempts() == 1


def test_user_certificate_beside_the_key(transport: SshTransport, tmp_path: Path) -> None:
    authority, key = make_key(tmp_path / "ca"), make_key(tmp_path / "user")
    with run_sshd(tmp_path / "sshd", [f"TrustedUserCAKeys {authority}.pub"]) as sshd:
        sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "test", "-n", sshd.user, "-V", "+1h", f"{key}.pub"]
        subprocess.run(sign, check=True)
        assert transport.run(sshd.host(identity=(str(key),)), SCRIPT).stdout == b"hello\n"
        assert "ED25519-CERT" in sshd.log_text()


def test_refused_key_is_tried_once(transport: SshTransport, sshd: Sshd, tmp_path: Path) -> None:
    stranger = make_key(tmp_path / "stranger")
    error = fail(transport, sshd, identity=(str(stranger),))
    assert (error.phase, error.code) == ("auth", "auth-refused")
    assert str(stranger) in error.message
    assert sshd.wait_for_log("authenticating user")
    assert sshd.login_attempts() == 1
    assert sshd.log_text().count("Connection from 127.0.0.1 port") == 1


def test_second_factor(transport: SshTransport, tmp_path: Path) -> None:
    options = ["PasswordAuthentication yes", "AuthenticationMethods publickey,password"]
    with run_sshd(tmp_path / "sshd", options) as sshd:
        error = fail(transport, sshd)
        assert (error.phase, error.code) == ("auth", "auth-needs-second-factor")
        assert "password" in error.message
        assert sshd.wait_for_close()
        assert "Failed" not in sshd.log_text()


@contextlib.contextmanager
def ssh_agent(directory: Path, *keys: Path) -> Iterator[tuple[str, int]]:
    """Run ssh-agent with keys loaded; give the path of its socket and its process id."""
    require("ssh-agent", "ssh-add")
    socket = str(directory / "agent")
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not os.path.exists(socket):  # noqa: PTH110  # a string for the environment
            time.sleep(0.02)
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], check=True, env={**os.environ, "SSH_AUTH_SOCK": socket})
        yield socket, agent.pid
    finally:
        agent.terminate()
        agent.wait(10)


def test_agent(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys in the agent are tried one by one, over one connection to it."""
    with ssh_agent(tmp_path, make_key(tmp_path / "a"), make_key(tmp_path / "b", "rsa"), sshd.key) as (socket, _):
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        with SshTransport(clock=lambda: NOW) as transport:
            for _ in range(2):
                assert transport.run(sshd.host(identity=(), agent=True), SCRIPT).stdout == b"hello\n"
    assert sshd.log_text().count("Accepted publickey") == 2


def test_agent_that_is_not_there(transport: SshTransport, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    assert fail(transport, sshd, identity=(), agent=True).code == "agent-unavailable"


def test_agent_that_hangs(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It listed its keys but does not sign any more: the login ends with the host's time."""
    with ssh_agent(tmp_path, sshd.key) as (path, pid), SshTransport(clock=lambda: NOW) as transport:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        host = sshd.host(identity=(), agent=True)
        assert transport.run(host, SCRIPT).stdout == b"hello\n"
        os.kill(pid, signal.SIGSTOP)
        try:
            started = time.monotonic()
            error = fail(transport, sshd, identity=(), agent=True, timeout=2.0)
            assert time.monotonic() - started <= 3
        finally:
            os.kill(pid, signal.SIGCONT)
    assert (error.phase, error.code) == ("auth", "auth-timeout")


def test_agent_that_never_answers(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with ssh_agent(tmp_path, sshd.key) as (path, pid), SshTransport(clock=lambda: NOW) as transport:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        os.kill(pid, signal.SIGSTOP)
        try:
            assert fail(transport, sshd, identity=(), agent=True).code == "agent-unavailable"
        finally:
            os.kill(pid, signal.SIGCONT)
        waiting = [thread for thread in threading.enumerate() if thread.name == "netaudit-agent"]
        for thread in waiting:
            thread.join(5)


def test_agent_is_not_asked_unless_the_host_says_so(
    transport: SshTransport, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_agent(tmp_path, sshd.key) as (socket, _):
        monkeypatch.setenv("SSH_AUTH_SOCK", socket)
        assert fail(transport, sshd, identity=()).code == "no-credentials"
    assert "Connection from" not in sshd.log_text()


def test_user_is_never_guessed(transport: SshTransport, sshd: Sshd) -> None:
    assert fail(transport, sshd, user=None).code == "user-missing"
    assert "Connection from" not in sshd.log_text()


@pytest.mark.parametrize(
    ("option", "word"),
    [
        ("KexAlgorithms diffie-hellman-group18-sha512", "key exchange"),
        ("Ciphers chacha20-poly1305@openssh.com", "cipher"),
        ("MACs umac-64@openssh.com\nCiphers aes128-ctr", "MAC"),
    ],
)
def test_no_common_algorithms(transport: SshTransport, tmp_path: Path, option: str, word: str) -> None:
    with run_sshd(tmp_path / "sshd", [option]) as sshd:
        error = fail(transport, sshd)
    assert (error.phase, error.code) == ("kex", "no-common-algorithms")
    assert f"no common {word}: the server offers {option.split()[1]}" in error.message


def test_server_that_signs_with_sha1_only(transport: SshTransport, tmp_path: Path) -> None:
    with run_sshd(tmp_path / "sshd", ["HostKeyAlgorithms ssh-rsa"], host_keys=("rsa",)) as sshd:
        error = fail(transport, sshd)
    assert (error.phase, error.code) == ("kex", "no-common-algorithms")
    assert "no common host key: the server offers ssh-rsa; we use " in error.message


@pytest.mark.parametrize(
    "kex", ["diffie-hellman-group14-sha256", "diffie-hellman-group16-sha512", "ecdh-sha2-nistp384"]
)
def test_negotiated_key_exchange_is_told(transport: SshTransport, tmp_path: Path, kex: str) -> None:
    with run_sshd(tmp_path / "sshd", [f"KexAlgorithms {kex}"]) as sshd:
        assert transport.run(sshd.host(), SCRIPT).session.kex == kex


def test_busy_sshd_is_asked_again(transport: SshTransport, tmp_path: Path) -> None:
    """MaxStartups 1: a connection that does not log in keeps everybody else out until it is gone."""
    import socket

    with run_sshd(tmp_path / "sshd", ["MaxStartups 1:100:1"]) as sshd:
        idle = socket.create_connection(("127.0.0.1", sshd.port))
        assert idle.recv(100).startswith(b"SSH-")
        release = threading.Timer(0.3, idle.close)
        release.start()
        transcript = transport.run(sshd.host(), SCRIPT)
        release.join()
        assert transcript.stdout == b"hello\n"
        assert sshd.wait_for_log("MaxStartups")


def test_large_answer_over_many_keys(transport: SshTransport, tmp_path: Path) -> None:
    """The server changes keys every 64 KiB while both outputs run."""
    with run_sshd(tmp_path / "sshd", ["RekeyLimit 64K"]) as sshd:
        text = "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2; exit 0"
        transcript = transport.run(sshd.host(), script(text))
    assert (len(transcript.stdout), len(transcript.stderr)) == (3_000_000, Limits().stderr)
    assert (transcript.exit_status, transcript.cut) == (0, None)


def test_endless_answer(sshd: Sshd) -> None:
    with SshTransport(clock=lambda: NOW, limits=Limits(stdout=MEBIBYTE)) as transport:
        transcript = transport.run(sshd.host(), script("cat /dev/zero"))
    assert (len(transcript.stdout), transcript.cut, transcript.exit_status) == (MEBIBYTE, "output-cap", None)


def test_sshd_killed_in_mid_stream(transport: SshTransport, sshd: Sshd) -> None:
    transcript = transport.run(sshd.host(), script("echo first; sleep 0.3; kill -9 $PPID; sleep 5; echo second"))
    assert (transcript.stdout, transcript.cut, transcript.exit_status) == (b"first\n", "lost", None)


def test_sshd_stopped_in_mid_stream(transport: SshTransport, sshd: Sshd) -> None:
    text = "echo first; sleep 0.3; kill -STOP $PPID; sleep 4; kill -CONT $PPID"
    transcript = transport.run(sshd.host(timeout=2.0), script(text))
    assert (transcript.stdout, transcript.cut, transcript.exit_status) == (b"first\n", "deadline", None)


def test_script_killed(transport: SshTransport, sshd: Sshd) -> None:
    transcript = transport.run(sshd.host(), script("echo first; kill -9 $$"))
    assert (transcript.stdout, transcript.cut, transcript.exit_status) == (b"first\n", "killed", None)


@pytest.mark.parametrize(
    ("forced", "stdout", "status"),
    [
        ('command="/usr/sbin/nologin"', b"This account is currently not available.\n", 1),
        ('command="exit 7"', b"", 7),
        ('command="echo NAME; echo man page; cat >/dev/null"', b"NAME\nman page\n", 0),
        ('command="echo noise; exec sh -s"', b"noise\nhello\n", 0),
    ],
)
def test_forced_commands(transport: SshTransport, tmp_path: Path, forced: str, stdout: bytes, status: int) -> None:
    """What a login prints instead of running the script is handed on, to be judged by who knows the frame."""
    with run_sshd(tmp_path / "sshd", authorized_options=f"restrict,{forced}") as sshd:
        transcript = transport.run(sshd.host(), SCRIPT)
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (stdout, status, None)


def test_sftp_only_account(transport: SshTransport, tmp_path: Path) -> None:
    with run_sshd(tmp_path / "sshd", ["ForceCommand internal-sftp"]) as sshd:
        transcript = transport.run(sshd.host(), SCRIPT)
    assert b"hello" not in transcript.stdout
    assert transcript.cut is None


@pytest.mark.parametrize("shell", ["bash", "bash -r", "dash", "busybox sh", "fish", "tcsh", "zsh", "ksh"])
def test_login_shells(transport: SshTransport, tmp_path: Path, shell: str) -> None:
    """sshd runs `SHELL -c COMMAND`; a restricted bash needs the second word of the ladder."""
    require(shell.split(maxsplit=1)[0])
    forced = rf'command="{shell} -c \"$SSH_ORIGINAL_COMMAND\""'
    with run_sshd(tmp_path / "sshd", authorized_options=forced) as sshd:
        assert transport.run(sshd.host(), SCRIPT).stdout == b"hello\n"
        assert sshd.login_attempts() == 1


@pytest.mark.parametrize(("option", "code"), [("MaxSessions 0", "exec-refused"), ("PermitTTY no", None)])
def test_server_options(transport: SshTransport, tmp_path: Path, option: str, code: str | None) -> None:
    with run_sshd(tmp_path / "sshd", [option]) as sshd:
        if code is None:
            assert transport.run(sshd.host(), SCRIPT).stdout == b"hello\n"
        else:
            assert fail(transport, sshd).code == code


def test_many_threads_share_one_transport(transport: SshTransport, sshd: Sshd) -> None:
    """Every host gets its own answer."""
    from concurrent.futures import ThreadPoolExecutor

    def run(number: int) -> bytes:
        return transport.run(sshd.host(f"host-{number}", timeout=60.0), script(f"echo {number}")).stdout

    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(run, range(12))) == [b"%d\n" % number for number in range(12)]
