"""`netaudit hosts --explain`, and that a host which only ssh_config knows how to reach is reached."""

import json
import subprocess
from pathlib import Path
from subprocess import DEVNULL

import pytest
from rich.cells import cell_len

from tests.cli.program import closing, netaudit
from tests.requirements import require
from tests.servers.sshd import Sshd, run_sshd

CONFIG = """\
Host web-01
  HostName 10.1.2.3
  Port 2222
  User bob
  ProxyJump jumper@bastion
  Ciphers aes256-ctr
  KnownHostsCommand /bin/true
Host bastion
  HostName 10.0.0.1
"""
INVENTORY = """\
version: 1
defaults: {timeout: 30}
groups:
  web: {user: audit}
hosts:
  web-01: {groups: [web], sudo: true}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "config").write_text(CONFIG)
    (tmp_path / "inventory.yaml").write_text(INVENTORY)
    return tmp_path


def test_every_option_has_its_place(folder: Path) -> None:
    shown = netaudit("hosts", "inventory.yaml", "--explain", "web-01", "-F", "config", cwd=folder)
    assert shown.returncode == 0
    rows = [line.split() for line in shown.stdout.splitlines()]
    for row in (
        ["Hostname", "10.1.2.3", "config:2"],
        ["User", "audit", "inventory.yaml:4"],
        ["Port", "2222", "config:3"],
        ["ProxyJump", "jumper@bastion", "config:5"],
        ["Ciphers", "aes256-ctr", "config:6"],
        ["MACs", "netaudit's", "own", "default"],
        ["sudo", "yes", "inventory.yaml:6"],
        ["timeout", "30", "inventory.yaml:2"],
        ["KnownHostsCommand", "/bin/true", "config:7"],
        ["jumper@bastion"],
        ["Hostname", "10.0.0.1", "config:9"],
        ["User", "jumper", "config:5"],
    ):
        assert row in rows
    assert shown.stderr.startswith("warning: config:7: KnownHostsCommand is not honoured")


def test_columns_stand_below_each_other(folder: Path) -> None:
    shown = netaudit("hosts", "--explain", "web-01", "-F", "config", cwd=folder).stdout
    rows = [line for line in shown.split("\n\n")[0].splitlines() if line.endswith(("default", ":2", ":3", ":4", ":5"))]
    options = [line for line in rows if line.startswith("    ") and line.split()[0] not in ("transport", "timeout")]
    assert len({line.rindex("  ") for line in options}) == 1


def test_columns_of_the_list_stand_below_each_other_in_any_script(tmp_path: Path) -> None:
    groups = "{groups: [東京, データベース], labels: {x: y}}", "{groups: [grüße], labels: {x: y}}", "{labels: {x: y}}"
    hosts = "".join(f"  web-0{number}: {entry}\n" for number, entry in enumerate(groups))
    (tmp_path / "i.yaml").write_text(f"version: 1\nhosts:\n{hosts}")
    rows = netaudit("hosts", "i.yaml", cwd=tmp_path).stdout.splitlines()[1:]
    assert len({cell_len(row.removesuffix("x=y")) for row in rows}) == 1


def test_the_same_as_json(folder: Path) -> None:
    shown = netaudit("hosts", "--explain", "ann@web-01", "-F", "config", "--json", cwd=folder)
    told = json.loads(shown.stdout)
    options = {option["name"]: (option["values"], option["origin"]) for option in told["hosts"][0]["options"]}
    assert options["Hostname"] == (["10.1.2.3"], "config:2")
    assert options["User"] == (["ann"], "command line:1")
    assert [host["name"] for host in told["hosts"]] == ["web-01", "jumper@bastion"]
    assert told["hosts"][0]["not_honoured"] == [
        {"name": "KnownHostsCommand", "values": ["/bin/true"], "origin": "config:7"}
    ]
    assert [(each["file"], each["line"]) for each in told["warnings"]] == [("config", 7)]


def test_a_mistake_in_ssh_config_is_told_with_its_line(folder: Path) -> None:
    (folder / "config").write_text("Host *\n  Port many\n")
    refused = netaudit("hosts", "inventory.yaml", "-F", "config", cwd=folder)
    assert refused.returncode == 2
    assert "config:2:3: error: Port: 'many' is not a port" in refused.stderr


def test_settings_name_the_file_beside_them(folder: Path) -> None:
    (folder / "netaudit.toml").write_text('ssh_config = "config"\n')
    unset = {"NETAUDIT_SSH_CONFIG": ""}
    assert "audit@10.1.2.3:2222 via jumper@bastion" in netaudit("hosts", "inventory.yaml", cwd=folder, **unset).stdout
    (folder / "netaudit.toml").write_text('ssh_config = "none"\n')
    assert "audit@web-01:22" in netaudit("hosts", "inventory.yaml", cwd=folder, **unset).stdout


def test_a_host_that_is_not_there(folder: Path) -> None:
    refused = netaudit("hosts", "inventory.yaml", "--explain", "web-02", cwd=folder)
    assert closing(refused) == "exit 2: inventory.yaml has no host 'web-02'; no host was contacted"


def configure(folder: Path, **servers: Sshd) -> None:
    """Write an ssh_config by which only `ssh NAME` is needed to reach each server."""
    blocks = [
        f"Host {name}\nHostName 127.0.0.1\nPort {server.port}\nUser {server.user}\nIdentityFile {server.key}\n"
        f"UserKnownHostsFile {server.known_hosts}\nGlobalKnownHostsFile none\nIdentitiesOnly yes\n"
        for name, server in servers.items()
    ]
    (folder / "config").write_text("".join(blocks))


def reaches(config: Path, name: str) -> bool:
    """Return whether `ssh NAME` logs in. Its output goes nowhere: the ssh to a jump host may hold it open for long."""
    words = ["ssh", "-F", str(config), "-o", "BatchMode=yes", name, "true"]
    return subprocess.call(words, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, timeout=60) == 0


def test_a_working_ssh_is_all_it_takes(tmp_path: Path) -> None:
    require("ssh")
    with run_sshd(tmp_path / "web") as server:
        configure(tmp_path, **{"web-01": server})
        assert reaches(tmp_path / "config", "web-01")
        examined = netaudit("doctor", "web-01", "-F", "config", "--json", cwd=tmp_path)
    assert closing(examined) == "exit 0: web-01 can be audited"


def test_through_the_jump_host_that_ssh_config_names(tmp_path: Path) -> None:
    require("ssh")
    with run_sshd(tmp_path / "bastion") as bastion, run_sshd(tmp_path / "web") as server:
        configure(tmp_path, bastion=bastion, **{"web-01": server})
        config = tmp_path / "config"
        config.write_text(config.read_text().replace("Host web-01\n", "Host web-01\nProxyJump bastion\n"))
        assert reaches(config, "web-01")
        before = bastion.log_text().count("Accepted publickey")
        (tmp_path / "inventory.yaml").write_text("version: 1\nhosts:\n  web-01:\n")
        gathered = netaudit("collect", "inventory.yaml", "-F", "config", "-o", "e.jsonl.gz", cwd=tmp_path)
        assert gathered.returncode in (0, 3), gathered.stderr
        assert "unreachable" not in gathered.stderr
        assert bastion.wait_for_log("Accepted publickey")
        assert bastion.log_text().count("Accepted publickey") == before + 1
