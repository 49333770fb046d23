"""The openssh transport against real servers and hostile ones: the other transport's words, and no process left."""

import os
import subprocess
import time
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import TransportError
from auditor.model.host import Host, SecretRef, SshOptions
from auditor.model.transcript import Transcript
from auditor.transport import MEBIBYTE, Limits, Script
from auditor.transport.host_keys import HostKeys
from auditor.transport.openssh import OpenSshTransport, build_arguments
from auditor.transport.public_key import fingerprint
from auditor.transport.ssh import SshTransport
from tests.builders import NOW, a_host
from tests.requirements import require
from tests.servers import hostile
from tests.servers.hostile import Manners, serve, ssh_server
from tests.servers.sshd import Sshd, make_key, run_sshd
from tests.transport.conftest import SCRIPT

pytestmark = pytest.mark.usefixtures("no_ssh_left", "nothing_left_behind")


@pytest.fixture
def no_ssh_left() -> Iterator[None]:
    """Fail when a process that this one started is still there: sshd's end with their tests."""
    require("ssh")
    before = children()
    yield
    assert children() <= before


def children() -> set[str]:
    listed = subprocess.run(
        ["ps", "-o", "pid=,comm=", "--ppid", str(os.getpid())], capture_output=True, text=True, check=False
    )
    return {line for line in listed.stdout.splitlines() if not line.endswith(" ps")}


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with run_sshd(tmp_path / "sshd") as server:
        yield server


@pytest.fixture
def transport(tmp_path: Path) -> OpenSshTransport:
    return ssh(accepted=tmp_path / "state" / "known_hosts")


def ssh(limits: Limits | None = None, **host_keys: Any) -> OpenSshTransport:
    return OpenSshTransport(clock=lambda: NOW, host_keys=HostKeys(**host_keys), config="none", limits=limits)


def fail(transport: OpenSshTransport, sshd: Sshd, **fields: Any) -> TransportError:
    with pytest.raises(TransportError) as failure:
        transport.run(sshd.host(**fields), SCRIPT)
    assert failure.value.hint
    return failure.value


def test_answer_and_session_are_those_of_the_other_transport(transport: OpenSshTransport, sshd: Sshd) -> None:
    text = Script(SCRIPT.nonce, b"{ echo out; echo err >&2; tty; exit 3; }\n")
    answer = transport.run(sshd.host(), text)
    with SshTransport(clock=lambda: NOW) as other:
        same = other.run(sshd.host(), text)
    assert (answer.stdout, answer.stderr, answer.exit_status) == (b"out\nnot a tty\n", b"err\n", 3)
    alike = {"kex": None, "cipher": None}  # ssh has favourites of its own
    assert answer.session.model_copy(update=alike) == same.session.model_copy(update=alike)
    assert answer.session.kex
    assert answer.session.cipher
    assert answer.model_copy(update={"session": same.session}) == same


@pytest.mark.parametrize(
    ("known", "code"),
    [("", "hostkey-unknown"), ("{name} {other}", "hostkey-mismatch"), ("@revoked * {key}", "hostkey-revoked")],
)
def test_host_key_comes_first(transport: OpenSshTransport, sshd: Sshd, tmp_path: Path, known: str, code: str) -> None:
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    names = {"name": f"[127.0.0.1]:{sshd.port}", "other": other, "key": sshd.public_key()}
    sshd.known_hosts.write_text(known.format(**names) + "\n")
    error = fail(transport, sshd)
    assert error.code == code
    assert f"it shows ssh-ed25519 {fingerprint(b64decode(sshd.public_key().split()[1]))}" in error.message
    assert (f"{sshd.known_hosts}:1" in error.message) == (code == "hostkey-mismatch")
    assert sshd.wait_for_close()
    assert sshd.login_attempts() == 0


def test_refusals_have_their_words(transport: OpenSshTransport, sshd: Sshd, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"identity": (str(make_key(tmp_path / "stranger")),)}, "auth", "auth-refused"),
        ({"port": hostile.unused_port()}, "tcp", "tcp-refused"),
        ({"address": "does-not-exist.invalid"}, "dns", "dns-not-found"),
        ({"password": SecretRef(source="env", name="X")}, "auth", "password-unsupported"),
    ]
    for fields, phase, code in cases:
        error = fail(transport, sshd, **fields)
        assert (error.phase, error.code) == (phase, code) or (code, error.code) == ("dns-not-found", "dns-temporary")


def test_no_common_algorithms(transport: OpenSshTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serve(hostile.say_and_stay(hostile.VERSION + hostile.kexinit(cipher="none"))) as server:
        error = reach(transport, server.port, tmp_path)
    assert isinstance(error, TransportError)
    assert (error.phase, error.code) == ("kex", "no-common-algorithms")
    assert "Their offer: none" in error.message


def reach(transport: OpenSshTransport, port: int, folder: Path, timeout: float = 3.0) -> "Transcript | TransportError":
    """Connect to a hostile server, which must be over in time."""
    known = folder / "known_hosts"
    known.write_text(hostile.known_hosts_line(port))
    key = make_key(folder / f"user-{port}")
    host = a_host(
        "bad", address="127.0.0.1", port=port, user=hostile.USER, identity=(str(key),), known_hosts=(str(known),),
        timeout=timeout,
    )  # fmt: skip
    started = time.monotonic()
    try:
        return transport.run(host, SCRIPT)
    except TransportError as error:
        return error
    finally:
        assert time.monotonic() - started <= timeout + 1


BEFORE_LOGIN = {
    "silent": (hostile.silent, {"banner-timeout"}),
    "byte drip": (hostile.repeat(b"x", pause=0.1), {"banner-timeout"}),
    "flood without a newline": (hostile.repeat(b"x" * 65536), {"not-ssh"}),
    "endless lines": (hostile.repeat(b"a1b2c3\r\n" * 100), {"not-ssh"}),
    "http": (hostile.say(b"HTTP/1.1 400 Bad Request\r\n\r\n"), {"not-ssh", "closed-before-banner"}),
    "eof": (hostile.say(b""), {"closed-before-banner"}),
    "penalty": (hostile.say(b"Not allowed at this time\r\n"), {"penalised"}),
    "banner then silence": (hostile.say_and_stay(hostile.VERSION), {"kex-timeout"}),
    "ignore flood": (hostile.repeat(hostile.IGNORE * 50, first=hostile.VERSION), {"kex-timeout", "kex-closed"}),
}


@pytest.mark.parametrize("case", BEFORE_LOGIN)
def test_server_that_never_gets_to_a_login(transport: OpenSshTransport, tmp_path: Path, case: str) -> None:
    behaviour, codes = BEFORE_LOGIN[case]
    with serve(behaviour) as server:
        error = reach(transport, server.port, tmp_path)
    assert isinstance(error, TransportError)
    assert error.code in codes


STREAMS = {
    "well": (hostile.behave_well, b"hello\n", None),
    "no end": (hostile.say_without_end, b"hello\n", "deadline"),
    "dies midway": (hostile.die_midway, b"half an ans", "lost"),
    "flood": (hostile.print_for_ever, None, "output-cap"),
    "drip": (hostile.drip, None, "deadline"),
    "nothing": (hostile.print_nothing, b"", "read-timeout"),
    "errors for ever": (hostile.complain_for_ever, b"", "read-timeout"),
}


@pytest.mark.parametrize("case", STREAMS)
def test_stream(tmp_path: Path, case: str) -> None:
    on_exec, stdout, cut = STREAMS[case]
    limits = Limits(stdout=MEBIBYTE)
    transport = ssh(limits)
    with serve(ssh_server(Manners(on_exec=on_exec))) as server:
        answer = reach(transport, server.port, tmp_path)
    if isinstance(answer, TransportError):
        assert (stdout, answer.code) == (b"", cut)
        return
    assert answer.cut == cut
    assert len(answer.stderr) <= limits.stderr
    assert (answer.stdout == stdout) if stdout is not None else (0 < len(answer.stdout) <= limits.stdout)


def test_new_key_is_kept_and_marked(transport: OpenSshTransport, sshd: Sshd, tmp_path: Path) -> None:
    """In our own file, not in the user's; the second time it is marked, too, and a changed key is refused."""
    sshd.known_hosts.write_text("")
    host = sshd.host(ssh=SshOptions(strict_host_key_checking="accept-new"))
    for _ in range(2):
        assert transport.run(host, SCRIPT).session.host_key_trust == "accepted"
    accepted = tmp_path / "state" / "known_hosts"
    assert accepted.read_text() == f"[127.0.0.1]:{sshd.port} {sshd.public_key()}\n"
    assert accepted.stat().st_mode & 0o777 == 0o600
    assert sshd.known_hosts.read_text() == ""
    other = make_key(tmp_path / "other").with_suffix(".pub").read_text()
    accepted.write_text(f"[127.0.0.1]:{sshd.port} {other}")
    assert fail(transport, sshd, ssh=host.ssh).code == "hostkey-mismatch"


def test_ignored_keys_are_marked(sshd: Sshd) -> None:
    sshd.known_hosts.write_text("")
    transport = ssh(policy="ignored")
    assert transport.run(sshd.host(), SCRIPT).session.host_key_trust == "ignored"
    assert sshd.known_hosts.read_text() == ""
    sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {sshd.public_key()}\n")
    assert transport.run(sshd.host(), SCRIPT).session.host_key_trust == "known"


LOOSE = """\
Host *
    BatchMode no
    ControlMaster auto
    ControlPath /tmp/x
    ForwardAgent yes
    ForwardX11 yes
    LocalForward 1 x:1
    PermitLocalCommand yes
    RemoteCommand evil
    RequestTTY force
    StrictHostKeyChecking no
    Tunnel yes
"""


def test_configuration_cannot_loosen_what_is_on_the_command_line() -> None:
    """`ssh -G` says what would hold for a host whose configuration asks for everything that is not to be."""
    require("ssh")
    settings = ["StrictHostKeyChecking=yes"]
    words = build_arguments(a_host("web", address="192.0.2.1", user="audit"), settings)
    told = subprocess.run(
        ["ssh", "-G", "-F", "/dev/stdin", *words], input=LOOSE, capture_output=True, text=True, check=True
    )
    held = dict(line.partition(" ")[::2] for line in told.stdout.splitlines())
    expected = {
        "batchmode": "yes",
        "clearallforwardings": "yes",
        "controlmaster": "false",
        "forwardagent": "no",
        "forwardx11": "no",
        "hostname": "192.0.2.1",
        "permitlocalcommand": "no",
        "requesttty": "false",
        "stricthostkeychecking": "true",
        "tunnel": "false",
        "user": "audit",
    }
    assert {name: held.get(name) for name in expected} == expected
    assert not {"localforward", "controlpath"} & held.keys()
    assert held.get("remotecommand", "none") == "none"


def test_what_the_inventory_leaves_open_is_in_ssh_config(sshd: Sshd, tmp_path: Path) -> None:
    """Address, port, user and key by the host's name; nothing of the inventory's own defaults is in the way."""
    config = tmp_path / "config"
    config.write_text(
        f"Host web\n HostName 127.0.0.1\n Port {sshd.port}\n User {sshd.user}\n IdentityFile {sshd.key}\n"
        f" UserKnownHostsFile {sshd.known_hosts}\n StrictHostKeyChecking no\n"
    )
    transport = OpenSshTransport(clock=lambda: NOW, config=os.path.relpath(config))  # ssh is run in another folder
    host = Host(name="web", origin=a_host("web").origin, timeout=20.0)
    assert transport.run(host, SCRIPT).stdout == b"hello\n"
    sshd.known_hosts.write_text("")
    with pytest.raises(TransportError) as failure:
        transport.run(host, SCRIPT)
    assert failure.value.code == "hostkey-unknown"


def test_through_a_jump_host(sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named in the inventory; ssh logs in there with its own configuration."""
    config = tmp_path / "config"
    with run_sshd(tmp_path / "bastion") as bastion:
        config.write_text(f"Host *\n IdentityFile {bastion.key}\n UserKnownHostsFile {bastion.known_hosts}\n")
        hops = {"bastion": bastion.host("bastion")}
        transport = OpenSshTransport(clock=lambda: NOW, jump_hosts=hops, config=str(config))
        transcript = transport.run(sshd.host(jump=("bastion",)), SCRIPT)
        assert transcript.stdout == b"hello\n"
        assert (transcript.session.address, transcript.session.is_local) == (None, False)
        assert "Accepted publickey" in bastion.log_text()
        bastion.known_hosts.write_text("")
        with pytest.raises(TransportError):
            transport.run(sshd.host(jump=("bastion",)), SCRIPT)
    assert sshd.log_text().count("Accepted publickey") == 1


def test_host_name_is_never_an_option(transport: OpenSshTransport, sshd: Sshd, tmp_path: Path) -> None:
    """Such names do not come through an inventory; here they would not do anything, either."""
    proof = tmp_path / "proof"
    host = sshd.host().model_copy(update={"name": f"-oProxyCommand=touch {proof}"})
    with pytest.raises(TransportError):
        transport.run(host, SCRIPT)
    assert not proof.exists()
    assert build_arguments(host, [])[-2:] == ["--", host.name]


def test_program_that_is_not_there(transport: OpenSshTransport, sshd: Sshd, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(TransportError) as failure:
        transport.run(sshd.host(), SCRIPT)
    assert (failure.value.phase, failure.value.message) == ("exec", "cannot start ssh: No such file or directory")
