"""The target-kit, printed and run for real: a host set up with it answers an unchanged netaudit, and nobody else."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from auditor.audit import collect_host
from auditor.cli.clock import read_clock
from auditor.collect import build_script, unframe
from auditor.collect.kit import Kit, build_kit
from auditor.collect.script import build_collector
from auditor.model.facts import HostFacts
from auditor.model.transcript import Transcript
from auditor.parse import parse_snapshot
from auditor.transport.ssh import SshTransport
from tests.requirements import require
from tests.servers.accounts import remove_account, unique_name
from tests.servers.sshd import Sshd, make_key, run_sshd

SEALED = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGNotARealKeyButLongEnoughToBeOneForTheTests me@example"


@dataclass(frozen=True)
class Installed:
    """A host on which the printed script was run."""

    server: Sshd
    user: str
    key: Path
    folder: Path
    home: Path


@pytest.fixture(scope="module")
def installed() -> Iterator[Installed]:
    require("root", "sshd", "sudo", "visudo", "useradd", "unshare")
    user = unique_name()
    with tempfile.TemporaryDirectory(prefix="netaudit-kit-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        key = make_key(folder / "audit_key")
        try:
            _install(user, key, folder / "libexec")
            yield from _serve(user, key, folder)
        finally:
            remove_account(user)
            for path in (f"/etc/sudoers.d/{user}", f"/etc/ssh/sshd_config.d/{user}.conf"):
                Path(path).unlink(missing_ok=True)
            shutil.rmtree(f"/var/lib/{user}", ignore_errors=True)


def _install(user: str, key: Path, folder: Path) -> None:
    command = [sys.executable, "-m", "auditor", "target-kit", "--key", f"{key}.pub", "--user", user]
    command += ["--from", "127.0.0.1,::1", "--folder", str(folder)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]).stdout
    for _ in range(2):  # run again, it changes nothing
        done = subprocess.run(["sh", "-s"], input=printed, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _serve(user: str, key: Path, folder: Path) -> Iterator[Installed]:
    options = [
        f"Include /etc/ssh/sshd_config.d/{user}.conf",
        f"AuthorizedKeysFile /var/lib/{user}/.ssh/authorized_keys",
    ]
    with run_sshd(folder / "sshd", [*options, "StrictModes yes"], within=SEALED) as server:
        yield Installed(server, user, key, folder / "libexec", Path(f"/var/lib/{user}"))


def audit(installed: Installed, *, namespaces: bool = False) -> HostFacts:
    host = installed.server.host(user=installed.user, identity=(str(installed.key),), namespaces=namespaces)
    with SshTransport(clock=read_clock) as transport:
        outcome = collect_host(host, {"ssh": transport}, read_clock).outcome
    assert isinstance(outcome, Transcript), outcome
    return parse_snapshot(unframe(outcome), outcome, namespaces=host.namespaces)


def ssh(installed: Installed, *command: str, text: str = "") -> subprocess.CompletedProcess[str]:
    options = ["-o", "BatchMode=yes", "-o", f"UserKnownHostsFile={installed.server.known_hosts}"]
    address = ["-i", str(installed.key), "-p", str(installed.server.port), f"{installed.user}@127.0.0.1"]
    return subprocess.run(
        ["ssh", "-F", "none", *options, *address, *command],
        input=text,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_host_works_unchanged_and_shows_its_owners(installed: Installed) -> None:
    facts = audit(installed)
    assert facts.gaps == ()
    found = next(found for found in facts.listeners if found.port == installed.server.port)
    assert (found.owner_status, found.user) == ("other-namespace", "root")  # in a pid namespace of its own
    assert [(owner.pid, owner.comm) for owner in found.owners] == [(1, "sshd")]


def test_other_namespaces_that_are_asked_for_are_a_gap(installed: Installed) -> None:
    [gap] = audit(installed, namespaces=True).gaps
    assert (gap.source, "target-kit" in gap.reason) == ("namespaces", True)


def test_whatever_is_asked_for_the_collector_runs(installed: Installed) -> None:
    require("ssh")
    nonce = "5" * 32
    for command in ((), ("id",), ("cat", "/etc/passwd"), ("sh", "-c", "cat /etc/passwd")):
        done = ssh(installed, *command, text=f"N={nonce}\nid\n")
        assert done.stdout.startswith(f"\n{nonce} B 1\n"), done
        assert "root:" not in done.stdout.partition(f"{nonce} S owners")[0]


@pytest.mark.parametrize("line", ["", "N=", "N=$(id)", "N=" + "5" * 31, "N=" + "5" * 33, "N=" + "A" * 32, "id"])
def test_it_takes_a_nonce_and_nothing_else(installed: Installed, line: str) -> None:
    require("ssh")
    done = ssh(installed, text=f"{line}\n")
    assert (done.stdout, done.returncode) == ("", 64)


def test_everything_is_roots(installed: Installed) -> None:
    files = [
        *installed.folder.iterdir(),
        installed.home,
        installed.home / ".ssh/authorized_keys",
        Path(f"/etc/sudoers.d/{installed.user}"),
    ]
    assert {(path.stat().st_uid, path.stat().st_mode & 0o022) for path in files} == {(0, 0)}


def test_sudo_grants_one_program_without_arguments(installed: Installed) -> None:
    program = f"{installed.folder}/{installed.user}-owners"
    for command in ([program, "/tmp"], ["sh", "-c", "id"], ["cat", "/etc/shadow"]):
        done = subprocess.run(
            ["setpriv", f"--reuid={installed.user}", "--clear-groups", "sudo", "-n", *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stdout) == (1, ""), done
        assert "password is required" in done.stderr or "not allowed" in done.stderr


def test_a_program_that_was_changed_is_not_started(installed: Installed) -> None:
    """The digest in the rule holds sudo to the content that was installed; the host is then read without root."""
    program = installed.folder / f"{installed.user}-owners"
    whole = program.read_bytes()
    try:
        program.write_bytes(whole + b"# changed\n")
        facts = audit(installed)
    finally:
        program.write_bytes(whole)
    (gap,) = facts.gaps
    assert gap.source == "sudo"
    assert "sudo-kit" in gap.reason
    assert "unprivileged" in {found.owner_status for found in facts.listeners}


def test_the_collector_is_the_script_that_is_sent() -> None:
    nonce = "0" * 32
    sent = build_script(nonce, owners=True).text.removeprefix(f"N={nonce}\n".encode())
    installed = build_collector("/x/owners")
    assert installed.endswith(sent.replace(b"\nI=\n", b"\nI=/x/owners\n"))


def test_without_owners_sudo_is_not_mentioned() -> None:
    text = build_kit(Kit(user="audit", key=KEY, sources="", folder="/opt", owners=False))
    assert "sudoers" not in text
    assert 'restrict,command="/opt/audit-collect" ssh-ed25519' in text


@pytest.mark.parametrize(
    "flags",
    [
        ["--user", "a b"],
        ["--user", "-x"],
        ["--from", 'x" y'],
        ["--folder", "relative"],
        ["--folder", "/a;b"],
        ["--key", "/dev/null"],
    ],
)
def test_what_could_be_code_is_refused(tmp_path: Path, flags: list[str]) -> None:
    (tmp_path / "key.pub").write_text(f"{KEY}\n")
    command = [sys.executable, "-m", "auditor", "target-kit", "--key", str(tmp_path / "key.pub"), *flags]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2], env={**os.environ}
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{flags[0]} is not what it should be" in done.stderr
