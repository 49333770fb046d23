"""The ssh transport against servers that misbehave: every run ends in time, with the right word, and leaves nothing.

Expectations come from the RFCs' message order and from what each server is written to do, not from the transport.
"""

import os
import time
from collections.abc import Callable
from pathlib import Path

import paramiko
import pytest

from auditor.errors import TransportError
from auditor.model.host import Host, SecretRef
from auditor.model.transcript import Transcript
from auditor.transport import MEBIBYTE, Limits, Script
from auditor.transport.ssh import SshTransport
from tests.builders import a_host
from tests.servers import hostile
from tests.servers.hostile import Behaviour, Manners, OnExec, serve, ssh_server
from tests.transport.conftest import SCRIPT

TIMEOUT_S = 2.0
pytestmark = pytest.mark.usefixtures("nothing_left_behind", "engine")


@pytest.fixture
def reach(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Host]:
    """Return a function that makes the host to dial for a port: trusted key, right password."""
    monkeypatch.setenv("NETAUDIT_TEST_PASSWORD", hostile.PASSWORD)

    def make(port: int, **fields: object) -> Host:
        known_hosts = tmp_path / f"known_hosts_{port}"
        known_hosts.write_text(hostile.known_hosts_line(port))
        defaults: dict[str, object] = {
            "address": "127.0.0.1",
            "port": port,
            "user": hostile.USER,
            "password": SecretRef(source="env", name="NETAUDIT_TEST_PASSWORD"),
            "known_hosts": (str(known_hosts),),
            "timeout": TIMEOUT_S,
        }
        return a_host("bad", **{**defaults, **fields})

    return make


def resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # /proc is no place for Path
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def fail(transport: SshTransport, host: Host) -> tuple[str, str]:
    """Run, expect a failure in time, and return its phase and code."""
    started, resident = time.monotonic(), resident_bytes()
    with pytest.raises(TransportError) as failure:
        transport.run(host, SCRIPT)
    assert time.monotonic() - started <= host.timeout + 1
    assert resident_bytes() - resident < 50 * MEBIBYTE
    assert hostile.PASSWORD not in f"{failure.value} {failure.value.hint}"
    return failure.value.phase, failure.value.code


def succeed(transport: SshTransport, host: Host) -> Transcript:
    """Run, expect a transcript in time, and return it."""
    started, resident = time.monotonic(), resident_bytes()
    transcript = transport.run(host, SCRIPT)
    assert time.monotonic() - started <= host.timeout + 1
    assert resident_bytes() - resident < 50 * MEBIBYTE
    return transcript


HTTP = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
BEFORE_LOGIN: dict[str, tuple[Behaviour, str, str]] = {
    "silent": (hostile.silent, "banner", "banner-timeout"),
    "byte drip": (hostile.repeat(b"x", pause=0.1), "banner", "not-ssh"),
    "flood without a newline": (hostile.repeat(b"x" * 65536), "banner", "not-ssh"),
    "endless lines, slow": (hostile.repeat(b"a1b2c3\r\n", pause=0.1), "banner", "not-ssh"),
    "endless lines, fast": (hostile.repeat(b"a1b2c3\r\n" * 100), "banner", "not-ssh"),
    "http": (hostile.say(HTTP), "banner", "not-ssh"),
    "http that stays": (hostile.say_and_stay(HTTP), "banner", "not-ssh"),
    "smtp that stays": (hostile.say_and_stay(b"220 mail.example ESMTP\r\n"), "banner", "not-ssh"),
    "tls alert": (hostile.say(b"\x15\x03\x01\x00\x02\x02\x46"), "banner", "not-ssh"),
    "eof": (hostile.say(b""), "banner", "closed-before-banner"),
    "penalty": (hostile.say(b"Not allowed at this time\r\n"), "banner", "penalised"),
    "protocol 1": (hostile.say_and_stay(b"SSH-1.5-Cisco-1.25\n"), "banner", "ssh1"),
    "protocol 3": (hostile.say_and_stay(b"SSH-3.0-x\r\n"), "banner", "not-ssh"),
    "escape in the version": (hostile.say_and_stay(b"SSH-2.0-\x1b[2J\r\n"), "banner", "not-ssh"),
    "banner then silence": (hostile.say_and_stay(hostile.VERSION), "kex", "kex-timeout"),
    "banner then eof": (hostile.say(hostile.VERSION), "kex", "kex-closed"),
    "banner then garbage": (hostile.say_and_stay(hostile.VERSION + b"\x00\x00\x01\x00" * 400), "kex", "kex-failed"),
    "ignore flood": (hostile.repeat(hostile.IGNORE * 50, first=hostile.VERSION), "kex", "kex-flood"),
    "debug flood": (hostile.repeat(hostile.DEBUG * 50, first=hostile.VERSION), "kex", "kex-flood"),
    "ignore drip": (hostile.repeat(hostile.IGNORE, pause=0.1, first=hostile.VERSION), "kex", "kex-timeout"),
    "packet of 2 GiB": (hostile.repeat(b"x" * 65536, first=hostile.HUGE_PACKET), "kex", "kex-failed"),
    "only an old key exchange": (
        hostile.say_and_stay(hostile.VERSION + hostile.kexinit(kex="diffie-hellman-group1-sha1")),
        "kex",
        "no-common-algorithms",
    ),
    "only an old cipher": (
        hostile.say_and_stay(hostile.VERSION + hostile.kexinit(cipher="3des-cbc")),
        "kex",
        "no-common-algorithms",
    ),
    "key exchange never answered": (hostile.say_and_stay(hostile.VERSION + hostile.kexinit()), "kex", "kex-timeout"),
}


@pytest.mark.parametrize("case", BEFORE_LOGIN)
def test_server_that_never_gets_to_a_login(transport: SshTransport, reach: Callable[..., Host], case: str) -> None:
    """Each ends with the step that failed, and nobody tried to log in."""
    behaviour, phase, code = BEFORE_LOGIN[case]
    with serve(behaviour) as server:
        # A flood ends by its size, and a busy machine may need a while to take it in.
        host = reach(server.port, timeout=15.0 if "flood" in case else TIMEOUT_S)
        assert fail(transport, host) == (phase, code)
    assert server.accepted == 1


def test_announced_packet_takes_no_memory(transport: SshTransport, reach: Callable[..., Host]) -> None:
    with serve(hostile.repeat(b"x" * 65536, first=hostile.HUGE_PACKET)) as server:
        fail(transport, reach(server.port, timeout=15.0))  # what a first connection allocates, once
        before = resident_bytes()
        fail(transport, reach(server.port, timeout=15.0))
        assert resident_bytes() - before < 5 * MEBIBYTE


def test_reset(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    """Seen while connecting or just after, as the packets arrive."""
    with serve(hostile.reset) as server:
        assert fail(transport, reach(server.port)) in {("tcp", "tcp-reset"), ("banner", "closed-before-banner")}


def test_refused_port(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    assert fail(transport, reach(hostile.unused_port())) == ("tcp", "tcp-refused")


def test_no_common_algorithm_names_both_sides(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    hello = hostile.VERSION + hostile.kexinit(kex="diffie-hellman-group1-sha1")
    with serve(hostile.say_and_stay(hello)) as server, pytest.raises(TransportError) as failure:
        transport.run(reach(server.port), SCRIPT)
    assert "the server offers diffie-hellman-group1-sha1" in failure.value.message
    assert "curve25519-sha256@libssh.org" in failure.value.message


def test_first_line_of_a_stranger_is_shown_escaped(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    with (
        serve(hostile.say(b"\x1b]0;owned\x07 220 ftp\r\nmore\r\n")) as server,
        pytest.raises(TransportError) as failure,
    ):
        transport.run(reach(server.port), SCRIPT)
    assert r'"\x1b]0;owned\x07 220 ftp"' in failure.value.message


def test_busy_server_is_asked_again(transport: SshTransport, reach: Callable[..., Host]) -> None:
    """`Exceeded MaxStartups` is no answer: the next connection gets one."""
    with serve(hostile.busy_then(ssh_server(Manners(on_exec=hostile.behave_well)), refusals=1)) as server:
        transcript = succeed(transport, reach(server.port, timeout=10.0))
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (b"hello\n", 0, None)
    assert server.accepted == 2


def test_server_that_stays_busy(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    with serve(hostile.say(b"Exceeded MaxStartups\r\n")) as server:
        assert fail(transport, reach(server.port)) == ("banner", "throttled")
    assert 1 <= server.accepted <= 4


AUTH_FAILED, AUTH_PARTIAL = paramiko.common.AUTH_FAILED, paramiko.common.AUTH_PARTIALLY_SUCCESSFUL
AFTER_HANDSHAKE: dict[str, tuple[Manners, str, str]] = {
    "wrong password": (Manners(login_answer=AUTH_FAILED), "auth", "auth-refused"),
    "only keys": (Manners(methods="publickey"), "auth", "auth-refused"),
    "second factor": (Manners(login_answer=AUTH_PARTIAL), "auth", "auth-needs-second-factor"),
    "one-time code": (
        Manners(methods="keyboard-interactive", prompts=(("Password: ", False), ("Code: ", False))),
        "auth",
        "auth-needs-second-factor",
    ),
    "login never answered": (Manners(login_answer=None), "auth", "auth-timeout"),
    "channel refused": (Manners(open_answer=False), "exec", "exec-refused"),
    "channel never answered": (Manners(open_answer=None), "exec", "exec-timeout"),
    "exec refused": (Manners(exec_answer=False), "exec", "exec-refused"),
    "exec never answered": (Manners(exec_answer=None), "exec", "exec-timeout"),
    "prints nothing": (Manners(on_exec=hostile.print_nothing), "read", "read-timeout"),
    "dies at once": (Manners(on_exec=hostile.die_at_once), "read", "connection-lost"),
}


@pytest.mark.parametrize("case", AFTER_HANDSHAKE)
def test_server_that_goes_wrong_after_the_handshake(
    transport: SshTransport, reach: Callable[[int], Host], case: str
) -> None:
    manners, phase, code = AFTER_HANDSHAKE[case]
    seen = hostile.Seen()
    with serve(ssh_server(manners, seen)) as server:
        assert fail(transport, reach(server.port)) == (phase, code)
    assert server.accepted == 1
    assert len(seen.logins) <= 1


STREAMS: dict[str, tuple[OnExec, bytes, int | None, str | None]] = {
    "well": (hostile.behave_well, b"hello\n", 0, None),
    "no end": (hostile.say_without_end, b"hello\n", None, "deadline"),
    "end without status": (hostile.end_without_status, b"hello\n", None, None),
    "close without status": (hostile.close_without_status, b"hello\n", None, None),
    "status without end": (hostile.status_without_end, b"hello\n", 0, None),
    "killed": (hostile.end_by_signal, b"hello\n", None, "killed"),
    "dies midway": (hostile.die_midway, b"half an ans", None, "lost"),
}


@pytest.mark.parametrize("case", STREAMS)
def test_stream(transport: SshTransport, reach: Callable[..., Host], case: str) -> None:
    """What came is kept, and how it ended is told."""
    on_exec, stdout, status, cut = STREAMS[case]
    with serve(ssh_server(Manners(on_exec=on_exec))) as server:
        transcript = succeed(transport, reach(server.port, timeout=4.0))
    assert (transcript.stdout, transcript.exit_status, transcript.cut) == (stdout, status, cut)


def test_drip_ends_at_the_deadline(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    with serve(ssh_server(Manners(on_exec=hostile.drip))) as server:
        transcript = succeed(transport, reach(server.port))
    assert transcript.cut == "deadline"
    assert set(transcript.stdout) == {ord("x")}


def test_server_that_never_reads_the_script(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    """The window is used up and never opened again; what was printed meanwhile is kept."""
    endless = Script(SCRIPT.nonce, b"# filler\n" * 400_000)
    with serve(ssh_server(Manners(on_exec=hostile.say_without_end))) as server:
        started = time.monotonic()
        transcript = transport.run(reach(server.port), endless)
        assert time.monotonic() - started <= TIMEOUT_S + 1
    assert (transcript.stdout, transcript.cut) == (b"hello\n", "deadline")


@pytest.mark.parametrize("on_exec", [hostile.print_for_ever, hostile.print_past_the_window])
def test_endless_output_ends_at_the_cap(reach: Callable[..., Host], on_exec: OnExec) -> None:
    from tests.builders import NOW

    transport = SshTransport(clock=lambda: NOW, limits=Limits(stdout=4 * MEBIBYTE))
    with serve(ssh_server(Manners(on_exec=on_exec))) as server:
        transcript = succeed(transport, reach(server.port, timeout=20.0))
    assert (transcript.cut, len(transcript.stdout)) == ("output-cap", Limits().flood)


def test_endless_errors_end_too(transport: SshTransport, reach: Callable[..., Host]) -> None:
    with serve(ssh_server(Manners(on_exec=hostile.complain_for_ever))) as server:
        transcript = succeed(transport, reach(server.port, timeout=30.0))
    assert (transcript.cut, transcript.stdout, len(transcript.stderr)) == ("output-cap", b"", Limits().stderr)


def test_both_outputs_are_read_together(transport: SshTransport, reach: Callable[..., Host]) -> None:
    with serve(ssh_server(Manners(on_exec=hostile.complain_at_length))) as server:
        transcript = succeed(transport, reach(server.port, timeout=20.0))
    assert (len(transcript.stdout), len(transcript.stderr)) == (3_000_000, Limits().stderr)
    assert (transcript.exit_status, transcript.cut) == (0, None)


def test_restricted_shell_gets_a_second_command(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    """On the same connection, without a second login."""
    seen = hostile.Seen()
    with serve(ssh_server(Manners(on_exec=hostile.refuse_exec_of_shell(seen)), seen)) as server:
        transcript = succeed(transport, reach(server.port))
    assert transcript.stdout == b"from sh\n"
    assert seen.commands == [b"exec /bin/sh -s", b"sh -s"]
    assert (server.accepted, len(seen.logins)) == (1, 1)


def test_password_through_keyboard_interactive(transport: SshTransport, reach: Callable[[int], Host]) -> None:
    """PAM without plain passwords asks for the same thing in another way."""
    prompts = (("Password: ", False),)
    manners = Manners(on_exec=hostile.behave_well, methods="keyboard-interactive", prompts=prompts)
    with serve(ssh_server(manners)) as server:
        assert succeed(transport, reach(server.port)).stdout == b"hello\n"


def test_wrong_host_key_sees_no_login(transport: SshTransport, reach: Callable[..., Host], tmp_path: Path) -> None:
    other = tmp_path / "known_hosts"
    seen = hostile.Seen()
    with serve(ssh_server(Manners(), seen)) as server:
        key = paramiko.ECDSAKey.generate()
        other.write_text(f"[127.0.0.1]:{server.port} {key.get_name()} {key.get_base64()}\n")
        host = reach(server.port, known_hosts=(str(other),))
        assert fail(transport, host) == ("hostkey", "hostkey-mismatch")
    assert seen.logins == []
