"""Logging in as ssh does: files, certificates and agents in its order, against real servers that count the tries."""

import contextlib
import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from auditor.errors import TransportError
from auditor.model.host import SecretRef, SshOptions
from auditor.transport.ssh import SshTransport
from auditor.transport.ssh_breaker import MOST_REFUSALS
from tests.requirements import require
from tests.servers.sshd import Sshd, make_key, run_sshd
from tests.transport.conftest import SCRIPT

pytestmark = pytest.mark.usefixtures("nothing_left_behind")


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    authority = make_key(tmp_path / "authority")
    with run_sshd(tmp_path / "sshd", [f"TrustedUserCAKeys {authority}.pub"]) as server:
        yield server


@contextlib.contextmanager
def ssh_agent(directory: Path, *keys: Path, name: str = "agent") -> Iterator[str]:
    """Run ssh-agent with keys loaded; give the path of its socket."""
    require("ssh-agent", "ssh-add")
    path = directory / name
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        while not path.exists():
            time.sleep(0.02)
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], check=True, env={**os.environ, "SSH_AUTH_SOCK": str(path)})
        yield str(path)
    finally:
        agent.terminate()
        agent.wait(10)


def certify(sshd: Sshd, key: Path, into: Path | None = None, user: str | None = None) -> Path:
    """Have the authority that the server trusts sign a user's key; return the certificate."""
    words = ["-s", str(sshd.directory.parent / "authority"), "-I", "id", "-n", user or sshd.user, "-V", "+1h"]
    subprocess.run(["ssh-keygen", "-q", *words, f"{key}.pub"], check=True)
    made = Path(f"{key}-cert.pub")
    return made.rename(into) if into is not None else made


def allow(sshd: Sshd, *keys: Path) -> None:
    (sshd.directory / "authorized_keys").write_text("".join(key.with_suffix(".pub").read_text() for key in keys))


def log_in(transport: SshTransport, sshd: Sshd, ssh: Mapping[str, Any] | None = None, **fields: Any) -> list[str]:
    """Log in, and return what the server's log says of each try: `Accepted ED25519`, `Failed ED25519-CERT`, …"""
    before = len(sshd.log_text())
    host = sshd.host(ssh=SshOptions(**(ssh or {})), **fields)
    try:
        assert transport.run(host, SCRIPT).stdout == b"hello\n"
    finally:
        sshd.wait_for_log("Disconnected from", 2.0)
    log = sshd.log_text()[before:]
    return [
        f"{verdict} {kind}" for verdict, kind in re.findall(r"^(Accepted|Failed) \S+ for .* ssh2: (\S+)", log, re.M)
    ]


def refuse(transport: SshTransport, sshd: Sshd, ssh: Mapping[str, Any] | None = None, **fields: Any) -> TransportError:
    with pytest.raises(TransportError) as failure:
        transport.run(sshd.host(ssh=SshOptions(**(ssh or {})), **fields), SCRIPT)
    return failure.value


def test_certificate_first_then_the_key(transport: SshTransport, sshd: Sshd, tmp_path: Path) -> None:
    """Some hosts know the authority, others only the key: both are reached with the same two files."""
    key = make_key(tmp_path / "user")
    certify(sshd, key)
    assert log_in(transport, sshd, identity=(str(key),)) == ["Accepted ED25519-CERT"]
    allow(sshd, key)
    certify(sshd, key, user="somebody-else")
    with SshTransport(clock=transport._clock) as fresh:
        assert log_in(fresh, sshd, identity=(str(key),)) == ["Failed ED25519-CERT", "Accepted ED25519"]


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa", "rsa"])
def test_certificate_in_a_file_of_its_own(transport: SshTransport, sshd: Sshd, tmp_path: Path, key_type: str) -> None:
    """CertificateFile; one that is for another key, or is no certificate, does no harm."""
    key, other = make_key(tmp_path / "user", key_type), make_key(tmp_path / "other")
    own, foreign = certify(sshd, key, tmp_path / "own.pub"), certify(sshd, other, tmp_path / "foreign.pub")
    files = (str(foreign), str(tmp_path / "absent"), f"{other}.pub", str(own))
    tried = log_in(transport, sshd, {"certificate_files": files}, identity=(str(key),))
    assert tried == [f"Accepted {key_type.upper()}-CERT"]


def test_agent_signs_for_a_certificate_file(transport: SshTransport, sshd: Sshd, tmp_path: Path) -> None:
    """The private key is only in the agent; the identity file is its public half."""
    key = make_key(tmp_path / "user", "rsa")
    certificate = certify(sshd, key, tmp_path / "certificate.pub")
    with ssh_agent(tmp_path, key) as path:
        key.unlink()
        ssh = {"identity_agent": path, "certificate_files": (str(certificate),), "identities_only": True}
        assert log_in(transport, sshd, ssh, identity=(f"{key}.pub",), agent=True) == ["Accepted RSA-CERT"]


def test_agent_that_holds_a_certificate(transport: SshTransport, sshd: Sshd, tmp_path: Path) -> None:
    """ssh-add loads the certificate beside a key along with it."""
    for key_type in ("ed25519", "ecdsa", "rsa"):
        key = make_key(tmp_path / key_type, key_type)
        certify(sshd, key)
        with ssh_agent(tmp_path, key, name=f"agent-{key_type}") as path:
            tried = log_in(transport, sshd, {"identity_agent": path}, identity=(), agent=True)
        assert tried[-1] == f"Accepted {key_type.upper()}-CERT"


def test_identities_only(transport: SshTransport, sshd: Sshd, tmp_path: Path) -> None:
    """Of the agent's keys only those of the identity files are tried, and by the agent: the file is encrypted."""
    strangers = [make_key(tmp_path / f"stranger-{n}") for n in range(4)]
    key = make_key(tmp_path / "user", "ed25519", "secret", "-a", "1")
    allow(sshd, key)
    clear = tmp_path / "clear"
    clear.write_bytes(key.read_bytes())
    clear.chmod(0o600)
    subprocess.run(["ssh-keygen", "-q", "-p", "-P", "secret", "-N", "", "-f", clear], check=True, capture_output=True)
    with ssh_agent(tmp_path, *strangers, clear) as path:
        ssh = {"identity_agent": path, "identities_only": True}
        assert log_in(transport, sshd, ssh, identity=(str(key),), agent=True) == ["Accepted ED25519"]
        error = refuse(transport, sshd, ssh, identity=(str(sshd.key), f"{strangers[0]}.pub"), agent=True)
    assert error.code == "auth-refused"
    assert sshd.log_text().count("Failed publickey") == 2


def test_keys_of_the_files_come_before_the_agents_others(
    transport: SshTransport, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So an agent full of keys does not use the tries up."""
    strangers = [make_key(tmp_path / f"stranger-{n}") for n in range(8)]
    with ssh_agent(tmp_path, *strangers) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        assert log_in(transport, sshd, agent=True) == ["Accepted ED25519"]
        monkeypatch.setenv("OTHER_AGENT", path)
        monkeypatch.delenv("SSH_AUTH_SOCK")
        allow(sshd, make_key(tmp_path / "nobody"))
        error = refuse(transport, sshd, {"identity_agent": "$OTHER_AGENT"}, agent=True)
    assert (error.code, "Too many authentication failures" in error.message) == ("auth-closed", True)
    assert sshd.log_text().count("Failed publickey") == 6


def test_no_agent_is_asked_where_ssh_config_says_none(
    transport: SshTransport, sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ssh_agent(tmp_path, sshd.key) as path:
        monkeypatch.setenv("SSH_AUTH_SOCK", path)
        assert refuse(transport, sshd, {"identity_agent": "none"}, identity=(), agent=True).code == "agent-unavailable"


def test_identity_that_cannot_be_used_does_not_hide_one_that_can(
    transport: SshTransport, sshd: Sshd, tmp_path: Path
) -> None:
    """As ssh goes on to the next; when all is refused, the message says which were not tried, and why."""
    encrypted = make_key(tmp_path / "encrypted", "ed25519", "secret", "-a", "1")
    absent = str(tmp_path / "absent")
    assert log_in(transport, sshd, identity=(absent, str(encrypted), str(sshd.key))) == ["Accepted ED25519"]
    error = refuse(transport, sshd, identity=(absent, str(encrypted), str(make_key(tmp_path / "stranger"))))
    assert error.code == "auth-refused"
    assert f"the key {encrypted} (not tried: the key {encrypted} is encrypted)" in error.message
    assert f"(not tried: cannot read the key {absent}: No such file or directory)" in error.message


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa", "rsa"])
@pytest.mark.parametrize("passphrase", ["", "pass phräse"])
def test_pkcs8_files(
    transport: SshTransport,
    sshd: Sshd,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    key_type: str,
    passphrase: str,
) -> None:
    """As OpenSSL writes them; the passphrase comes by reference."""
    from cryptography.hazmat.primitives import serialization

    key = make_key(tmp_path / "key", key_type)
    allow(sshd, key)
    private = serialization.load_ssh_private_key(key.read_bytes(), None)
    hidden = serialization.BestAvailableEncryption(passphrase.encode()) if passphrase else serialization.NoEncryption()
    pem = serialization.Encoding.PEM
    key.write_bytes(private.private_bytes(pem, serialization.PrivateFormat.PKCS8, hidden))
    monkeypatch.setenv("NETAUDIT_TEST_PASSPHRASE", passphrase or "not asked for")
    reference = SecretRef(source="env", name="NETAUDIT_TEST_PASSPHRASE")
    tried = log_in(transport, sshd, identity=(str(key),), passphrase=reference)
    assert tried == [f"Accepted {key_type.upper()}"]


def test_wrong_password_costs_three_failures_however_many_hosts_ask_at_once(
    transport: SshTransport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account behind twenty hosts is not locked by a typo."""
    monkeypatch.setenv("NETAUDIT_TEST_PASSWORD", "not it")
    password = SecretRef(source="env", name="NETAUDIT_TEST_PASSWORD")
    codes: list[str] = []
    with run_sshd(tmp_path / "sshd", ["PasswordAuthentication yes", "MaxStartups 100"]) as sshd:

        def run() -> None:
            codes.append(refuse(transport, sshd, identity=(), password=password).code)

        threads = [threading.Thread(target=run) for _ in range(20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sshd.wait_for_close()
        assert sshd.log_text().count("Failed password") == MOST_REFUSALS
    assert sorted(codes) == ["auth-refused"] * MOST_REFUSALS + ["auth-suspended"] * (20 - MOST_REFUSALS)
