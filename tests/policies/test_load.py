"""Policies that are right: what arrives in the model."""

import hashlib
from datetime import date
from pathlib import Path

import pytest

from auditor.errors import UsageError
from auditor.model.origin import Origin
from auditor.model.policy import OwnerCondition, Policy, PolicySet, Ports, Selector
from auditor.policies import load_policies


def load(folder: Path, text: str) -> Policy:
    path = folder / "policy.yaml"
    path.write_text(text, encoding="utf-8")
    (policy,) = load_policies([path]).policies
    return policy


WHOLE = """\
version: 1
policy: web-tier
description: Front ends answer HTTP(S) and nothing else.
controls: [CIS-2.1.22, NIST-CM-7]
applies_to: {groups: [web], hosts: ["edge-*"], labels: {env: prod}, except: {hosts: [edge-lab]}}
default: warn
severity: critical
services: {metrics: 9100/tcp, peers: [7000/tcp, 7000-7010/udp6]}
max_waiver_days: 90
allow:
  - {id: https, service: https, bind: any, reason: public site}
  - id: metrics
    service: metrics
    bind: [private, 10.0.0.0/8]
    severity: low
    remediation: bind it inside
    controls: mine
  - {ports: [111/tcp, 32765-32768/udp], bind: "::1"}
  - {service: https/tcp, required: true, at_least: 4}
  - id: app
    ports: [2905/sctp, 9/udplite6, 58/raw6, 0-65535/packet]
    process: [java, jsvc]
    exe: /usr/bin/*
    user: [0, app]
    unit: app*.service
    container: "*"
    owner: docker-proxy
    netns: any
deny:
  - {id: telnet, service: telnet, severity: critical, reason: clear-text login, remediation: disable telnet.socket}
ephemeral_udp: deny
raw_sockets: warn
exposures: deny
waivers:
  - id: w-17
    rule: unexpected-listener
    hosts: [web-03]
    ports: [8443/tcp, 8080-8090/tcp4]
    bind: private
    process: java
    expires: 2026-12-31
    owner: ops@example.com
    ticket: OPS-17
    reason: migration
  - {rule: [missing-listener, service-name-conflict], hosts: "*", reason: r, owner: o, expires: 2026-12-31}
"""


def test_a_whole_policy(tmp_path: Path) -> None:
    policy = load(tmp_path, WHOLE)
    file = str(tmp_path / "policy.yaml")
    assert policy.model_dump(exclude={"allow", "deny", "waivers"}) == {
        "name": "web-tier",
        "path": file,
        "sha256": hashlib.sha256(WHOLE.encode()).hexdigest(),
        "description": "Front ends answer HTTP(S) and nothing else.",
        "controls": ("CIS-2.1.22", "NIST-CM-7"),
        "applies_to": Selector(groups=("web",), hosts=("edge-*",), labels={"env": "prod"}).model_dump(),
        "excluded": Selector(hosts=("edge-lab",)).model_dump(),
        "default": "warn",
        "severity": "critical",
        "ephemeral_udp": "deny",
        "raw_sockets": "warn",
        "exposures": "deny",
        "written": {
            switch: Origin(file=file, line=WHOLE[: WHOLE.index(f"\n{switch}:")].count("\n") + 2, column=1).model_dump()
            for switch in ("default", "ephemeral_udp", "raw_sockets", "exposures")
        },
        "bounds": (),
        "included": (),
        "origin": Origin(file=file, line=2, column=1).model_dump(),
    }
    assert [(entry.id, entry.origin.line, entry.origin.column) for entry in policy.allow] == [
        ("https", 11, 5),
        ("metrics", 12, 5),
        ("allow-111-tcp-32765-32768-udp-::1", 18, 5),
        ("allow-https-tcp", 19, 5),
        ("app", 20, 5),
    ]
    https, metrics, rpc, pinned, app = policy.allow
    assert [str(ports) for ports in https.ports] == ["443/tcp", "443/udp"]
    assert (https.bind, https.service, https.action, https.policy) == ((), "https", "allow", "web-tier")
    assert [str(ports) for ports in metrics.ports] == ["9100/tcp"]
    assert [str(bind) for bind in metrics.bind] == ["private", "10.0.0.0/8"]
    assert (metrics.severity, metrics.remediation, metrics.controls) == ("low", "bind it inside", ("mine",))
    assert [str(ports) for ports in rpc.ports] == ["111/tcp", "32765-32768/udp"]
    assert [str(bind) for bind in rpc.bind] == ["::1/128"]
    assert ([str(ports) for ports in pinned.ports], pinned.required, pinned.at_least) == (["443/tcp"], True, 4)
    assert (https.owner, https.netns, https.at_least) == (None, "host", 1)
    assert [str(ports) for ports in app.ports] == ["2905/sctp", "9/udplite6", "58/raw6", "0-65535/packet"]
    assert app.netns == "any"
    assert app.owner == OwnerCondition(
        process=("java", "jsvc"),
        exe=("/usr/bin/*",),
        user=("0", "app"),
        unit=("app*.service",),
        container=("*",),
        classes=("docker-proxy",),
    )
    (telnet,) = policy.deny
    assert (telnet.id, telnet.action, telnet.severity, str(telnet.ports[0])) == ("telnet", "deny", "critical", "23/tcp")


def test_waivers(tmp_path: Path) -> None:
    waiver, other = load(tmp_path, WHOLE).waivers
    assert waiver.model_dump(exclude={"ports", "bind", "origin", "held_by"}) == {
        "id": "w-17",
        "policy": "web-tier",
        "rules": ("unexpected-listener",),
        "hosts": ("web-03",),
        "netns": "host",
        "reason": "migration",
        "owner": "ops@example.com",
        "ticket": "OPS-17",
        "expires": date(2026, 12, 31),
    }
    assert [str(ports) for ports in waiver.ports] == ["8443/tcp", "8080-8090/tcp4"]
    assert ([str(bind) for bind in waiver.bind], waiver.held_by) == (["private"], OwnerCondition(process=("java",)))
    assert waiver.origin.line == 35
    assert (other.id, other.ports, other.rules) == (
        "waive-missing-listener-service-name-conflict",
        (),
        ("missing-listener", "service-name-conflict"),
    )


def test_what_is_not_written_is_strict(tmp_path: Path) -> None:
    policy = load(tmp_path, "version: 1\npolicy: nothing\n")
    assert (policy.default, policy.severity, policy.ephemeral_udp, policy.raw_sockets) == (
        "deny",
        "high",
        "ignore",
        "ignore",
    )
    assert (policy.applies_to, policy.excluded, policy.allow, policy.deny) == (None, None, (), ())


@pytest.mark.parametrize(
    ("applies", "chosen", "excluded"),
    [
        ("{groups: web}", Selector(groups=("web",)), None),
        ("{except: {groups: lab}}", None, Selector(groups=("lab",))),
        ("{labels: {a: b}, except: {labels: {c: d}}}", Selector(labels={"a": "b"}), Selector(labels={"c": "d"})),
    ],
)
def test_which_hosts(tmp_path: Path, applies: str, chosen: Selector | None, excluded: Selector | None) -> None:
    policy = load(tmp_path, f"version: 1\npolicy: p\napplies_to: {applies}\n")
    assert (policy.applies_to, policy.excluded) == (chosen, excluded)


@pytest.mark.parametrize(
    ("text", "ports"),
    [
        ("443/tcp", Ports(proto="tcp", first=443, last=443)),
        ("8000-8100/tcp", Ports(proto="tcp", first=8000, last=8100)),
        ("53/udp", Ports(proto="udp", first=53, last=53)),
        ("1-65535/udp6", Ports(proto="udp", first=1, last=65535, family="ipv6")),
        ("22/tcp4", Ports(proto="tcp", first=22, last=22, family="ipv4")),
        ("7-7/tcp", Ports(proto="tcp", first=7, last=7)),
    ],
)
def test_ports(tmp_path: Path, text: str, ports: Ports) -> None:
    assert load(tmp_path, f"version: 1\npolicy: p\nallow: [{{port: {text}}}]\n").allow[0].ports == (ports,)


@pytest.mark.parametrize(
    ("text", "binds"),
    [
        ("any", []),
        ("loopback", ["loopback"]),
        (
            "[private, link-local, multicast, global, wildcard]",
            ["private", "link-local", "multicast", "global", "wildcard"],
        ),
        ("10.0.0.5", ["10.0.0.5/32"]),
        ("10.0.0.0/8", ["10.0.0.0/8"]),
        ("'2001:db8::1'", ["2001:db8::1/128"]),
        ("'[2001:db8::1]'", ["2001:db8::1/128"]),
        ("'2001:DB8:0::/32'", ["2001:db8::/32"]),
        ("'::ffff:10.0.0.5'", ["10.0.0.5/32"]),
        ("'::ffff:10.0.0.0/104'", ["10.0.0.0/8"]),
    ],
)
def test_binds(tmp_path: Path, text: str, binds: list[str]) -> None:
    (entry,) = load(tmp_path, f"version: 1\npolicy: p\nallow: [{{port: 1/tcp, bind: {text}}}]\n").allow
    assert [str(bind) for bind in entry.bind] == binds


def test_the_id_of_an_entry_does_not_depend_on_its_place(tmp_path: Path) -> None:
    entries = ["{port: 80/tcp}", "{service: ssh, bind: [private, loopback]}", "{port: 80/udp}"]
    ids = [
        {str(entry.ports[0]): entry.id for entry in load(tmp_path, f"version: 1\npolicy: p\nallow: [{text}]\n").allow}
        for text in (", ".join(entries), ", ".join(reversed(entries)))
    ]
    assert (
        ids[0]
        == ids[1]
        == {
            "80/tcp": "allow-80-tcp",
            "22/tcp": "allow-ssh-private-loopback",
            "80/udp": "allow-80-udp",
        }
    )


def policy_files(folder: Path, **names: str) -> None:
    for stem, name in names.items():
        (folder / f"{stem}.yaml").write_text(f"version: 1\npolicy: {name}\n")


def names_of(policies: PolicySet) -> list[str]:
    return [policy.name for policy in policies.policies]


def test_a_folder_is_every_yaml_file_directly_in_it(tmp_path: Path) -> None:
    policy_files(tmp_path, a="zebra", b="ant")
    (tmp_path / "c.yml").write_text("version: 1\npolicy: bee\n")
    (tmp_path / ".hidden.yaml").write_text("not: [yaml")
    (tmp_path / "notes.txt").write_text("not: [yaml")
    (tmp_path / "deeper").mkdir()
    policy_files(tmp_path / "deeper", d="cow")
    assert names_of(load_policies([tmp_path])) == ["ant", "bee", "zebra"]


def test_a_file_named_twice_is_read_once(tmp_path: Path) -> None:
    policy_files(tmp_path, a="ant")
    (tmp_path / "link").symlink_to(tmp_path)
    paths = [tmp_path, tmp_path / "a.yaml", tmp_path / "link" / "a.yaml"]
    assert names_of(load_policies(paths)) == ["ant"]


def test_the_order_of_the_files_does_not_matter(tmp_path: Path) -> None:
    policy_files(tmp_path, a="zebra", b="ant")
    paths = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    assert load_policies(paths) == load_policies(paths[::-1])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda folder: [folder / "absent.yaml"], "there is no policy "),
        (lambda folder: [folder], "there is no policy (*.yaml) in "),
        (lambda _: [], "no policy is given"),
    ],
    ids=["absent", "empty-folder", "none"],
)
def test_without_a_policy_the_next_step_is_told(tmp_path: Path, make: object, message: str) -> None:
    assert callable(make)
    with pytest.raises(UsageError) as caught:
        load_policies(make(tmp_path))
    assert caught.value.message.startswith(message)
    assert "-p" in caught.value.hint
