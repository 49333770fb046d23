"""ProxyCommand: OpenSSH's own `ssh -W`, and commands that do not do what they should; nothing of them is left."""

import shlex
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import TransportError
from auditor.model.host import Host, SecretRef, SshOptions
from auditor.transport.ssh import SshTransport
from tests.builders import NOW, a_host
from tests.requirements import require
from tests.servers import hostile
from tests.servers.sshd import Sshd, run_sshd
from tests.transport.conftest import SCRIPT

Reach = Callable[[str], Host]
pytestmark = pytest.mark.usefixtures("nothing_left_behind")


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETAUDIT_TEST_PASSWORD", hostile.PASSWORD)


@pytest.fixture
def reach(tmp_path: Path) -> Reach:
    """Return a function that makes a host of a command."""
    known_hosts = tmp_path / "known_hosts"
    known_hosts.touch()
    secret = SecretRef(source="env", name="NETAUDIT_TEST_PASSWORD")

    def make(command: str) -> Host:
        options = SshOptions(proxy_command=command)
        return a_host(
            "proxied", user="audit", password=secret, ssh=options, timeout=2.0, known_hosts=(str(known_hosts),)
        )

    return make


def proxied(sshd: Sshd, command: str, **fields: Any) -> Host:
    return sshd.host("proxied", **{"ssh": SshOptions(proxy_command=command), "timeout": 15.0, **fields})


def fail(transport: SshTransport, host: Host) -> TransportError:
    with pytest.raises(TransportError) as failure:
        transport.run(host, SCRIPT)
    return failure.value


def forward(sshd: Sshd, port: int) -> str:
    """Return the command by which OpenSSH goes through a server."""
    options = {"UserKnownHostsFile": str(sshd.known_hosts), "BatchMode": "yes"}
    words = ["ssh", "-F", "none", "-i", str(sshd.key), "-p", str(sshd.port), "-l", sshd.user]
    words += [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return shlex.join([*words, "-W", f"127.0.0.1:{port}", "127.0.0.1"])


def is_running(pid_file: Path) -> bool:
    """Return whether the process that wrote its number there is still at work."""
    try:
        state = Path(f"/proc/{int(pid_file.read_text())}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def test_through_openssh(transport: SshTransport, tmp_path: Path) -> None:
    require("ssh")
    with run_sshd(tmp_path / "a") as proxy, run_sshd(tmp_path / "b") as target:
        transcript = transport.run(proxied(target, forward(proxy, target.port)), SCRIPT)
        assert (transcript.stdout, transcript.exit_status, transcript.cut) == (b"hello\n", 0, None)
        assert transcript.session.host_key is not None
        assert [server.log_text().count("Accepted publickey") for server in (proxy, target)] == [1, 1]


def test_host_key_is_checked_behind_it(transport: SshTransport, tmp_path: Path) -> None:
    with run_sshd(tmp_path / "b") as target:
        target.known_hosts.write_text("")
        error = fail(transport, proxied(target, relay(target.port)))
        assert (error.phase, error.code) == ("hostkey", "hostkey-unknown")
        assert target.wait_for_close()
        assert target.login_attempts() == 0


def relay(port: int) -> str:
    """Return a command that needs a process besides the one that is started: bash, and a cat in the background."""
    text = f"exec 3<>/dev/tcp/127.0.0.1/{port}; cat <&3 & exec cat >&3"
    return shlex.join(["bash", "-c", text])


def test_every_process_of_it_ends_with_the_host(transport: SshTransport, tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with run_sshd(tmp_path / "b") as target:
        helper = f"echo $BASHPID > {shlex.quote(str(pid_file))}; exec sleep 600"
        command = shlex.join(["bash", "-c", f"({helper}) & {relay(target.port)}"])
        assert transport.run(proxied(target, command), SCRIPT).stdout == b"hello\n"
    end = time.monotonic() + 3
    while is_running(pid_file) and time.monotonic() < end:
        time.sleep(0.02)
    assert not is_running(pid_file)


def test_the_users_shell_runs_it(transport: SshTransport, reach: Reach, monkeypatch: pytest.MonkeyPatch) -> None:
    """$SHELL, as in OpenSSH: this is a line that only bash understands."""
    monkeypatch.setenv("SHELL", "/bin/bash")
    assert 'it says "bash runs it"' in fail(transport, reach("cat <<< 'bash runs it' >&2")).message


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("echo no route to it >&2; exit 3", ("ended with status 3", 'it says "no route to it"')),
        ("printf '\\033[2Jowned' >&2; exit 1", ("ended with status 1", r'it says "\x1b[2Jowned"')),
        ("head -c 1000000 /dev/zero | tr '\\0' e >&2; exit 4", ("brought no answer", "eeee")),
        ("/nonexistent/proxy", ("ended with status 127", "/nonexistent/proxy: ")),
        ("exit 0", ("ended with status 0",)),
        ("kill -9 $$", ("ended with status 137",)),
        ("sleep 600", ("brought no answer", "sleep 600")),
    ],
)
def test_command_that_brings_no_connection(
    transport: SshTransport, reach: Reach, command: str, words: tuple[str, ...]
) -> None:
    """A compound command needs a shell of its own: what is run is `exec COMMAND`, as OpenSSH has it."""
    command = command if command in {"sleep 600", "/nonexistent/proxy"} else shlex.join(["sh", "-c", command])
    host = reach(command)
    started = time.monotonic()
    error = fail(transport, host)
    assert time.monotonic() - started <= host.timeout + 1
    assert (error.phase, error.code) == ("tcp", "proxy-failed")
    assert [word for word in words if word not in error.message] == []
    assert len(error.message) < 1000


def test_what_is_no_ssh_server_is_said_to_be_none(transport: SshTransport, reach: Reach) -> None:
    error = fail(transport, reach("echo HTTP/1.1 502 Bad Gateway"))
    assert (error.phase, error.code) == ("banner", "not-ssh")


def test_jump_host_behind_a_proxy(tmp_path: Path) -> None:
    """The proxy lives as long as the connection that the hosts share, and ends with it."""
    with run_sshd(tmp_path / "a") as bastion, run_sshd(tmp_path / "b") as target:
        jump = bastion.host("bastion", ssh=SshOptions(proxy_command=relay(bastion.port)))
        with SshTransport(clock=lambda: NOW, jump_hosts={"bastion": jump}) as transport:
            for _ in range(3):
                assert transport.run(target.host(jump=("bastion",)), SCRIPT).stdout == b"hello\n"
        assert (bastion.login_attempts(), target.login_attempts()) == (1, 3)


def test_proxies_of_a_run_that_is_broken_off(reach: Reach, tmp_path: Path) -> None:
    """Closing the transport kills them, whatever their hosts are waiting for."""
    pid_file = tmp_path / "pid"
    with SshTransport(clock=lambda: NOW) as transport:
        command = shlex.join(["sh", "-c", f"echo $$ > {shlex.quote(str(pid_file))}; exec sleep 600"])
        worker = threading.Thread(target=fail, args=(transport, reach(command)))
        worker.start()
        while worker.is_alive() and not (pid_file.exists() and pid_file.read_text()):
            time.sleep(0.01)
        assert is_running(pid_file)
        transport._proxies.close()
        end = time.monotonic() + 1
        while is_running(pid_file) and time.monotonic() < end:
            time.sleep(0.01)
        assert not is_running(pid_file)
        worker.join(5)
