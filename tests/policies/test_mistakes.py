"""Policies that are wrong: each mistake with its line and column, what is wrong and what to write instead."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DocumentError
from auditor.policies import load_policies
from tests.builders import told


def problems_of(folder: Path, text: str) -> list[str]:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        load_policies([path])
    return told(caught.value)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{port: §443}", "443 without a protocol | write 443/tcp, or 443/udp"),
        ("{port: §8000-8100}", "8000-8100 without a protocol | write 8000-8100/tcp, or 8000-8100/udp"),
        ("{port: §022}", "'022' is not a plain number, and readers differ about it | write 22"),
        ("{port: §022/tcp}", "'022' is not a plain number, and readers differ about it | write 22"),
        ("{port: §0x16}", "'0x16' is not a plain number, and readers differ about it | write 22"),
        ("{port: §1_0/tcp}", "'1_0' is not a plain number, and readers differ about it | write 10"),
        ("{port: §22:22}", "22:22 is neither a port nor a range, and YAML readers differ about it | write 22/tcp"),
        ("{port: §0/tcp}", "0 is not a port | a port is a number from 1 to 65535"),
        ("{port: §0}", "0 is not a port | a port is a number from 1 to 65535"),
        ("{port: §65536/tcp}", "65536 is not a port | a port is a number from 1 to 65535"),
        ("{port: §-1}", "-1 is not a port | a port is a number from 1 to 65535"),
        ("{port: §-1/udp}", "-1 is not a port | a port is a number from 1 to 65535"),
        ("{port: §ssh}", "'ssh' is a name, not a port number | write service: ssh"),
        ("{port: §ssh/tcp}", "'ssh' is a name, not a port number | write service: ssh/tcp"),
        ("{port: §no}", "'no' is a name, not a port number | write service: no"),
        ("{port: §100-50/tcp}", "the range 100-50 is empty: it begins after its end | write 50-100/tcp"),
        ("{port: §80-/tcp}", "'80-' is not a port or a range of ports | write for example 443/tcp"),
        ("{port: §1-2-3/tcp}", "'1-2-3' is not a port or a range of ports | write for example 443/tcp"),
        ("{port: §443/TCP}", "unknown protocol 'TCP' | write tcp"),
        (
            "{port: §443/http}",
            "unknown protocol 'http' | known are tcp, udp, udplite, sctp, raw, packet; all but packet",
        ),
        ("{port: §443/tpc}", "unknown protocol 'tpc' | did you mean 'tcp'?"),
        ("{port: §443/}", "unknown protocol '' | known are tcp"),
        ("{port: §tcp/443}", "'tcp/443' is turned around | write 443/tcp"),
        ("{port: §tcp}", "tcp is a protocol without a port | write for example 443/tcp"),
        ("{port: §'80,443/tcp'}", "'80,443' is more than one port | write ports: [80/tcp, 443/tcp]"),
        ("{port: §'*/tcp'}", "'*' is not a port number | write for example 443/tcp"),
        ("{port: §'443 /tcp'}", "'443 ' is not a port number | write for example 443/tcp"),
        ("{port: §'٤٤٣/tcp'}", "'٤٤٣' is not a port number | write for example 443/tcp"),
        ("{port: §''}", "'' is not a port or a range of ports | write for example 443/tcp"),
        ("{port: §1.5}", "this is not a port | write for example 443/tcp"),
        ("{port: §true}", "this is not a port | write for example 443/tcp"),
        ("{port: §[80/tcp]}", "this is not a port | write for example 443/tcp"),
        ("{port: 1/tcp, process: §on}", "expected text, found 'on', which is something else to some YAML readers"),
        ("{port: 1/tcp, exe: [§no]}", "expected text, found 'no', which is something else to some YAML readers"),
        ("{port: 1/tcp, user: §022}", "expected text, found '022', which is something else to some YAML readers"),
        ("{port: 1/tcp, required: §yes, at_least: 2}", "expected true or false, found 'yes' | write true"),
        ("{§port: }", "nothing stands after this key | write a value, or remove the line"),
        ("{ports: §[]}", "nothing stands in here | write at least one value"),
        ("{ports: [80/tcp, §81]}", "81 without a protocol | write 81/tcp, or 81/udp"),
        ("{port: §256/raw}", "256 is not an IP protocol | an IP protocol is a number from 0 to 255"),
        ("{port: §0-300/raw6}", "300 is not an IP protocol | an IP protocol is a number from 0 to 255"),
        (
            "{port: §70000/packet}",
            "70000 is not an Ethernet protocol | an Ethernet protocol is a number from 0 to 65535",
        ),
        ("{port: §3/packet4}", "unknown protocol 'packet4' | did you mean 'packet'?"),
        ("{port: §0/sctp}", "0 is not a port | a port is a number from 1 to 65535"),
        ("{port: §0/udplite}", "0 is not a port | a port is a number from 1 to 65535"),
        ("{port: 3/packet, §bind: loopback}", "a packet socket sees every address of its interface: it has none | "),
        ("{service: §htps}", "unknown service 'htps' | did you mean 'https'?"),
        ("{service: §nosuch}", "unknown service 'nosuch' | define it: services: {nosuch: 1234/tcp}"),
        ("{service: §HTTPS}", "unknown service 'HTTPS' | did you mean 'https'?"),
        ("{service: §qqqqqq}", "unknown service 'qqqqqq' | define it: services: {qqqqqq: 1234/tcp}"),
        ("{service: §'443'}", "443 is a port, not the name of a service | write port: 443/tcp"),
        ("{service: §443}", 'expected text, found 443 | put it in quotes: "443"'),
        ("{service: §telnet/udp}", "'telnet' is not listed for udp | it is 23/tcp; write port: … for anything else"),
        ("{service: §ssh/tpc}", "unknown protocol 'tpc' | did you mean 'tcp'?"),
        (
            "{service: https, §required: true}",
            "'https' is 443/tcp and 443/udp: which of them is required? | write service",
        ),
        ("{service: ssh, required: §yes}", "expected true or false, found 'yes' | write true"),
        ("§{port: 1/tcp, service: ssh}", "expected exactly one of port, ports and service, found port and service |"),
        ("§{bind: any}", "expected exactly one of port, ports and service, found none of them | write for example"),
        ("{§prot: 1/tcp}", "unknown key 'prot' | did you mean 'port'?"),
        ("{port: 1/tcp, §protocol: tcp}", "unknown key 'protocol' | here it is written in the port: 443/tcp"),
        ("{port: 1/tcp, §process: }", "nothing stands after this key | write a value, or remove the line"),
        ("{port: 1/tcp, process: §[]}", "nothing stands in here | write at least one value"),
        ("{port: 1/tcp, user: §true}", "expected text, found true | "),
        ("{port: 1/tcp, user: §-5}", "expected text, found -5 | "),
        ("{port: 1/tcp, §uid: 33}", "unknown key 'uid' | here it is written user, which takes a number too"),
        ("{port: 1/tcp, §cgroup: x}", "unknown key 'cgroup' | here it is written unit or container"),
        (
            "{port: 1/tcp, owner: §kernl}",
            "expected kernel, systemd, docker-proxy, kubelet or container, found 'kernl' |",
        ),
        ("{port: 1/tcp, netns: §blue}", "expected host, containers or any, found 'blue' | "),
        ("{port: 1/tcp, §at_least: 2}", "at_least counts the sockets of a required entry | add required: true"),
        ("{port: 1/tcp, required: true, at_least: §0}", "expected at least 1, found 0 | "),
        ("{port: 1/tcp, §exposures: []}", "unknown key 'exposures' | "),
        ("{port: 1/tcp, bind: §lopback}", "unknown bind 'lopback' | did you mean 'loopback'?"),
        ("{port: 1/tcp, bind: §everywhere}", "unknown bind 'everywhere' | known are any, wildcard, loopback"),
        ("{port: 1/tcp, bind: §10.0.0.1/8}", "10.0.0.1/8 has bits of a host behind the prefix | write 10.0.0.0/8 for"),
        ("{port: 1/tcp, bind: §'fe80::1/64'}", "fe80::1/64 has bits of a host behind the prefix | write fe80::/64 for"),
        (
            "{port: 1/tcp, bind: §'fe80::1%eth0'}",
            "'fe80::1%eth0' has a zone, which is another one on every host | write",
        ),
        ("{port: 1/tcp, bind: §0.0.0.0}", "0.0.0.0 would not say whether a wildcard listener is meant | write any"),
        ("{port: 1/tcp, bind: §'::'}", ":: would not say whether a wildcard listener is meant | write any"),
        ("{port: 1/tcp, bind: §0.0.0.0/0}", "0.0.0.0/0 would not say whether a wildcard listener is meant | write any"),
        ("{port: 1/tcp, bind: §10.0.0.300}", "'10.0.0.300' is not an IP address | write an address such as"),
        ("{port: 1/tcp, bind: §010.0.0.1}", "'010.0.0.1' is not an IP address | write an address such as"),
        ("{port: 1/tcp, bind: §'10.0.0.1:80'}", "'10.0.0.1:80' is not an IP address | write an address such as"),
        ("{port: 1/tcp, bind: §10.0.0.0/33}", "/33 is longer than an IPv4 address | at most /32"),
        ("{port: 1/tcp, bind: §10.0.0.0/255.0.0.0}", "'10.0.0.0/255.0.0.0' is not a network | write the length"),
        ("{port: 1/tcp, bind: §[any, loopback]}", "any covers the rest of this list | write any alone"),
        ("{port: 1/tcp, bind: §10}", 'expected text, found 10 | put it in quotes: "10"'),
        ("{port: 1/tcp, bind: [loopback, §priv]}", "unknown bind 'priv' | did you mean 'private'?"),
        ("{port: 1/tcp, severity: §hihg}", "expected critical, high, medium, low or info, found 'hihg' | did you mean"),
        ("{port: 1/tcp, id: §a b}", "'a b' cannot be the id of an entry | letters, digits"),
        ("§5", "expected a mapping of `key: value`, found 5 | "),
    ],
)
def test_a_mistake_in_an_entry(tmp_path: Path, entry: str, expected: str) -> None:
    """§ stands where the finger must point."""
    column = 5 + entry.index("§")
    problems = problems_of(tmp_path, f"version: 1\npolicy: p\nallow:\n  - {entry.replace('§', '')}\n")
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"4:{column} {expected}")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("policy: p\n", ["1:1 the key 'version' is missing | add `version: …`"], id="no-version"),
        pytest.param("version: 1\n", ["1:1 the key 'policy' is missing | add `policy: …`"], id="no-name"),
        pytest.param(
            "default: deny\n", ["1:1 the key 'policy' is missing", "1:1 the key 'version' is missing"], id="neither"
        ),
        pytest.param("version: 2\npolicy: p\n", ["1:10 expected 1, found 2 | "], id="version-2"),
        pytest.param("version: 1\npolicy: a b\n", ["2:9 'a b' cannot be the name of a policy | letters"], id="name"),
        pytest.param("version: 1\npolicy: 5\n", ['2:9 expected text, found 5 | put it in quotes: "5"'], id="number"),
        pytest.param(
            "version: 1\npolicy: p\nexposures: allow\n",
            ["3:12 expected deny, warn or ignore, found 'allow' | "],
            id="exposures",
        ),
        pytest.param(
            "version: 1\npolicy: p\nraw_sockets: allow\n",
            ["3:14 expected deny, warn or ignore, found 'allow' | "],
            id="raw",
        ),
        pytest.param(
            "version: 1\npolicy: p\nwaivers: {}\n", ["3:10 expected a list, found a mapping | "], id="waivers"
        ),
        pytest.param(
            "version: 1\npolicy: p\nextends: a.yaml\n",
            ["3:1 unknown key 'extends' | here it is written include"],
            id="extends",
        ),
        pytest.param(
            "version: 1\npolicy: p\ndefault: allow\n",
            ["3:10 expected deny, warn or ignore, found 'allow' | "],
            id="def",
        ),
        pytest.param("version: 1\npolicy: p\nalow: []\n", ["3:1 unknown key 'alow' | did you mean 'allow'?"], id="key"),
        pytest.param(
            "version: 1\npolicy: p\nhosts: [a]\n",
            ["3:1 unknown key 'hosts' | here it is written under applies_to"],
            id="h",
        ),
        pytest.param(
            "version: 1\npolicy: p\nallow: {}\n", ["3:8 expected a list, found a mapping | "], id="not-a-list"
        ),
        pytest.param(
            "version: 1\npolicy: p\napplies_to: {}\n",
            ["3:13 nothing stands in here | remove it to mean every"],
            id="to",
        ),
        pytest.param(
            "version: 1\npolicy: p\napplies_to: {except: {}}\n",
            ["3:22 nothing stands in here | name hosts"],
            id="except",
        ),
        pytest.param(
            "version: 1\npolicy: p\napplies_to: {groups: []}\n",
            ["3:22 nothing stands in here | write at"],
            id="no-groups",
        ),
        pytest.param(
            "version: 1\npolicy: p\napplies_to: {except: {host: a}}\n",
            ["3:23 unknown key 'host' | here it is written hosts"],
            id="host-in-except",
        ),
        pytest.param(
            "version: 1\npolicy: p\nservices: {web: 80}\nallow: [{service: web}]\n",
            ["3:17 80 without a protocol | write 80/tcp, or 80/udp"],
            id="own-service",
        ),
        pytest.param(
            "version: 1\npolicy: p\nservices: {'80': 80/tcp}\n",
            ["3:12 '80' cannot be the name of a service: it holds no letter | ports are written"],
            id="name-of-a-service",
        ),
        pytest.param(
            "version: 1\npolicy: p\nservices: {a: 5/tcp}\nallow: [{service: a/udp}]\n",
            ["4:19 'a' is not listed for udp | it is 5/tcp"],
            id="own-service-other-protocol",
        ),
        pytest.param(
            "version: 1\npolicy: p\nallow:\n  - {id: a, port: 1/tcp}\ndeny:\n  - {id: a, port: 2/tcp}\n",
            ["6:10 the id 'a' is already there, on line 4 | give this entry another id"],
            id="id-twice",
        ),
        pytest.param(
            "version: 1\npolicy: p\nallow:\n  - {port: 1/tcp}\n  - {port: 1/tcp}\n",
            ["5:5 the id 'allow-1-tcp' is already there, on line 4 | remove it, or give it an id of its own"],
            id="same-entry-twice",
        ),
        pytest.param(
            "version: 1\npolicy: p\ndeny:\n  - {port: 1/tcp, required: true}\n",
            ["4:19 a denied port cannot be required | move the entry to allow"],
            id="required-in-deny",
        ),
        pytest.param(
            "version: 1\npolicy: p\nallow:\n  - {id: '', port: 1/tcp}\n  - {port: 1/tcp}\n",
            ["4:10 '' cannot be the id of an entry | letters"],
            id="the-id-made-instead-of-a-refused-one",
        ),
        pytest.param(
            "version: 1\npolicy: p\nwaivers:\n"
            "  - {rule: unexpected-listener, hosts: [a], reason: r, expires: 2026-12-31}\n"
            "  - {rule: unexpected-listener, hosts: [a], owner: o, reason: r, expires: 2026-13-31}\n",
            ["4:5 the key 'owner' is missing | add", "5:75 there is no day 2026-13-31 | write"],
            id="a-bad-date-behind-a-waiver-that-lacks-something",
        ),
        pytest.param("", ["0:1 the file is empty, or holds only comments | start with"], id="empty"),
    ],
)
def test_a_mistake_in_the_file(tmp_path: Path, text: str, expected: list[str]) -> None:
    problems = problems_of(tmp_path, text)
    assert len(problems) == len(expected), problems
    assert [problem[: len(start)] for problem, start in zip(problems, expected, strict=True)] == expected


def test_mistakes_of_every_kind_are_told_together_in_order(tmp_path: Path) -> None:
    text = """\
version: 1
policy: p
waivers: [a]
services: {web: 80}
allow:
  - {port: 443, bind: lopback}
  - {port: 022/tcp, process: nginx, sudo: yes}
  - {service: htps}
  - {port: 1/tcp, port: 2/tcp}
deny:
  - {ports: [1/tcp, ssh, 65536/udp], severity: !x bad}
"""
    assert [problem.partition(" | ")[0] for problem in problems_of(tmp_path, text)] == [
        "3:11 expected a mapping of `key: value`, found 'a'",
        "4:17 80 without a protocol",
        "6:12 443 without a protocol",
        "6:23 unknown bind 'lopback'",
        "7:12 '022' is not a plain number, and readers differ about it",
        "7:37 unknown key 'sudo'",
        "8:15 unknown service 'htps'",
        "9:19 duplicate key 'port', first on line 9",
        "11:21 'ssh' is a name, not a port number",
        "11:26 65536 is not a port",
        "11:48 tag !x: tags are not allowed",
    ]


def test_mistakes_of_several_files_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\npolicy: same\n")
    (tmp_path / "b.yaml").write_text("version: 1\npolicy: same\nallow: [{port: 1}]\n")
    (tmp_path / "c.yaml").write_text("policy: [\n")
    with pytest.raises(DocumentError) as caught:
        load_policies([tmp_path])
    places = [(Path(one.file).name, one.line, one.message) for one in caught.value.problems]
    assert places == [
        ("b.yaml", 2, f"the policy 'same' is already there: {tmp_path / 'a.yaml'}:2"),
        ("b.yaml", 3, "1 without a protocol"),
        ("c.yaml", 2, "not valid YAML: did not find expected node content"),
    ]


@given(text=st.text("portse/-0123tcu [],{}:'x\n", max_size=40))
def test_any_entry_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.getbasetemp() / "policy-of-anything.yaml"
    path.write_text(f"version: 1\npolicy: p\nallow: [{{port: {text}}}]\n", encoding="utf-8")
    shown = ""
    try:
        (policy,) = load_policies([path]).policies
        assert all(0 < ports.first <= ports.last < 65536 for entry in policy.allow for ports in entry.ports)
    except DocumentError as error:
        shown = str(error)
    assert shown == "" or shown.startswith(str(path))


@given(bind=st.text(max_size=30))
def test_any_bind_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, bind: str) -> None:
    path = tmp_path_factory.getbasetemp() / "policy-of-any-bind.yaml"
    text = "".join(f"\\U{ord(char):08x}" for char in bind if not 0xD800 <= ord(char) < 0xE000)
    path.write_text(f'version: 1\npolicy: p\nallow: [{{port: 1/tcp, bind: "{text}"}}]\n', encoding="utf-8")
    shown = ""
    try:
        assert len(load_policies([path]).policies) == 1
    except DocumentError as error:
        shown = str(error)
    assert shown == "" or shown.startswith(str(path))
