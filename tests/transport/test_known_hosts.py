"""known_hosts: the same files are put before OpenSSH's own tools, and both must say the same."""

import base64
import hmac
import os
import re
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import TransportError
from auditor.transport import hashed_names
from auditor.transport.known_hosts import (
    KnownHosts,
    Ruling,
    Shown,
    load_known_hosts,
    parse_known_hosts,
    place_of,
)
from auditor.transport.public_key import fingerprint
from auditor.transport.ssh import SshTransport
from tests.builders import NOW
from tests.requirements import require
from tests.servers.sshd import HOST_KEY_TYPES, Sshd, make_key, run_sshd
from tests.transport.conftest import SCRIPT


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return public keys by a short name, as `type base64`."""
    require("ssh-keygen")
    folder = tmp_path_factory.mktemp("keys")
    kinds = {"ed": "ed25519", "ed2": "ed25519", "ec": "ecdsa", "rsa": "rsa"}
    made = {name: make_key(folder / name, kind).with_suffix(".pub").read_text() for name, kind in kinds.items()}
    return {name: " ".join(text.split()[:2]) for name, text in made.items()}


def blob(key: str) -> bytes:
    return base64.b64decode(key.split()[1])


def index(text: str) -> KnownHosts:
    found, problems = parse_known_hosts(text, "known_hosts")
    return KnownHosts(found, problems)


def judge(known: KnownHosts, name: str, port: int, key: bytes) -> Ruling:
    return known.judge(place_of(name, port), Shown(key), now=0.0)


def hash_names(path: Path) -> None:
    """Hash the names in a file with ssh-keygen -H."""
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", path], check=False, capture_output=True)
    Path(f"{path}.old").unlink(missing_ok=True)  # there is none when it gave up because of a bad line


LOOKUPS = [
    # lines ({ed} {ec} stand for keys), name and port looked up
    ("web {ed}", "web", 22),
    ("web {ed}", "other", 22),
    ("WEB.Example.COM {ed}", "web.example.com", 22),
    ("web.example.com {ed}", "Web.Example.Com", 22),
    ("a,web,b {ed}", "web", 22),
    ("[web]:2222 {ed}", "web", 2222),
    ("[web]:2222 {ed}", "web", 22),
    ("*.example.com {ed}", "web.example.com", 22),
    ("*.example.com {ed}", "example.com", 22),
    ("web-? {ed}", "web-1", 22),
    ("web-? {ed}", "web-12", 22),
    ("*.example.com,!db.example.com {ed}", "web.example.com", 22),
    ("*.example.com,!db.example.com {ed}", "db.example.com", 22),
    ("!db,* {ed}", "db", 22),
    ("!db {ed}", "web", 22),
    ("[*]:2222 {ed}", "web", 2222),
    ("web {ed}\nweb {ec}\nweb {rsa}", "web", 22),
    ("# web {ed}\n\n   web\t{ec} a comment", "web", 22),
    ("@cert-authority web {ed}\nweb {ec}", "web", 22),
    ("@revoked web {ed}\nweb {ec}", "web", 22),
    ("web.example {ed}\nwebXexample {ec}", "web.example", 22),
    ("2001:db8::1 {ed}", "2001:DB8::1", 22),
    ("[2001:db8::1]:2222 {ed}", "2001:db8::1", 2222),
]


@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
@pytest.mark.parametrize(("lines", "name", "port"), LOOKUPS)
def test_lookup_finds_what_ssh_keygen_finds(
    keys: dict[str, str], tmp_path: Path, lines: str, name: str, port: int, hashed: bool
) -> None:
    """`ssh-keygen -F` prints the line number of every line that names the host; keys we trust must be theirs."""
    path = tmp_path / "known_hosts"
    path.write_text(lines.format(**keys) + "\n")
    if hashed:
        hash_names(path)
    wanted = (name if port == 22 else f"[{name}]:{port}").lower()
    listed = subprocess.run(
        ["ssh-keygen", "-F", wanted, "-f", path], check=False, capture_output=True, text=True
    ).stdout
    found = re.findall(r"^# Host .* found: line (\d+) ?(\w*)", listed, re.MULTILINE)
    expected = {int(line) for line, marker in found if not marker}
    known = load_known_hosts([str(path)])
    trusted = set()
    for key in keys.values():
        ruling = judge(known, name, port, blob(key))
        if ruling.trust == "trusted" and port == 22:
            trusted |= {line.line for line in ruling.lines}
        elif ruling.trust == "trusted":
            trusted |= {line.line for line in ruling.lines if ":" in line.names or hashed}
        elif ruling.trust == "revoked":
            assert "REVOKED" in {marker for _, marker in found}
    assert trusted == expected


VERDICTS = [
    # a known_hosts file for a server with an Ed25519 key {ed} at 127.0.0.1:{port}; what ssh must say of it
    ("", False),
    ("[127.0.0.1]:{port} {ed}", True),
    ("127.0.0.1 {ed}", True),
    ("127.0.0.1 {other}", False),
    ("[127.0.0.1]:{port} {other}", False),
    ("[127.0.0.1]:{port} {other}\n[127.0.0.1]:{port} {ed}", True),
    ("[127.0.0.1]:{port} {other}\n127.0.0.1 {ed}", False),
    ("[127.0.0.1]:{port} {ec}", False),
    ("* {ed}", True),
    ("*,!127.0.0.1 {ed}", True),
    ("*,![127.0.0.1]:* {ed}", True),
    ("*,!127.0.0.1,![127.0.0.1]:* {ed}", False),
    ("[127.0.0.*]:{port} {ed}", True),
    ("@revoked * {ed}\n[127.0.0.1]:{port} {ed}", False),
    ("[127.0.0.1]:{port} {ed}\n@revoked [127.0.0.1]:{port} {ed}", False),
    ("[127.0.0.1]:{port} {ed}\n@revoked [127.0.0.1]:{port} {other}", True),
    ("[127.0.0.1]:{port} {ed}\n@revoked example.com {ed}", True),
    ("@cert-authority * {ed}", False),
    ("@cert-authority * {other}\n[127.0.0.1]:{port} {ed}", True),
    ("nonsense\nweb ssh-ed25519 AAAA!\n[127.0.0.1]:{port} {ed}", True),
    ("[127.0.0.1]:{port} {ed}\n@revoked 127.0.0.1 {ed}", True),
    ("127.0.0.1 {ed}\n@revoked 127.0.0.1 {ed}", False),
    ("127.0.0.1 {ed}\n@revoked [127.0.0.1]:{port} {ed}", False),
    ("127.0.0.1 {other}\n127.0.0.1 {ed}", True),
    ("[127.0.0.1]:{port}1 {ed}", False),
    ("[127.0.0.1]:* {ed}", True),
    ("web,db,127.0.0.? {ed}", True),
    ("127.0.0.1,[127.0.0.1]:1 {ed}", True),
    ("127.0.0.1,!127.0.0.1 {ed}", False),
    ("!127.0.0.1 {ed}", False),
    ("\t127.0.0.1 \t {ed} a comment", True),
    ("127.0.0.1 {ed}\r", True),
    ("#127.0.0.1 {ed}", False),
    ("@Revoked * {ed}\n127.0.0.1 {ed}", True),
    ("@revoked  *\t{ed}\n127.0.0.1 {ed}", False),
    ("@cert-authority 127.0.0.1 {ed}\n127.0.0.1 {ed}", True),
    ("127.0.0.1 ssh-rsa {ed}", False),
    ("127.0.0.1 rsa-sha2-512 {ed}", False),
    ("127.0.0.1", False),
    ("127.0.0.1 256 {ed}", False),
    ("127.0.0.1, {ed}", True),
    ("**,*** {ed}", True),
    ("|1|AAAA|AAAA {ed}\n127.0.0.1 {ed}", True),
    ("|1|damaged {ed}\n|1|| {ed}\n127.0.0.1 {ed}", True),
]


@pytest.fixture(scope="module")
def sshd(tmp_path_factory: pytest.TempPathFactory) -> "object":
    with run_sshd(tmp_path_factory.mktemp("sshd")) as server:
        yield server


def ask_ssh(sshd: Sshd, *files: Path) -> "subprocess.CompletedProcess[bytes]":
    """Connect with these files for known_hosts, the last of them the system's."""
    require("ssh")
    options = {
        "StrictHostKeyChecking": "yes",
        "UserKnownHostsFile": " ".join(map(str, files[:-1] or files)),
        "GlobalKnownHostsFile": files[-1],
        "IdentitiesOnly": "yes",
        "BatchMode": "yes",
    }
    flags = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return subprocess.run(
        ["ssh", "-F", "/dev/null", *flags, "-i", sshd.key, "-p", str(sshd.port), f"{sshd.user}@127.0.0.1", "true"],
        check=False, capture_output=True, stdin=subprocess.DEVNULL, env={**os.environ, "SSH_AUTH_SOCK": ""},
    )  # fmt: skip


@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
@pytest.mark.parametrize(("text", "trusted"), VERDICTS)
def test_verdict_is_that_of_ssh(
    sshd: Sshd, keys: dict[str, str], tmp_path: Path, text: str, trusted: bool, hashed: bool
) -> None:
    """`ssh -o StrictHostKeyChecking=yes` connects exactly when the key is trusted."""
    path = tmp_path / "known_hosts"
    path.write_text(text.format(port=sshd.port, ed=sshd.public_key(), other=keys["ed2"], ec=keys["ec"]) + "\n")
    if hashed:
        hash_names(path)
    ssh = ask_ssh(sshd, path)
    assert (ssh.returncode == 0) == trusted
    ruling = judge(load_known_hosts([str(path)]), "127.0.0.1", sshd.port, blob(sshd.public_key()))
    assert (ruling.trust == "trusted") == trusted
    assert (ruling.trust == "revoked") == (b"REVOKED HOST KEY" in ssh.stderr)
    assert (ruling.trust == "mismatch") == (b"REMOTE HOST IDENTIFICATION HAS CHANGED" in ssh.stderr)


SEVERAL_KEYS = [
    # known_hosts of a server that has a key of each type, and which of them it must show
    ("127.0.0.1 {ed25519}", "ssh-ed25519"),
    ("[127.0.0.1]:{port} {ecdsa}", "ecdsa-sha2-nistp256"),
    ("[127.0.0.1]:{port} {rsa}", "ssh-rsa"),
    ("[127.0.0.1]:{port} {rsa}\n[127.0.0.1]:{port} {ecdsa}", "ecdsa-sha2-nistp256"),
    ("[127.0.0.1]:{port} {other}\n[127.0.0.1]:{port} {rsa}", None),
    ("127.0.0.1 {ecdsa}", None),
    ("127.0.0.1 {ecdsa}\n127.0.0.1 {ed25519}", "ssh-ed25519"),
    ("@revoked * {ed25519}\n[127.0.0.1]:{port} {rsa}", "ssh-rsa"),
    ("@revoked * {rsa}\n[127.0.0.1]:{port} {ed25519}", "ssh-ed25519"),
    ("@revoked * {rsa}\n[127.0.0.1]:{port} {rsa}", None),
]


@pytest.mark.parametrize("hashed", [False, True], ids=["plain", "hashed"])
def test_server_shows_the_key_it_shows_ssh(
    tmp_path_factory: pytest.TempPathFactory, keys: dict[str, str], tmp_path: Path, hashed: bool
) -> None:
    """What is on file decides what is asked for, so that a server with several keys raises no false alarm."""
    path = tmp_path / "known_hosts"
    with run_sshd(tmp_path / "sshd", host_keys=HOST_KEY_TYPES) as sshd:
        shown = {key_type: sshd.public_key(key_type) for key_type in HOST_KEY_TYPES}
        for text, expected in SEVERAL_KEYS:
            path.write_text(text.format(port=sshd.port, other=keys["ed2"], **shown) + "\n")
            if hashed:
                hash_names(path)
            assert (ask_ssh(sshd, path).returncode == 0) == (expected is not None), text
            assert connect(sshd, path) == expected, text


def test_several_files_are_read_together(keys: dict[str, str], tmp_path: Path, sshd: Sshd) -> None:
    """A revocation in the last counts for a key in the first."""
    good, revoked = tmp_path / "good", tmp_path / "revoked"
    good.write_text(f"127.0.0.1 {sshd.public_key()}\n")
    revoked.write_text(f"@revoked * {keys['ed2']}\n")
    assert (ask_ssh(sshd, good, revoked).returncode, connect(sshd, good, revoked)) == (0, "ssh-ed25519")
    revoked.write_text(f"@revoked 127.0.0.1 {sshd.public_key()}\n")
    assert (ask_ssh(sshd, good, revoked).returncode, connect(sshd, good, revoked)) == (255, None)


def connect(sshd: Sshd, *files: Path) -> str | None:
    """Return the type of the host key that netaudit was shown and trusts, None when it trusts none."""
    host = sshd.host(known_hosts=tuple(map(str, files)))
    with SshTransport(clock=lambda: NOW) as transport:
        try:
            return str(transport.run(host, SCRIPT).session.host_key).split()[0]
        except TransportError as error:
            return None if error.phase == "hostkey" else str(error)


def test_hashed_names_cost_one_try_for_a_key_that_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """10,000 hosts against 10,000 hashed lines: as many HMACs as hosts, not as many as pairs."""
    keys = [f"ssh-ed25519 {base64.b64encode(HEAD + os.urandom(32)).decode()}" for _ in range(500)]
    known = index("\n".join(f"{hash_name(f'host-{n}')} {key}" for n, key in enumerate(keys)))
    tried: list[str] = []
    digest = hmac.digest

    def count(key: bytes, message: bytes, name: str) -> bytes:
        tried.append(name)
        return digest(key, message, name)

    monkeypatch.setattr(hmac, "digest", count)
    for n, key in enumerate(keys):
        assert known.key_types(place_of(f"host-{n}", 22)) == ("ssh-ed25519",)
        assert judge(known, f"host-{n}", 22, blob(key)).trust == "trusted"
    assert len(tried) == len(keys)
    assert judge(known, "host-1", 22, blob(keys[2])).trust == "mismatch"
    assert judge(known, "host-x", 22, blob(keys[2])).trust == "unknown"


HEAD = b"\0\0\0\x0bssh-ed25519\0\0\0 "


def hash_name(name: str) -> str:
    """Return a name as HashKnownHosts writes it (sshd(8)): checked against ssh-keygen -F by the tests above."""
    salt = os.urandom(20)
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


def test_type_that_was_guessed_wrongly_is_asked_for_again(
    keys: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When trying all hashed names has cost too much, the first answer may be of another type than the one on file."""
    monkeypatch.setattr(hashed_names, "_MOST_GUESSES", 0)
    path = tmp_path / "known_hosts"
    with run_sshd(tmp_path / "sshd", host_keys=HOST_KEY_TYPES) as sshd:
        name = f"[127.0.0.1]:{sshd.port}"
        path.write_text(f"{hash_name('other')} {keys['ed']}\n{hash_name(name)} {sshd.public_key('rsa')}\n")
        assert connect(sshd, path) == "ssh-rsa"
        path.write_text(f"{hash_name('other')} {keys['ed']}\n{hash_name(name)} {keys['rsa'][:-8]}AAAAAAA=\n")
        assert connect(sshd, path) is None


def test_fingerprint_is_that_of_ssh_keygen(keys: dict[str, str], tmp_path: Path) -> None:
    for name, key in keys.items():
        path = tmp_path / name
        path.write_text(key + "\n")
        listed = subprocess.run(["ssh-keygen", "-l", "-f", path], check=True, capture_output=True, text=True).stdout
        assert listed.split()[1] == fingerprint(blob(key))


def test_every_bad_line_is_one_warning(keys: dict[str, str]) -> None:
    """A bad line is told with its place, and the lines around it count."""
    bad = ["lonely", "web ssh-ed25519", "web ssh-ed25519 !!!", f"web ssh-rsa {keys['ed'].split()[1]}",
           f"@nonsense web {keys['ed']}", f"|1|x {keys['ed']}", "host 1024 35 1234567"]  # fmt: skip
    known = index("\n".join([*bad, f"web {keys['ed']}"]))
    assert [(warning.file, warning.line) for warning in known.warnings] == [("known_hosts", n) for n in range(1, 8)]
    assert judge(known, "web", 22, blob(keys["ed"])).trust == "trusted"


def test_key_types_are_those_stored(keys: dict[str, str]) -> None:
    """The server must be asked for a key we have; revoked and authority lines are none."""
    known = index(
        f"web {keys['rsa']}\nweb {keys['ed']}\n@revoked web {keys['ec']}\n[web]:2222 {keys['ec']}\n"
        f"@cert-authority web {keys['ec']}"
    )
    assert known.key_types(place_of("WEB", 22)) == ("ssh-rsa", "ssh-ed25519")
    assert known.key_types(place_of("web", 2222)) == ("ecdsa-sha2-nistp256",)
    assert known.key_types(place_of("other", 22)) == ()


def test_hashed_revocation_wins_over_a_plain_line(keys: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "revoked"
    path.write_text(f"web {keys['ed']}\n")
    hash_names(path)
    path.write_text(f"@revoked {path.read_text()}web {keys['ed']}\n")
    assert judge(load_known_hosts([str(path)]), "web", 22, blob(keys["ed"])).trust == "revoked"


def test_absent_files(tmp_path: Path) -> None:
    """A default file may be absent; one that was named may not, and neither may be unreadable."""
    absent = str(tmp_path / "absent")
    assert load_known_hosts([absent], optional=True).warnings == ()
    with pytest.raises(TransportError) as failure:
        load_known_hosts([absent])
    assert failure.value.code == "known-hosts-unreadable"
    with pytest.raises(TransportError):
        load_known_hosts([str(tmp_path)], optional=True)


def test_thousands_of_lines_are_read_in_linear_time(keys: dict[str, str]) -> None:
    """paramiko's loader takes minutes for this; the bound only has to tell linear from quadratic."""
    import time

    text = "".join(f"host-{n}.example.com,10.{n >> 16}.{n >> 8 & 255}.{n & 255} {keys['ed']}\n" for n in range(50_000))
    started = time.monotonic()
    known = index(text)
    assert judge(known, "host-49999.example.com", 22, blob(keys["ed"])).trust == "trusted"
    assert time.monotonic() - started < 20


@given(st.text(max_size=300))
def test_any_text_can_be_read(text: str) -> None:
    """Reading never raises, and every line is a key, a warning, a comment or blank."""
    found, problems = parse_known_hosts(text, "x")
    lines = [line.strip() for line in text.split("\n")]
    assert len(found) + len(problems) == sum(bool(line) and not line.startswith("#") for line in lines)
    judge(KnownHosts(found), "web", 22, b"x")
