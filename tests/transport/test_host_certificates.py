"""Host certificates: every case is put before ssh(1) and netaudit against the same sshd, and both must say the same."""

import os
import subprocess
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import TransportError
from auditor.model.host import SshOptions
from auditor.transport.certificate import read_certificate
from auditor.transport.host_keys import HostKeys
from auditor.transport.ssh import SshTransport
from tests.builders import NOW
from tests.requirements import require
from tests.servers.sshd import Sshd, make_key, run_sshd
from tests.transport.conftest import SCRIPT


def ssh_connects(sshd: Sshd, known_hosts: Path, *options: str) -> tuple[bool, str]:
    """Return whether `ssh -o StrictHostKeyChecking=yes` gets in, and what it says."""
    require("ssh")
    said = [f"UserKnownHostsFile={known_hosts}", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=/dev/null",
            "IdentitiesOnly=yes", "BatchMode=yes", *options]  # fmt: skip
    flags = [word for option in said for word in ("-o", option)]
    done = subprocess.run(
        ["ssh", "-F", "/dev/null", *flags, "-i", sshd.key, "-p", str(sshd.port), f"{sshd.user}@127.0.0.1", "true"],
        check=False, capture_output=True, stdin=subprocess.DEVNULL, env={**os.environ, "SSH_AUTH_SOCK": ""}, text=True,
    )  # fmt: skip
    return done.returncode == 0, done.stderr


def netaudit_connects(sshd: Sshd, known_hosts: Path, **ssh: Any) -> tuple[bool, str]:
    """Return whether netaudit gets in, and by which trust, or the code of why not."""
    host = sshd.host(known_hosts=(str(known_hosts),), ssh=SshOptions(**ssh))
    accepted = known_hosts.with_name("accepted") / "known_hosts"
    with SshTransport(clock=lambda: NOW, host_keys=HostKeys(accepted=accepted)) as transport:
        try:
            return True, str(transport.run(host, SCRIPT).session.host_key_trust)
        except TransportError as error:
            return False, error.code if error.phase == "hostkey" else str(error)


@dataclass(frozen=True)
class Case:
    """How the host's key is certified (options of ssh-keygen -s; None: not at all), and known_hosts to try with it.

    In those, {key} is the host's plain key, {ca} its authority's, {other} a stranger's. They are pairs of the text and
    what must come of it; ssh is asked, too.
    """

    sign: Sequence[str] | None
    known: Sequence[tuple[str, str]]
    authority: str = "ed25519"
    key_type: str = "ed25519"
    options: Sequence[str] = field(default=("-h",))


ANY = "@cert-authority * {ca}"
NAMED = ("-n", "127.0.0.1", "-V", "-1h:+1h")
NO = "hostkey-certificate"
CASES = {
    "valid": Case(
        NAMED,
        [
            (ANY, "certificate"),
            ("@cert-authority 127.0.0.* {ca}", "certificate"),
            ("@cert-authority [127.0.0.1]:{port} {ca}", "certificate"),
            ("@cert-authority *,!127.0.0.1,![127.0.0.1]:* {ca}", "hostkey-unknown"),
            ("@cert-authority web {ca}", "hostkey-unknown"),
            ("@cert-authority * {other}", NO),
            ("@cert-authority * {other}\n@cert-authority * {ca}", "certificate"),
            ("@cert-authority * {other}\n127.0.0.1 {key}", "known"),
            ("@cert-authority 127.0.0.1 {other}\n[127.0.0.1]:{port} {key}", "known"),
            (ANY + "\n@revoked * {ca}", "hostkey-revoked"),
            (ANY + "\n@revoked * {key}", "hostkey-revoked"),
            (ANY + "\n@revoked * {other}", "certificate"),
            (ANY + "\n127.0.0.1 {other}", "certificate"),
            ("@cert-authority * {other}\n[127.0.0.1]:{port} {other}", "hostkey-mismatch"),
            ("127.0.0.1 {key}", "known"),
            ("* {ca}", "hostkey-mismatch"),
            ("@cert-authority * {key}", NO),
            ("", "hostkey-unknown"),
        ],
    ),
    "expired": Case(
        ("-n", "127.0.0.1", "-V", "-2h:-1h"),
        [(ANY, NO), (ANY + "\n127.0.0.1 {key}", "known"), (ANY + "\n[127.0.0.1]:{port} {other}", "hostkey-mismatch")],
    ),
    "not yet valid": Case(("-n", "127.0.0.1", "-V", "+1h:+2h"), [(ANY, NO), (ANY + "\n* {key}", "known")]),
    "another name": Case(("-n", "web,127.0.0.10"), [(ANY, NO), (ANY + "\n127.0.0.1 {key}", "known")]),
    "several names": Case(("-n", "web,127.0.0.1"), [(ANY, "certificate")]),
    "a pattern for a name": Case(("-n", "127.0.0.*"), [(ANY, NO)]),
    "no name": Case((), [(ANY, "certificate")]),
    "a user's": Case(NAMED, [(ANY, NO)], options=()),
    "an option nobody knows": Case((*NAMED, "-O", "critical:burn@example.com"), [(ANY, NO)]),
    "by an RSA authority": Case(NAMED, [(ANY, "certificate")], authority="rsa", key_type="ecdsa"),
    "by an RSA authority with SHA-1": Case((*NAMED, "-t", "ssh-rsa"), [(ANY, NO)], authority="rsa"),
    "by an ECDSA authority": Case(NAMED, [(ANY, "certificate")], authority="ecdsa", key_type="rsa"),
    "none": Case(None, [(ANY, "hostkey-unknown"), (ANY + "\n127.0.0.1 {key}", "known")]),
}


def prepare(case: Case, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Make the keys of a case; return what sshd needs to be told, and the public keys by name."""
    paths = {"key": make_key(folder / "key", case.key_type), "other": make_key(folder / "other")}
    paths["ca"] = make_key(folder / "ca", case.authority)
    lines = [f"HostKey {paths['key']}"]
    if case.sign is not None:
        sign = [
            "ssh-keygen",
            "-q",
            "-s",
            str(paths["ca"]),
            "-I",
            "id",
            *case.options,
            *case.sign,
            f"{paths['key']}.pub",
        ]
        subprocess.run(sign, check=True, capture_output=True)
        lines.append(f"HostCertificate {paths['key']}-cert.pub")
    return lines, {name: " ".join(Path(f"{path}.pub").read_text().split()[:2]) for name, path in paths.items()}


@pytest.mark.parametrize("name", CASES)
def test_answer_is_that_of_ssh(tmp_path: Path, name: str) -> None:
    case = CASES[name]
    lines, keys = prepare(case, tmp_path)
    known_hosts = tmp_path / "known_hosts"
    with run_sshd(tmp_path / "sshd", lines, host_keys=()) as sshd:
        for text, expected in case.known:
            known_hosts.write_text(text.format(port=sshd.port, **keys) + "\n")
            connected, said = ssh_connects(sshd, known_hosts)
            assert netaudit_connects(sshd, known_hosts) == (connected, expected), (text, said)


def test_names_are_those_of_ssh(tmp_path: Path) -> None:
    """An alias stands for name and port, in any case, in plain and in hashed lines."""
    lines, keys = prepare(Case(("-n", "fleet-7"), ()), tmp_path)
    known_hosts = tmp_path / "known_hosts"
    hashed = tmp_path / "hashed"
    hashed.write_text(f"fleet-7 {keys['ca']}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", hashed], check=True, capture_output=True)
    texts = [
        "@cert-authority fleet-* {ca}",
        "@cert-authority [fleet-7]:* {ca}",
        f"@cert-authority {hashed.read_text()}",
    ]
    answers = []
    with run_sshd(tmp_path / "sshd", lines, host_keys=()) as sshd:
        for text in texts:
            for alias in ("Fleet-7", "fleet-8"):
                known_hosts.write_text(text.format(**keys) + "\n")
                connected, said = ssh_connects(sshd, known_hosts, f"HostKeyAlias={alias}")
                answer = netaudit_connects(sshd, known_hosts, host_key_alias=alias)
                assert answer[0] == connected, (text, alias, said)
                answers.append(connected)
    assert answers == [True, False, False, False, True, False]


@pytest.mark.parametrize("revoked", ["{key}", "{ca}", "{other}", "# {key}", "nonsense", "", "KRL", None])
def test_revoked_host_keys_as_ssh_reads_them(tmp_path: Path, revoked: str | None) -> None:
    """A file of RevokedHostKeys that cannot be read, or is a KRL, lets nobody through."""
    lines, keys = prepare(Case(NAMED, ()), tmp_path)
    known_hosts, path = tmp_path / "known_hosts", tmp_path / "revoked"
    known_hosts.write_text(f"@cert-authority * {keys['ca']}\n127.0.0.1 {keys['key']}\n")
    if revoked == "KRL":
        subprocess.run(["ssh-keygen", "-q", "-k", "-f", path, tmp_path / "other.pub"], check=True)
    elif revoked is not None:
        path.write_text(f"\n  {keys['other']} comment\n{revoked.format(**keys)}\n")
    with run_sshd(tmp_path / "sshd", lines, host_keys=()) as sshd:
        connected, said = ssh_connects(sshd, known_hosts, f"RevokedHostKeys={path}")
        answer, code = netaudit_connects(sshd, known_hosts, revoked_host_keys=(str(path),))
    if revoked == "KRL":
        assert (answer, code) == (False, "revoked-keys-unreadable")
        return
    assert answer == connected, said
    assert code in {"certificate", "hostkey-revoked", "revoked-keys-unreadable"}


def test_certificate_cut_anywhere_is_none(tmp_path: Path) -> None:
    """Every field is looked for, and nothing may follow the last."""
    prepare(Case(NAMED, ()), tmp_path)
    blob = bytes_of(tmp_path / "key-cert.pub")
    whole = read_certificate(blob)
    assert whole is not None
    assert whole.find_fault("127.0.0.1", whole.valid_after) == ""
    assert all(read_certificate(blob[:end]) is None for end in range(len(blob)))
    assert read_certificate(blob + b"\0") is None


def test_changed_certificate_is_not_the_authoritys(tmp_path: Path) -> None:
    """Wherever one bit is turned: no certificate any more, or one that vouches for nothing."""
    prepare(Case(NAMED, ()), tmp_path)
    blob = bytes_of(tmp_path / "key-cert.pub")
    for at in range(len(blob)):
        changed = read_certificate(blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :])
        assert changed is None or not changed.check_signature(), at


@given(st.binary(max_size=400))
def test_any_bytes_are_no_certificate(data: bytes) -> None:
    assert read_certificate(data) is None
    assert read_certificate(b"\0\0\0 ssh-ed25519-cert-v01@openssh.com" + data) is None


def bytes_of(path: Path) -> bytes:
    return b64decode(path.read_text().split()[1])
