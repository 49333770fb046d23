"""What the flags about host keys do, and that every report tells."""

import gzip
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.reporters import FORMATS
from tests.cli.site import LENIENT, netaudit
from tests.servers.sshd import Sshd, run_sshd

LOUD = "HOST KEYS WERE NOT VERIFIED (--insecure-ignore-host-keys): 1 of 1 host may have been somebody else"
MARKED = "1 of 1 host taken on trust at first use (accept-new)"


SILENT = {"csv", "gitlab", "github", "sarif", "prometheus"}
"""Lists of findings, with no place for anything else."""


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    with run_sshd(tmp_path / "sshd") as server:
        yield server


@pytest.fixture
def site(tmp_path: Path, sshd: Sshd) -> Path:
    """One host whose key nobody knows."""
    (tmp_path / "known_hosts").write_text("")
    host = f"address: 127.0.0.1, port: {sshd.port}, user: {sshd.user}, identity: {sshd.key}, known_hosts: known_hosts"
    (tmp_path / "inventory.yaml").write_text(f"version: 1\nhosts:\n  web-01: {{{host}}}\n")
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "lenient.yaml").write_text(LENIENT)
    return tmp_path


def run(site: Path, *flags: str) -> tuple[int, str, dict[str, str]]:
    """Return the exit code, standard error, and what was written by format."""
    shutil.rmtree(site / "out", ignore_errors=True)
    formats = [name for name in FORMATS if name != "xlsx"]
    outputs = [word for name in (*formats, "evidence") for word in ("-o", f"{name}=out/{name}")]
    done = netaudit("run", "inventory.yaml", *flags, *outputs, cwd=site, XDG_STATE_HOME=str(site / "state"))
    return done.returncode, done.stderr, {name: (site / "out" / name).read_text() for name in formats}


def test_unknown_key_is_refused_without_a_flag(site: Path) -> None:
    code, stderr, written = run(site)
    assert code == 3
    assert json.loads(written["json"])["hosts"][0]["error"]["code"] == "hostkey-unknown"
    assert json.loads(written["json"])["run"]["host_keys"] == "strict"
    assert "1 of 1 host not audited (1 hostkey-unknown)" in stderr


def test_ignored_keys_are_told_everywhere(site: Path) -> None:
    code, stderr, written = run(site, "--insecure-ignore-host-keys")
    report = json.loads(written["json"])
    assert code == 0
    assert (report["run"]["host_keys"], report["hosts"][0]["facts"]["host_key_trust"]) == ("ignored", "ignored")
    assert stderr.startswith("warning: host keys are not verified")
    assert stderr.rstrip().endswith(LOUD)
    assert all(LOUD in written[name] for name in ("text", "json", "html"))
    silent = {name for name, text in written.items() if "HOST KEYS WERE NOT VERIFIED" not in text}
    assert silent <= {*SILENT, "evidence-html"}
    assert "with host keys not verified" in written["evidence-html"]
    assert "with the host key verified" not in written["html"]
    assert not (site / "state").exists()
    checked = netaudit("check", "out/evidence", "-p", "policies", "-o", "json=-", cwd=site)
    assert checked.stdout == written["json"], "saved evidence tells it, too"


def test_new_keys_are_marked_everywhere(site: Path, sshd: Sshd) -> None:
    """By the flag, and by the inventory; the key is kept for the next time, when it is no less marked."""
    inventory = (site / "inventory.yaml").read_text()
    for flags in (["--accept-new-host-keys"], []):
        code, stderr, written = run(site, *flags)
        report = json.loads(written["json"])
        assert code == 0, stderr
        assert (report["run"]["host_keys"], report["hosts"][0]["facts"]["host_key_trust"]) == ("accept-new", "accepted")
        assert stderr.rstrip().endswith(MARKED)
        for name in ("text", "html", "markdown"):
            assert MARKED in written[name].replace("\\", ""), name
        (site / "inventory.yaml").write_text(inventory.replace("user:", "host_keys: accept-new, user:"))
    kept = site / "state" / "netaudit" / "known_hosts"
    assert kept.read_text() == f"[127.0.0.1]:{sshd.port} {sshd.public_key()}\n"
    with gzip.open(site / "out" / "evidence", "rt") as lines:
        assert json.loads(next(lines))["host_keys"] == "accept-new"


def test_one_of_the_two_flags_at_a_time(site: Path) -> None:
    done = netaudit("run", "inventory.yaml", "--accept-new-host-keys", "--insecure-ignore-host-keys", cwd=site)
    assert done.returncode == 2
    assert "exclude each other" in done.stderr


def test_the_systems_ssh_does_the_same(site: Path) -> None:
    """`transport: openssh` in the inventory: the same report but for what ssh prefers to speak."""
    (site / "inventory.yaml").write_text(
        (site / "inventory.yaml").read_text().replace("user:", "transport: openssh, user:")
    )
    code, stderr, written = run(site, "--ssh-config", "none")
    assert json.loads(written["json"])["hosts"][0]["error"]["code"] == "hostkey-unknown"
    code, stderr, written = run(site, "--ssh-config", "none", "--accept-new-host-keys")
    report = json.loads(written["json"])
    assert code == 0, stderr
    assert report["hosts"][0]["status"] == "compliant"
    assert report["hosts"][0]["facts"]["host_key_trust"] == "accepted"
    assert report["summary"]["listeners"] > 0
