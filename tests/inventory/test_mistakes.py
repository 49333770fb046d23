"""Inventories that are wrong: each mistake with its line and column, what is wrong and what to write instead."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DocumentError
from auditor.inventory import load_inventory
from tests.builders import told


def problems_of(folder: Path, text: str) -> list[str]:
    path = folder / "inventory.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_inventory(path)
    return told(caught.value)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("x: {§prot: 22}", "unknown key 'prot' | did you mean 'port'?"),
        ("x: {§ansible_host: 10.0.0.1}", "unknown key 'ansible_host' | here it is written address"),
        ("x: {§bastion: y}", "unknown key 'bastion' | here it is written jump"),
        ("x: {port: §022}", "expected a whole number, found '022' | write 22"),
        ("x: {port: §0x16}", "expected a whole number, found '0x16' | write the decimal number: 22"),
        ("x: {port: §22:80}", "expected a whole number, found '22:80' | write one number without a colon"),
        ("x: {port: §no}", "expected a whole number, found 'no' | "),
        ("x: {port: §ssh}", "expected a whole number, found 'ssh' | "),
        ("x: {port: §0}", "0 is not a port | a port is a number from 1 to 65535"),
        ("x: {port: §65536}", "65536 is not a port | a port is a number from 1 to 65535"),
        ("x: {port: §-1}", "-1 is not a port | a port is a number from 1 to 65535"),
        ("x: {§user: }", "nothing stands after this key | write a value, or remove the line"),
        ("x: {user: §''}", "'' cannot be a user name | no spaces"),
        ("x: {user: §-oProxy}", "'-oProxy' cannot be a user name | no spaces"),
        ("x: {user: §1000}", 'expected text, found 1000 | put it in quotes: "1000"'),
        ("x: {connection: §telnet}", "expected ssh, local or replay, found 'telnet' | "),
        ("x: {connection: §lcoal}", "expected ssh, local or replay, found 'lcoal' | did you mean 'local'?"),
        ("x: {sudo: §yes}", "expected true or false, found 'yes' | write true"),
        ("x: {agent: §on}", "expected true or false, found 'on' | write true"),
        ("x: {timeout: §0}", "expected more than 0, found 0 | "),
        ("x: {timeout: §3601}", "expected at most 3600, found 3601 | "),
        ("x: {timeout: §1m}", "expected a number, found '1m' | "),
        ("x: {password: §hunter2}", "a secret must not stand in the inventory | write env:NAME"),
        ("x: {passphrase: §1234}", "a secret must not stand in the inventory | write env:NAME"),
        ("x: {password: §'env:A B'}", "what stands after env: is not the name of an environment variable | write env:"),
        ("x: {password: §'file:'}", "a secret must not stand in the inventory | write env:NAME"),
        ("x: {password: §file:absent}", "the secret file {folder}/absent cannot be read: No such file"),
        (
            "x: {password: §file:open}",
            "the secret file {folder}/open can be read by others (mode 0644) | keep it in a file of its own: chmod 600",
        ),
        ("x: {password: §'file:.'}", "the secret file {folder} is not a plain file | name a file"),
        ("x: {identity: §~nobody-here/key}", "the home directory of '~nobody-here/key' is not known | write"),
        ("x: {identity: [§5]}", 'expected text, found 5 | put it in quotes: "5"'),
        ("x: {known_hosts: [§'']}", "nothing stands in here | write at least one value"),
        ("x: {jump: §y}", "there is no host 'y' to go through | a jump host is a host of this inventory"),
        ("x: {jump: §[x]}", "a circle: x → x | take one of these links out"),
        ("§x: {connection: replay}", "connection: replay needs the evidence to read | add `evidence: FILE`"),
        ("x: {§evidence: a.gz}", "evidence is read only with connection: replay | add `connection: replay`"),
        ("x: {§sudo_password: env:X}", "sudo_password is sent only with sudo: true | add `sudo: true`"),
        ("x: {sudo: true, sudo_password: §hunter2}", "a secret must not stand in the inventory | write env:NAME"),
        ("x: {address: §a b}", "'a b' cannot be an address: it holds ' ' | letters, digits"),
        ("x: {address: §-oProxyCommand=x}", "'-oProxyCommand=x' cannot be an address: it starts with '-'"),
        ("x: {address: §'host:22'}", "'host:22' cannot be an address: it holds ':' | write the port as `port: …`"),
        ("x: {address: §me@host}", "'me@host' is not an address | write the user as `user: …`"),
        ("x: {address: §10.0}", 'expected text, found 10.0 | put it in quotes: "10.0"'),
        ("x-[1:2]: {address: §a}", "one address for the 2 hosts of 'x-[1:2]' | leave address out"),
        ("x: {labels: {a: §1}}", 'expected text, found 1 | put it in quotes: "1"'),
        ("x: {labels: {a: §no}}", "expected text, found 'no', which is something else to some YAML readers"),
        ("x: {user: §022}", "expected text, found '022', which is something else to some YAML readers"),
        ("x: {groups: [§022]}", "expected text, found '022', which is something else to some YAML readers"),
        ("x: {groups: §on}", "expected text, found 'on', which is something else to some YAML readers"),
        ("x: {address: §1:2:3}", "expected text, found '1:2:3', which is something else to some YAML readers"),
        ("x: {password: §022}", "a secret must not stand in the inventory | write env:NAME"),
        ("x: {labels: §[a]}", "expected a mapping of `key: value`, found a list | "),
        ("x: {groups: [§all]}", "every host is in 'all'; it cannot be a group | use defaults"),
        ("x: {groups: [§'a b']}", "'a b' cannot be a group name: it holds ' ' | letters, digits"),
        ("x: §5", "expected a mapping of `key: value`, found 5 | "),
        ("§-oProxyCommand=x: {}", "'-oProxyCommand=x' cannot be a host name: it starts with '-' | start it"),
        ("§../../etc/passwd: {}", "'../../etc/passwd' cannot be a host name: it starts with '.' | start it"),
        ("§etc/passwd: {}", "'etc/passwd' cannot be a host name: it holds '/' | letters, digits"),
        ('§"a\\nb": {}', "'a\\nb' cannot be a host name: it holds '\\n' | letters, digits"),
        ('§"a\\u202eb": {}', "'a\\u202eb' cannot be a host name: it holds '\\u202e' | letters, digits"),
        ("§web-01:2222: {}", "'web-01:2222' cannot be a host name: it holds ':' | write the port as `port: …`"),
        ("§'web*': {}", "'web*' cannot be a host name: it holds '*' | letters, digits"),
        ("§" + "h" * 254 + ":", "a host name of 254 characters | write 1 to 253"),
        ("§web-[03:01]: {}", "the range [03:01] is empty: it begins after its end | write the smaller end first"),
        ("§web-[1-3]: {}", "the range [1-3] is not begin:end or begin:end:step | write [1:3]"),
        ("§web-[1:3: {}", "'web-[1:3' has a bracket without its partner | write [01:10]"),
        ("§web-[0:100000]: {}", "the range [0:100000] stands for more than 100,000 hosts | "),
    ],
)
def test_a_mistake_in_a_host(tmp_path: Path, entry: str, expected: str) -> None:
    """§ stands where the finger must point."""
    (tmp_path / "open").write_text("x")
    (tmp_path / "open").chmod(0o644)
    column = 3 + entry.index("§")
    problems = problems_of(tmp_path, f"version: 1\nhosts:\n  {entry.replace('§', '')}\n")
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"3:{column} {expected}".replace("{folder}", str(tmp_path)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("hosts: {a: }\n", ["1:1 the key 'version' is missing | add `version: …`"], id="no-version"),
        pytest.param("version: 2\nhosts:\n", ["1:10 expected 1, found 2 | "], id="version-2"),
        pytest.param("version: '1'\n", ["1:10 expected 1, found the text '1' | write 1 without quotes"], id="quoted"),
        pytest.param("version: 1\nhots: {}\n", ["2:1 unknown key 'hots' | did you mean 'hosts'?"], id="top-level"),
        pytest.param(
            "version: 1\nall: {}\n", ["2:1 unknown key 'all' | here it is written as groups and hosts"], id="ansible"
        ),
        pytest.param(
            "version: 1\nhosts: [a]\n", ["2:8 expected a mapping of `key: value`, found a list | "], id="list"
        ),
        pytest.param(
            "version: 1\nhosts:\n  a: {}\n  a: {}\n", ["4:3 duplicate key 'a', first on line 3 | keep one"], id="twice"
        ),
        pytest.param(
            "version: 1\nhosts:\n  web-[01:03]: {}\n  web-02: {}\n",
            ["4:3 the host 'web-02' is already there: line 3, 'web-[01:03]' | keep one of the two"],
            id="made-twice",
        ),
        pytest.param(
            "version: 1\ngroups:\n  web: {}\nhosts:\n  a: {groups: [wbe]}\n",
            ["5:16 there is no group 'wbe' | did you mean 'web'?"],
            id="unknown-group",
        ),
        pytest.param(
            "version: 1\ngroups:\n  web: {groups: base}\n",
            ["3:17 there is no group 'base' | add it under groups: `base: {}`"],
            id="unknown-parent",
        ),
        pytest.param(
            "version: 1\ngroups:\n  c: {groups: [a]}\n  b: {groups: [c]}\n  a: {groups: [b]}\n",
            ["5:15 a circle: a → b → c → a | take one of these links out"],
            id="group-circle",
        ),
        pytest.param(
            "version: 1\ngroups:\n  a: {groups: [a]}\n  b: {groups: [c]}\n  c: {groups: [b]}\n",
            ["3:15 a circle: a → a", "4:15 a circle: b → c → b"],
            id="two-circles",
        ),
        pytest.param(
            "version: 1\ngroups:\n  a: {children: {b: }}\n",
            ["3:7 unknown key 'children' | here it is written `groups: [parent]`, in the child"],
            id="children",
        ),
        pytest.param("version: 1\ngroups:\n  all: {}\n", ["3:3 every host is in 'all'"], id="group-all"),
        pytest.param("version: 1\ngroups:\n  a: {address: b}\n", ["3:7 unknown key 'address'"], id="group-address"),
        pytest.param("version: 1\ngroups:\n  'a:b': {}\n", ["3:3 'a:b' cannot be a group name"], id="group-name"),
        pytest.param("version: 1\ngroups:\nhosts: {a: }\n", ["2:1 nothing stands after this key"], id="empty-groups"),
        pytest.param("version: 1\ndefaults: {groups: [a]}\n", ["2:12 unknown key 'groups'"], id="default-groups"),
        pytest.param(
            "version: 1\nhosts:\n  c: {jump: a}\n  a: {jump: b}\n  b: {jump: c}\n",
            ["4:13 a circle: a → b → c → a | take one of these links out"],
            id="jump-circle",
        ),
        pytest.param(
            "version: 1\ndefaults: {jump: basiton}\nhosts: {bastion: }\n",
            ["2:18 there is no host 'basiton' to go through | did you mean 'bastion'?"],
            id="jump-in-defaults",
        ),
        pytest.param(
            "version: 1\nhosts:\n  a: {connection: local}\n  b: {jump: a}\n",
            ["4:13 'a' is local: only a host reached over ssh can be gone through | "],
            id="jump-through-local",
        ),
        pytest.param(
            "version: 1\nhosts:\n  a-[00001:60000]:\n  b-[00001:60000]:\n",
            ["4:3 with 'b-[00001:60000]' these are more than 100,000 hosts | split the inventory"],
            id="too-many",
        ),
        pytest.param(
            "version: 1\nhosts:\n  bastion: 5\n  a: {jump: bastion}\n",
            ["3:12 expected a mapping of `key: value`, found 5 | "],
            id="no-second-complaint-about-a-broken-host",
        ),
        pytest.param(
            "version: 1\ngroups: {web: 5}\nhosts:\n  a: {groups: web}\n",
            ["2:15 expected a mapping of `key: value`, found 5 | "],
            id="no-second-complaint-about-a-broken-group",
        ),
    ],
)
def test_a_mistake_in_the_file(tmp_path: Path, text: str, expected: list[str]) -> None:
    problems = problems_of(tmp_path, text)
    assert len(problems) == len(expected), problems
    assert [problem[: len(start)] for problem, start in zip(problems, expected, strict=True)] == expected


def test_mistakes_of_every_kind_are_told_together_in_order(tmp_path: Path) -> None:
    text = """\
version: 1
defaults: {jump: bastion, password: hunter2}
groups:
  a: {groups: [b]}
  b: {groups: [a, web]}
hosts:
  web-[03:01]: {groups: [a]}
  bastion: {port: 022}
  x: {jump: bastoin, connection: replay}
  y: &anchor {jump: [z], usr: me}
  z: {jump: y, groups: c}
  x: {}
"""
    assert [problem.partition(" | ")[0] for problem in problems_of(tmp_path, text)] == [
        "2:37 a secret must not stand in the inventory",
        "4:15 a circle: a → b → a",
        "5:19 there is no group 'web'",
        "7:3 the range [03:01] is empty: it begins after its end",
        "8:19 expected a whole number, found '022'",
        "9:3 connection: replay needs the evidence to read",
        "9:13 there is no host 'bastoin' to go through",
        "10:6 anchor &anchor: anchors are not allowed",
        "10:21 a circle: y → z → y",
        "10:26 unknown key 'usr'",
        "11:24 there is no group 'c'",
        "12:3 duplicate key 'x', first on line 9",
    ]


@pytest.mark.parametrize(
    "secret", ["hunter2", "'env: hunter2'", "[hunter2]", "{a: hunter2}", "123454321", "!x hunter2"]
)
def test_a_secret_in_the_file_is_never_repeated(tmp_path: Path, secret: str) -> None:
    path = tmp_path / "inventory.yaml"
    path.write_text(f"version: 1\nhosts:\n  a: {{prot: 1, password: {secret}, passphrase: {secret}}}\n")
    with pytest.raises(DocumentError) as caught:
        load_inventory(path)
    assert "hunter2" not in str(caught.value)
    assert "123454321" not in str(caught.value)


@given(text=st.text("hostsvrin: {}[]01:-a\n  ,'&*", max_size=60))
def test_any_hosts_section_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "inventory-of-anything.yaml"
    path.write_text(f"version: 1\nhosts: {text}\n", encoding="utf-8")
    try:
        inventory = load_inventory(path)
    except DocumentError as error:
        shown = str(error)
        assert shown.startswith(str(path))
        return
    assert all(host.name and host.address for host in inventory.hosts)
