"""accept-new, off, and what a run says about hosts that were not proved to be themselves."""

import threading
from pathlib import Path

import paramiko
import pytest

from auditor.errors import TransportError
from auditor.model.host import Host, HostKeyPolicy, SecretRef, SshOptions
from auditor.transport.accepted_keys import AcceptedKeys, default_path
from auditor.transport.host_keys import HostKeys
from auditor.transport.known_hosts import Shown, place_of
from auditor.transport.ssh import SshTransport
from auditor.transport.ssh_algorithms import Algorithms, choose_algorithms
from tests.builders import NOW, a_host
from tests.servers import hostile
from tests.servers.hostile import Manners, Seen, serve, ssh_server
from tests.servers.sshd import make_key, run_sshd
from tests.transport.conftest import SCRIPT

pytestmark = pytest.mark.usefixtures("nothing_left_behind")


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state" / "netaudit" / "known_hosts"


def run(host: Host, state: Path, policy: HostKeyPolicy = "strict") -> str:
    """Return how the host's key was trusted, or the code of why not."""
    with SshTransport(clock=lambda: NOW, host_keys=HostKeys(policy=policy, accepted=state)) as transport:
        try:
            return str(transport.run(host, SCRIPT).session.host_key_trust)
        except TransportError as error:
            return error.code


def test_new_key_is_kept_and_a_changed_one_refused(tmp_path: Path, state: Path) -> None:
    with run_sshd(tmp_path / "sshd") as sshd:
        trusted = sshd.known_hosts.read_text()
        assert run(sshd.host(), state, "accept-new") == "known"
        assert not state.exists(), "a known host is nothing new"
        sshd.known_hosts.write_text("")
        asked = sshd.host(ssh=SshOptions(strict_host_key_checking="accept-new"))
        assert run(sshd.host(), state) == "hostkey-unknown"
        assert run(asked, state) == "accepted"
        assert run(sshd.host(host_keys="accept-new"), state) == "accepted"
        assert state.read_text() == trusted
        assert (state.stat().st_mode & 0o777, sorted(path.name for path in state.parent.iterdir())) == (
            0o600,
            ["known_hosts", "known_hosts.lock"],
        )
        assert sshd.known_hosts.read_text() == "", "the user's own file is nobody else's"
        assert run(sshd.host(), state) == "hostkey-unknown", "a strict run does not know what was merely seen"
        assert run(asked.model_copy(update={"host_keys": "strict"}), state) == "hostkey-unknown"
        state.write_text(f"[127.0.0.1]:{sshd.port} {public(tmp_path / 'other')}\n")
        assert run(sshd.host(), state, "accept-new") == "hostkey-mismatch"
        sshd.known_hosts.write_text(f"@revoked * {sshd.public_key()}\n")
        state.unlink()
        assert run(sshd.host(), state, "accept-new") == "hostkey-revoked"
        assert not state.exists()


def public(path: Path) -> str:
    return make_key(path).with_suffix(".pub").read_text()


def test_configuration_alone_switches_nothing_off(tmp_path: Path, state: Path) -> None:
    """`StrictHostKeyChecking no` in a file is not the flag that everybody sees."""
    with run_sshd(tmp_path / "sshd") as sshd:
        sshd.known_hosts.write_text("")
        host = sshd.host(ssh=SshOptions(strict_host_key_checking="off"))
        assert run(host, state) == "hostkey-unknown"
        assert run(sshd.host(), state, "ignored") == "ignored"
        sshd.known_hosts.write_text(f"[127.0.0.1]:{sshd.port} {sshd.public_key()}\n")
        assert run(host, state, "ignored") == "known"
        assert run(sshd.host(known_hosts=("/nonexistent",)), state, "ignored") == "ignored"
        assert run(sshd.host(known_hosts=("/nonexistent",)), state) == "known-hosts-unreadable"


@pytest.mark.parametrize("known", ["", "other", "revoked"])
def test_password_goes_to_nobody_whose_key_is_known_to_be_wrong(
    tmp_path: Path, state: Path, monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    """As ssh with StrictHostKeyChecking=no: it logs in with keys there, and gives no password away."""
    monkeypatch.setenv("NETAUDIT_TEST_PASSWORD", hostile.PASSWORD)
    seen = Seen()
    with serve(ssh_server(Manners(on_exec=hostile.behave_well), seen)) as server:
        lines = {
            "": "",
            "other": f"[127.0.0.1]:{server.port} {public(tmp_path / 'other')}",
            "revoked": "@revoked * " + hostile.known_hosts_line(server.port).split(" ", 1)[1],
        }
        path = tmp_path / "known_hosts"
        path.write_text(lines[known])
        host = a_host(
            "lab", address="127.0.0.1", port=server.port, user=hostile.USER, known_hosts=(str(path),), timeout=10.0,
            password=SecretRef(source="env", name="NETAUDIT_TEST_PASSWORD"),
        )  # fmt: skip
        assert run(host, state, "ignored") == ("password-withheld" if known else "ignored")
        assert [login[0] for login in seen.logins] == ([] if known else ["password"])
        with_key = host.model_copy(update={"identity": (str(make_key(tmp_path / "key")),)})
        assert run(with_key, state, "ignored") == "ignored"
    assert all(login[0] == "publickey" for login in seen.logins[0 if known else 1 :])


def test_many_threads_and_runs_lose_no_key(state: Path) -> None:
    """Two runs add to one file at the same time; every line is there, whole, once."""
    keys = {f"host-{n}": paramiko.ECDSAKey.generate().asbytes() for n in range(40)}
    runs = [AcceptedKeys(state), AcceptedKeys(state)]

    def accept(accepted: AcceptedKeys) -> None:
        for name, blob in keys.items():
            assert accepted.accept(place_of(name, 22), Shown(blob), 0.0).trust == "trusted"

    threads = [threading.Thread(target=accept, args=(each,)) for each in runs * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in runs:
        each.close()
    assert sorted(line.split()[0] for line in state.read_text().splitlines()) == sorted(keys)
    wrong = Shown(keys["host-1"])
    assert runs[0].accept(place_of("host-0", 22), wrong, 0.0).trust == "mismatch"


def test_folder_that_cannot_be_written_lets_nobody_in(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with run_sshd(tmp_path / "sshd") as sshd:
        sshd.known_hosts.write_text("")
        assert run(sshd.host(), tmp_path / "file" / "known_hosts", "accept-new") == "accepted-keys-unusable"
        assert sshd.login_attempts() == 0


def test_place_of_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert default_path() == Path("/state/netaudit/known_hosts")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # which the specification says to ignore
    monkeypatch.setenv("HOME", "/home/audit")
    assert default_path() == Path("/home/audit/.local/state/netaudit/known_hosts")


def test_configured_algorithms_only_take_away() -> None:
    """Lists of ssh_config cut ours down, in our order; nothing weak comes in by them."""
    chosen = choose_algorithms(
        SshOptions(
            kex_algorithms=("diffie-hellman-group1-sha1", "ecdh-sha2-nistp256", "curve25519-sha256"),
            ciphers=("3des-cbc", "aes256-ctr", "aes128-gcm@openssh.com"),
            macs=("hmac-md5", "hmac-sha2-512"),
            host_key_algorithms=("ssh-dss", "rsa-sha2-256", "ssh-ed25519"),
        ),
        ["ssh-rsa"],
    )
    assert chosen == Algorithms(
        kex=("curve25519-sha256", "ecdh-sha2-nistp256"),
        host_keys=("rsa-sha2-256", "ssh-ed25519"),
        ciphers=("aes128-gcm@openssh.com", "aes256-ctr"),
        macs=("hmac-sha2-512",),
    )
    with pytest.raises(TransportError) as failure:
        choose_algorithms(SshOptions(ciphers=("3des-cbc", "arcfour")))
    assert (failure.value.phase, failure.value.code) == ("kex", "no-common-algorithms")
    assert "only 3des-cbc, arcfour as Ciphers; we use aes128-gcm@openssh.com" in failure.value.message


def test_configured_algorithms_are_those_negotiated(tmp_path: Path, state: Path) -> None:
    with run_sshd(tmp_path / "sshd", host_keys=("ed25519", "rsa")) as sshd:
        ssh = SshOptions(
            kex_algorithms=("curve25519-sha256",), ciphers=("aes256-ctr",), host_key_algorithms=("rsa-sha2-512",)
        )
        with SshTransport(clock=lambda: NOW, host_keys=HostKeys(accepted=state)) as transport:
            session = transport.run(sshd.host(ssh=ssh), SCRIPT).session
    assert (session.kex, session.cipher) == ("curve25519-sha256", "aes256-ctr")
    assert str(session.host_key).startswith("ssh-rsa ")
