"""Inventories that are right: what wins, what is joined, where paths lead."""

from pathlib import Path

import pytest

from auditor.inventory import load_inventory
from auditor.model.host import Host, Inventory, SecretRef, SshOptions
from auditor.model.origin import Origin


def load(folder: Path, text: str) -> Inventory:
    path = folder / "inventory.yaml"
    path.write_text(text, encoding="utf-8")
    return load_inventory(path)


def hosts_of(folder: Path, text: str) -> dict[str, Host]:
    return {host.name: host for host in load(folder, text).hosts}


def test_the_inventory_of_the_design(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    text = """\
version: 1
defaults: {user: audit, port: 22, identity: ~/.ssh/id_ed25519, timeout: 60}
groups:
  web: {labels: {env: prod}, user: deploy}
  db: {}
hosts:
  bastion: {}
  web-[01:03].example.com: {groups: [web]}
  db-01: {address: 10.0.0.21, port: 2222, jump: [bastion], groups: [db], sudo: true}
  here: {connection: local}
"""
    inventory = load(tmp_path, text)
    file = str(tmp_path / "inventory.yaml")
    key = "/home/me/.ssh/id_ed25519"
    assert [host.name for host in inventory.hosts] == [
        "bastion",
        "web-01.example.com",
        "web-02.example.com",
        "web-03.example.com",
        "db-01",
        "here",
    ]
    assert inventory.hosts[2] == Host(
        name="web-02.example.com",
        address="web-02.example.com",
        user="deploy",
        identity=(key,),
        groups=("web",),
        labels={"env": "prod"},
        origin=Origin(file=file, line=8, column=3),
    )
    assert inventory.hosts[4] == Host(
        name="db-01",
        address="10.0.0.21",
        port=2222,
        user="audit",
        identity=(key,),
        jump=("bastion",),
        sudo=True,
        groups=("db",),
        origin=Origin(file=file, line=9, column=3),
    )


def test_every_setting_of_a_host_arrives(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    secret.chmod(0o600)
    text = """\
version: 1
hosts:
  hop:
  full:
    address: "[2001:db8::1]"
    port: 2022
    user: me
    identity: [keys/a, /keys/b]
    agent: true
    password: env:PASSWORD
    passphrase: file:secret
    known_hosts: known
    host_keys: accept-new
    transport: openssh
    jump: hop
    sudo: true
    sudo_password: env:SUDO
    namespaces: true
    timeout: 0.5
    groups: web
    labels: {a: b}
"""
    assert hosts_of(tmp_path, text)["full"].model_dump(exclude={"origin"}) == {
        "name": "full",
        "address": "2001:db8::1",
        "port": 2022,
        "connection": "ssh",
        "user": "me",
        "identity": (str(tmp_path / "keys/a"), "/keys/b"),
        "agent": True,
        "password": SecretRef(source="env", name="PASSWORD").model_dump(),
        "passphrase": SecretRef(source="file", name=str(secret)).model_dump(),
        "known_hosts": (str(tmp_path / "known"),),
        "host_keys": "accept-new",
        "client": "openssh",
        "ssh": SshOptions().model_dump(),
        "jump": ("hop",),
        "sudo": True,
        "sudo_password": SecretRef(source="env", name="SUDO").model_dump(),
        "namespaces": True,
        "timeout": 0.5,
        "evidence": None,
        "groups": ("web",),
        "labels": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("groups", "user"),
    [
        ("", "default"),
        ("groups: [a]", "a"),
        ("groups: [a, b]", "b"),
        ("groups: [b, a]", "a"),
        ("groups: [child]", "child"),
        ("groups: [child, parent]", "child"),
        ("groups: [heir]", "parent"),
        ("groups: [child, heir]", "child"),
        ("groups: [a, heir]", "parent"),
        ("groups: [silent]", "default"),
        ("groups: [a], user: own", "own"),
    ],
)
def test_the_nearest_word_wins(tmp_path: Path, groups: str, user: str) -> None:
    """A host over its groups, the later group over the earlier, a group over its parents, all over the defaults."""
    text = f"""\
version: 1
defaults: {{user: default}}
groups:
  a: {{user: a}}
  b: {{user: b}}
  parent: {{user: parent}}
  child: {{user: child, groups: [parent]}}
  heir: {{groups: [parent]}}
  silent:
hosts:
  one: {{{groups}}}
"""
    assert hosts_of(tmp_path, text)["one"].user == user


def test_labels_are_joined_and_groups_include_their_parents(tmp_path: Path) -> None:
    text = """\
version: 1
defaults: {labels: {a: default, b: default}}
groups:
  top: {labels: {c: top}}
  middle: {groups: [top], labels: {b: middle, c: middle}}
  other: {}
hosts:
  one: {groups: [middle, other], labels: {d: own}}
"""
    host = hosts_of(tmp_path, text)["one"]
    assert host.labels == {"a": "default", "b": "middle", "c": "middle", "d": "own"}
    assert host.groups == ("top", "middle", "other")


def test_without_a_groups_section_any_group_may_be_named(tmp_path: Path) -> None:
    assert hosts_of(tmp_path, "version: 1\nhosts:\n  one: {groups: [web]}\n")["one"].groups == ("web",)


def test_a_jump_for_everybody_does_not_lead_through_itself(tmp_path: Path) -> None:
    text = """\
version: 1
defaults: {jump: [outer, inner]}
hosts: {outer: , inner: , one: , direct: {jump: []}}
"""
    jumps = {name: host.jump for name, host in hosts_of(tmp_path, text).items()}
    assert jumps == {"outer": (), "inner": ("outer",), "one": ("outer", "inner"), "direct": ()}


def test_evidence_in_a_group_is_for_those_who_replay(tmp_path: Path) -> None:
    text = """\
version: 1
groups: {saved: {connection: replay, evidence: run.jsonl.gz}}
hosts:
  one: {groups: [saved]}
  two: {groups: [saved], connection: ssh}
"""
    hosts = hosts_of(tmp_path, text)
    assert hosts["one"].evidence == str(tmp_path / "run.jsonl.gz")
    assert hosts["two"].evidence is None


@pytest.mark.parametrize("hosts", ["", "hosts:\n", "hosts: {}\n"])
def test_an_inventory_may_be_empty(tmp_path: Path, hosts: str) -> None:
    assert load(tmp_path, f"version: 1\n{hosts}").hosts == ()


@pytest.mark.parametrize(
    ("key", "name", "address"),
    [
        ("'2001:db8::1'", "2001:db8::1", "2001:db8::1"),
        ("'[2001:db8::1]'", "[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1%eth0", "fe80::1%eth0"),
        ("10.0.0.1", "10.0.0.1", "10.0.0.1"),
        ("10", "10", "10"),
        ("bücher.example", "bücher.example", "bücher.example"),
        ("web-[7:7]", "web-7", "web-7"),
        ("h" * 253, "h" * 253, "h" * 253),
    ],
)
def test_what_a_host_can_be_called(tmp_path: Path, key: str, name: str, address: str) -> None:
    (host,) = load(tmp_path, f"version: 1\nhosts:\n  {key}:\n").hosts
    assert (host.name, host.address) == (name, address)


def test_one_address_for_a_range_of_one(tmp_path: Path) -> None:
    text = "version: 1\nhosts:\n  web-[7:7]: {address: 10.0.0.7}\n"
    assert hosts_of(tmp_path, text)["web-7"].address == "10.0.0.7"


def test_a_host_and_a_group_may_share_a_name(tmp_path: Path) -> None:
    assert hosts_of(tmp_path, "version: 1\ngroups: {web: }\nhosts: {web: {groups: [web]}}\n")["web"].groups == ("web",)


def test_paths_stay_relative_when_the_inventory_is_named_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "inventory.yaml").write_text("version: 1\nhosts: {one: {identity: keys/a}}\n")
    monkeypatch.chdir(tmp_path)
    inventory = load_inventory(Path("inventory.yaml"))
    assert inventory.path == "inventory.yaml"
    assert inventory.hosts[0].identity == ("keys/a",)
    assert inventory.hosts[0].origin == Origin(file="inventory.yaml", line=2, column=9)


def test_a_chain_of_many_groups_and_many_jumps_is_followed(tmp_path: Path) -> None:
    groups = "".join(f"  g{number}: {{groups: [g{number - 1}]}}\n" for number in range(1, 1500))
    hosts = "".join(f"  h{number}: {{jump: h{number - 1}}}\n" for number in range(1, 1500))
    text = f"version: 1\ngroups:\n  g0: {{user: root}}\n{groups}hosts:\n  h0: {{groups: g1499}}\n{hosts}"
    assert hosts_of(tmp_path, text)["h0"].user == "root"


def test_ten_thousand_hosts_load_whole(tmp_path: Path) -> None:
    lines = "".join(
        f"  web-{number:05d}.example.com: {{port: {number + 1}, groups: [web], jump: bastion}}\n"
        for number in range(10_000)
    )
    inventory = load(tmp_path, f"version: 1\ngroups: {{web: {{user: me}}}}\nhosts:\n  bastion:\n{lines}")
    assert len(inventory.hosts) == 10_001
    last = inventory.hosts[-1]
    assert (last.name, last.port, last.user, last.origin.line) == ("web-09999.example.com", 10_000, "me", 10_004)


def test_a_sudo_password_goes_only_with_sudo(tmp_path: Path) -> None:
    text = """version: 1
defaults: {sudo_password: env:SUDO}
hosts:
  plain: {}
  raised: {sudo: true}
"""
    hosts = hosts_of(tmp_path, text)
    assert hosts["plain"].sudo_password is None
    assert hosts["raised"].sudo_password == SecretRef(source="env", name="SUDO")
