"""Secrets with a canary in them go through a whole run, and are then looked for everywhere."""

import base64
import gc
import gzip
import json
import logging
import secrets
import subprocess
import sys
import tempfile
import threading
import traceback
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.errors import TransportError
from auditor.model.host import SecretRef
from auditor.reporters import FOLDERS, FORMATS
from auditor.transport import Script
from auditor.transport.ssh import SshTransport
from tests.builders import NOW, a_host
from tests.cli.site import LENIENT, environment
from tests.requirements import require
from tests.servers import hostile
from tests.servers.accounts import an_account, sudo_rules
from tests.servers.hostile import Manners, serve, ssh_server
from tests.servers.sshd import make_key, run_sshd

PASSWORD, WRONG, PHRASE = (f"canary-{word}-{secrets.token_hex(12)}" for word in ("password", "wrong", "phrase"))
INVENTORY = """\
version: 1
defaults: {{port: {port}, user: {user}, known_hosts: known_hosts, timeout: 30}}
hosts:
  by-key: {{address: 127.0.0.1, identity: key, passphrase: "env:PHRASE", sudo: true, sudo_password: "file:secret"}}
  by-password: {{address: 127.0.0.1, password: "file:secret"}}
  refused: {{address: 127.0.0.1, password: "env:WRONG"}}
  undecided: {{address: 127.0.0.1, port: {odd}, password: "file:secret"}}
  wrong-phrase: {{address: 127.0.0.1, identity: key, passphrase: "env:WRONG"}}
"""


class CommandLines(threading.Thread):
    """Reads the arguments of every process there is, over and over, and keeps those with a canary."""

    def __init__(self) -> None:
        super().__init__()
        self.caught: list[bytes] = []
        self.looks = 0
        self._stop_now = threading.Event()

    def run(self) -> None:
        while not self._stop_now.wait(0.005):
            self.looks += 1
            for process in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    line = process.read_bytes()
                except OSError:
                    continue
                if find_canaries(line):
                    self.caught.append(line)

    def __enter__(self) -> "CommandLines":
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stop_now.set()
        self.join()


@pytest.fixture
def site() -> Iterator[Path]:
    """A folder that another user may reach, since sshd reads the keys there as one."""
    require("root", "sudo", "visudo", "useradd", "chpasswd", "sshd")
    with tempfile.TemporaryDirectory(prefix="netaudit-secrets-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "policies").mkdir()
        (folder / "policies" / "lenient.yaml").write_text(LENIENT)
        secret = folder / "secret"
        secret.touch(0o600)
        secret.write_text(PASSWORD + "\n")
        yield folder


def files_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Yield every file of a run, unpacked."""
    for path in sorted(folder.rglob("*")):
        if not path.is_file() or path.name in {"secret", "key"}:
            continue
        data = path.read_bytes()
        yield path.name, data
        if path.suffix == ".gz":
            yield f"{path.name}, unpacked", gzip.decompress(data)
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                yield from ((f"{path.name}/{name}", book.read(name)) for name in book.namelist())


def find_canaries(data: bytes) -> list[str]:
    """Return the secrets that are in `data`, plain or in a usual disguise."""
    return [canary for canary in (PASSWORD, WRONG, PHRASE) if any(shape in data for shape in _shapes(canary.encode()))]


def _shapes(secret: bytes) -> tuple[bytes, ...]:
    return secret, base64.b64encode(secret).rstrip(b"="), secret.hex().encode()


def run_everything(site: Path, log_format: str) -> subprocess.CompletedProcess[bytes]:
    """Run the audit with every output there is, as talkative as it gets."""
    outputs = [f"{name}=out/{form.file_name}" for name, form in {**FORMATS, **FOLDERS}.items()]
    words = [word for output in (*outputs, "evidence=out/evidence.jsonl.gz") for word in ("-o", output)]
    command = [sys.executable, "-m", "auditor", "run", "inventory.yaml", "-vv", "--log-format", log_format, *words]
    variables = environment(PHRASE=PHRASE, WRONG=WRONG)
    return subprocess.run(command, cwd=site, env=variables, capture_output=True, timeout=100, check=False)


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_no_secret_is_in_anything_a_run_leaves(site: Path, log_format: str) -> None:
    """And each was used: the server saw the password and the key, sudo made root, the odd server was told the word."""
    key = make_key(site / "key", "ed25519", PHRASE, "-a", "2")
    seen = hostile.Seen()
    odd = ssh_server(Manners(login_answer=0, on_exec=hostile.complain_at_length), seen)
    with an_account(PASSWORD) as user, sudo_rules(user, f"{user} ALL=(root) ALL"), serve(odd) as other:
        with run_sshd(site / "sshd", ["PasswordAuthentication yes"], user=user) as sshd:
            (sshd.directory / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
            (site / "known_hosts").write_text(sshd.known_hosts.read_text() + hostile.known_hosts_line(other.port))
            (site / "inventory.yaml").write_text(INVENTORY.format(port=sshd.port, odd=other.port, user=user))
            with CommandLines() as lines:
                done = run_everything(site, log_format)
            log = sshd.log_text()
        assert done.returncode in {1, 3}, done.stderr.decode()
        hosts = {host["name"]: host for host in json.loads((site / "out" / "report.json").read_text())["hosts"]}
        assert hosts["by-key"]["facts"]["privileged"]
        assert hosts["by-password"]["facts"] is not None
        assert hosts["refused"]["error"]["code"] == "auth-refused"
        assert hosts["wrong-phrase"]["error"]["code"] == "key-encrypted"
        assert f"Accepted publickey for {user}" in log
        assert f"Accepted password for {user}" in log
        assert ("password", user, PASSWORD) in seen.logins
    assert lines.looks > 3
    assert lines.caught == []
    for name, data in [("stdout", done.stdout), ("stderr", done.stderr), ("sshd", log.encode()), *files_of(site)]:
        assert find_canaries(data) == [], name


def test_canary_would_be_found() -> None:
    """The search finds what it is for: in a command line, in a file, in disguise."""
    with CommandLines() as lines:
        subprocess.run(["sh", "-c", "sleep 0.3; true", PASSWORD], check=True)
    assert lines.caught
    assert find_canaries(b"x" + base64.b64encode(WRONG.encode())) == [WRONG]
    assert find_canaries(f"x{PHRASE}x".encode()) == [PHRASE]


def test_no_secret_is_in_a_repr_a_log_or_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Of any object of ours that is alive while a login fails, and when something unforeseen happens in it."""
    monkeypatch.setenv("CANARY", PASSWORD)
    caplog.set_level(logging.DEBUG)
    logging.getLogger("paramiko").setLevel(logging.DEBUG)
    ref = SecretRef(source="env", name="CANARY")
    with serve(ssh_server(Manners(login_answer=2))) as server, SshTransport(clock=lambda: NOW) as transport:
        known = tmp_path / "known_hosts"
        known.write_text(hostile.known_hosts_line(server.port))
        host = a_host(
            "bad", address="127.0.0.1", port=server.port, user="audit", password=ref, sudo=True, sudo_password=ref,
            known_hosts=(str(known),), timeout=10.0,
        )  # fmt: skip
        with pytest.raises(TransportError) as failure:
            transport.run(host, Script("n", b"true\n", b"prompt"))
        mine = [each for each in gc.get_objects() if str(type(each).__module__).startswith("auditor.")]
        shown = [repr(each) for each in mine]
        monkeypatch.setattr("auditor.transport.ssh_auth._refused", None)  # a defect, right where the secret is at hand
        with pytest.raises(TypeError) as defect:
            transport.run(host, Script("n", b"true\n", b"prompt"))
    told = "".join(traceback.format_exception(failure.value)) + "".join(traceback.format_exception(defect.value))
    assert any("Credential" in each for each in shown)
    assert PASSWORD not in "".join([*shown, told, caplog.text, str(failure.value), failure.value.hint])
