"""Secrets and keys: read when needed, refused when exposed, never shown."""

import os
import threading
import time
from pathlib import Path

import pytest

from auditor.errors import TransportError
from auditor.model.host import SecretRef
from auditor.transport.deadline import Deadline
from auditor.transport.secret import resolve_secret
from auditor.transport.ssh_breaker import MOST_REFUSALS, Breaker
from auditor.transport.ssh_keys import Credential, KeyRing
from tests.builders import a_host
from tests.servers.sshd import make_key


def refused(ref: SecretRef) -> str:
    with pytest.raises(TransportError) as failure:
        resolve_secret(ref)
    assert failure.value.phase == "auth"
    assert "hunter2" not in f"{failure.value.message} {failure.value.hint}"
    return failure.value.code


def test_secret_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    ref = SecretRef(source="env", name="NETAUDIT_TEST_SECRET")
    monkeypatch.setenv(ref.name, "hunter2\n")
    assert resolve_secret(ref) == "hunter2\n"  # nobody adds a newline to a variable by accident
    monkeypatch.setenv(ref.name, "")
    assert refused(ref) == "secret-missing"
    monkeypatch.delenv(ref.name)
    assert refused(ref) == "secret-missing"


@pytest.mark.parametrize(
    ("content", "secret"),
    [
        (b"hunter2", "hunter2"),
        (b"hunter2\n", "hunter2"),
        (b"hunter2\r\n", "hunter2"),
        (b" hunter2 \n\n", " hunter2 \n"),
    ],
)
def test_secret_from_a_file(tmp_path: Path, content: bytes, secret: str) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    assert resolve_secret(SecretRef(source="file", name=str(path))) == secret


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o601])
def test_secret_file_that_others_may_touch(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "secret"
    path.write_text("hunter2")
    path.chmod(mode)
    assert refused(SecretRef(source="file", name=str(path))) == "secret-exposed"


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_secret_file_without_a_secret(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "secret"
    path.write_bytes(content)
    path.chmod(0o600)
    assert refused(SecretRef(source="file", name=str(path))) == "secret-missing"
    assert refused(SecretRef(source="file", name=str(tmp_path / "absent"))) == "secret-missing"


def broken_key(path: Path, passphrase: SecretRef | None = None) -> str:
    with pytest.raises(TransportError) as failure:
        KeyRing().credentials(a_host(identity=(str(path),), passphrase=passphrase))
    assert str(path) in failure.value.message
    assert failure.value.hint
    return failure.value.code


def test_keys_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETAUDIT_TEST_WRONG", "wrong")
    encrypted = make_key(tmp_path / "encrypted", "ed25519", "right", "-a", "1")
    junk = tmp_path / "junk"
    junk.write_text("-----BEGIN OPENSSH PRIVATE KEY-----\njunk\n-----END OPENSSH PRIVATE KEY-----\n")
    assert broken_key(encrypted) == "key-encrypted"
    assert broken_key(encrypted, SecretRef(source="env", name="NETAUDIT_TEST_WRONG")) == "key-encrypted"
    assert broken_key(junk) == "key-exposed"
    junk.chmod(0o600)
    assert broken_key(junk) == "key-unreadable"
    encrypted.with_suffix(".pub").chmod(0o600)
    assert broken_key(encrypted.with_suffix(".pub")) == "key-unreadable"
    assert broken_key(tmp_path) == "key-unreadable"
    assert broken_key(tmp_path / "absent") == "key-unreadable"


def test_a_key_that_others_may_read_is_refused_as_ssh_refuses_it(tmp_path: Path) -> None:
    key = make_key(tmp_path / "key")
    for mode in (0o640, 0o604, 0o620):
        key.chmod(mode)
        assert broken_key(key) == "key-exposed"


def test_a_key_that_is_a_pipe_does_not_hold_the_run_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe", 0o600)
    assert broken_key(tmp_path / "pipe") == "key-unreadable"


def test_key_is_parsed_once_and_shared(tmp_path: Path) -> None:
    path = make_key(tmp_path / "key")
    ring = KeyRing()
    hosts = [a_host(name, identity=(str(path),)) for name in ("a", "b")]
    first, second = (ring.credentials(host)[0] for host in hosts)
    assert first is second


def test_order_is_keys_then_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NETAUDIT_TEST_SECRET", "hunter2")
    paths = [make_key(tmp_path / name) for name in ("one", "two")]
    password = SecretRef(source="env", name="NETAUDIT_TEST_SECRET")
    found = KeyRing().credentials(a_host(identity=tuple(map(str, paths)), password=password))
    assert [credential.kind for credential in found] == ["publickey", "publickey", "password"]
    assert "hunter2" not in repr(found)


def note(breaker: Breaker, credential: Credential, accepted: bool | None) -> None:
    with breaker.trial("audit", credential, Deadline(5)) as trial:
        trial.accepted = accepted


def test_password_that_is_refused_everywhere_is_given_up() -> None:
    """One success in between starts the count again; keys and other users are another matter."""
    breaker = Breaker()
    password = Credential("password", "the password from env:X", secret="hunter2")
    key = Credential("publickey", "the key K")
    for accepted in [False] * (MOST_REFUSALS - 1) + [True, None] + [False] * (MOST_REFUSALS - 1):
        note(breaker, password, accepted)
        note(breaker, key, False)
    assert breaker.admit("audit", [key, password]) == (key, password)
    note(breaker, password, False)
    assert breaker.admit("audit", [key, password]) == (key,)
    assert breaker.admit("other", [password]) == (password,)
    for suspended in (lambda: breaker.admit("audit", [password]), lambda: note(breaker, password, True)):
        with pytest.raises(TransportError) as failure:
            suspended()
        assert failure.value.code == "auth-suspended"
        assert "hunter2" not in str(failure.value)


@pytest.mark.parametrize("good", [False, True])
def test_no_more_hosts_try_a_new_password_at_once_than_may_refuse_it(good: bool) -> None:
    """Forty threads with a wrong password cost three logins; with a good one they soon run together."""
    breaker = Breaker()
    password = Credential("password", "the password from env:X", secret="hunter2")
    tried: list[int] = []
    codes: list[str] = []

    def log_in() -> None:
        try:
            with breaker.trial("audit", password, Deadline(20)) as trial:
                tried.append(1)
                time.sleep(0.05)
                trial.accepted = good
        except TransportError as error:
            codes.append(error.code)

    threads = [threading.Thread(target=log_in) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(tried) == (40 if good else MOST_REFUSALS)
    assert codes == ([] if good else ["auth-suspended"] * (40 - MOST_REFUSALS))
