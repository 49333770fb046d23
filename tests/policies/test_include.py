"""Included files: what they bring, whose lines stay whose, and what is refused."""

import hashlib
from pathlib import Path

import pytest

from auditor.errors import DocumentError
from auditor.evaluate import evaluate
from auditor.model.policy import SWITCHES, Policy
from auditor.policies import load_policies
from tests.builders import NOW, a_host, a_listener, some_facts, told


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"version: 1\npolicy: {name}\n{text}")


def load(folder: Path, name: str = "web") -> Policy:
    (policy,) = load_policies([folder / f"{name}.yaml"]).policies
    return policy


def problems_of(folder: Path, name: str = "web") -> list[str]:
    with pytest.raises(DocumentError) as caught:
        load_policies([folder / f"{name}.yaml"])
    return told(caught.value)


def test_an_included_file_keeps_its_lines_and_is_listed(tmp_path: Path) -> None:
    write(
        tmp_path,
        web="applies_to: {groups: [web]}\ninclude: common/ssh.yaml\nallow: [{id: https, port: 443/tcp}]\n",
        common__ssh="allow:\n  - {id: ssh, port: 22/tcp}\ndeny: [{id: telnet, service: telnet}]\n",
    )
    policy = load(tmp_path)
    ssh = tmp_path / "common" / "ssh.yaml"
    assert [(entry.id, entry.policy, str(entry.origin)) for entry in (*policy.allow, *policy.deny)] == [
        ("https", "web", f"{tmp_path / 'web.yaml'}:5"),
        ("ssh", "web", f"{ssh}:4"),
        ("telnet", "web", f"{ssh}:5"),
    ]
    [included] = policy.included
    assert (included.name, included.path) == ("common__ssh", str(ssh))
    assert included.sha256 == hashlib.sha256(ssh.read_bytes()).hexdigest()
    [finding] = evaluate(
        a_host(groups=("web",)), some_facts(a_listener(port=23)), load_policies([tmp_path / "web.yaml"]), NOW
    ).findings
    assert (finding.message, str(finding.origin)) == ("web forbids telnet (23/tcp)", f"{ssh}:5")


def test_included_lines_keep_their_severity_and_controls(tmp_path: Path) -> None:
    write(
        tmp_path,
        web="include: [base.yaml, plain.yaml]\nseverity: low\ncontrols: [C]\n",
        base="severity: critical\ncontrols: [B]\ndeny: [{id: a, port: 1/tcp, controls: [A]}]\n",
        plain="deny: [{id: b, port: 2/tcp, severity: medium}, {id: c, port: 3/tcp}]\n",
    )
    policy = load(tmp_path)
    assert [(entry.severity, entry.controls) for entry in policy.deny] == [
        ("critical", ("A", "B")),
        ("medium", ()),
        (None, ()),
    ]
    assert (policy.severity, policy.controls) == ("low", ("C",))


@pytest.mark.parametrize(
    ("web", "settings", "places"),
    [
        ("", ("deny", "warn", "deny"), ("a", "a", "b", "web")),
        ("default: ignore\n", ("ignore", "warn", "deny"), ("web", "a", "b", "web")),
        ("raw_sockets: ignore\nephemeral_udp: deny\n", ("deny", "deny", "ignore"), ("a", "web", "web", "web")),
    ],
)
def test_switches_are_ones_own_or_else_the_strictest_included(
    tmp_path: Path, web: str, settings: tuple[str, str, str], places: tuple[str, str, str, str]
) -> None:
    write(
        tmp_path,
        web=f"include: [a.yaml, b.yaml]\n{web}",
        a="default: deny\nephemeral_udp: warn\n",
        b="default: warn\nraw_sockets: deny\n",
    )
    policy = load(tmp_path)
    assert (policy.default, policy.ephemeral_udp, policy.raw_sockets) == settings
    assert tuple(Path(policy.place_of(switch).file).stem for switch in SWITCHES) == places
    assert policy.place_of("exposures") == policy.origin  # nobody wrote it


def test_included_services_can_be_named_and_ones_own_go_first(tmp_path: Path) -> None:
    write(
        tmp_path,
        web="include: names.yaml\nservices: {app: 8080/tcp}\nallow: [{service: app}, {service: db}]\n",
        names="services: {app: 9999/tcp, db: 5432/tcp}\nallow: [{id: theirs, service: app}]\n",
    )
    assert [[str(ports) for ports in entry.ports] for entry in load(tmp_path).allow] == [
        ["8080/tcp"],
        ["5432/tcp"],
        ["9999/tcp"],
    ]


def test_what_is_included_on_two_ways_is_there_once(tmp_path: Path) -> None:
    waiver = "waivers: [{id: w, rule: wrong-owner, hosts: x, reason: r, owner: o, expires: 2026-12-31}]\n"
    write(
        tmp_path,
        web="include: [a.yaml, b.yaml]\n",
        a="include: c.yaml\nallow: [{id: a, port: 1/tcp}]\n",
        b="include: c.yaml\nallow: [{id: b, port: 2/tcp}]\n",
        c=f"allow: [{{id: c, port: 3/tcp}}]\n{waiver}",
    )
    policy = load(tmp_path)
    assert [entry.id for entry in policy.allow] == ["a", "c", "b"]
    assert [(one.id, one.policy, Path(one.origin.file).name) for one in policy.waivers] == [("w", "web", "c.yaml")]
    assert [Path(file.path).name for file in policy.included] == ["a.yaml", "c.yaml", "b.yaml"]


def test_a_file_may_be_included_and_stand_for_itself(tmp_path: Path) -> None:
    write(tmp_path, web="include: base.yaml\n", base="allow: [{id: ssh, port: 22/tcp}]\n")
    policies = load_policies([tmp_path]).policies
    assert [(policy.name, [entry.policy for entry in policy.allow]) for policy in policies] == [
        ("base", ["base"]),
        ("web", ["web"]),
    ]


def test_a_cycle_is_refused_and_shown(tmp_path: Path) -> None:
    write(tmp_path, web="include: a.yaml\n", a="include: b.yaml\n", b="include: [a.yaml]\n")
    a, b = tmp_path / "a.yaml", tmp_path / "b.yaml"
    assert problems_of(tmp_path) == [
        f"3:11 it comes back to itself: {a} includes {b} includes {a} | remove one of these includes"
    ]


def test_a_file_that_includes_itself(tmp_path: Path) -> None:
    write(tmp_path, web="include: web.yaml\n")
    web = tmp_path / "web.yaml"
    assert problems_of(tmp_path)[0].startswith(f"3:10 it comes back to itself: {web} includes {web} | ")


@pytest.mark.parametrize(
    ("include", "expected"),
    [
        ("absent.yaml", "3:10 there is no file "),
        (".", "3:10 there is no file "),
        ("/etc/passwd", "3:10 /etc/passwd is not relative to this file | write the way from the folder"),
        ("~/base.yaml", "3:10 ~/base.yaml is not relative to this file | write the way from the folder"),
        ("5", '3:10 expected text, found 5 | put it in quotes: "5"'),
        ("[]", "3:10 nothing stands in here | write at least one value"),
    ],
)
def test_what_cannot_be_included(tmp_path: Path, include: str, expected: str) -> None:
    write(tmp_path, web=f"include: {include}\n")
    [problem] = problems_of(tmp_path)
    assert problem.startswith(expected)


def test_mistakes_of_an_included_file_are_told_at_their_own_place(tmp_path: Path) -> None:
    write(tmp_path, web="include: [a.yaml, b.yaml]\nallow: [{port: 443}]\n", a="allow: [{port: 80}]\n", b="x: [\n")
    with pytest.raises(DocumentError) as caught:
        load_policies([tmp_path])
    assert [(Path(one.file).name, one.line) for one in caught.value.problems] == [
        ("a.yaml", 3),
        ("b.yaml", 4),
        ("web.yaml", 4),
    ]


def test_an_id_is_unique_in_all_that_is_included(tmp_path: Path) -> None:
    write(
        tmp_path,
        web="include: [a.yaml, b.yaml]\nallow: [{id: ssh, port: 22/tcp}]\n",
        a="allow: [{id: ssh, port: 22/tcp}]\n",
        b="deny: [{id: ssh, port: 22/udp}]\n",
    )
    first, second = problems_of(tmp_path)
    assert first.startswith(f"3:10 the id 'ssh' is already there, in {tmp_path / 'a.yaml'}:3 | give one of them")
    assert second.startswith(f"4:14 the id 'ssh' is already there, in {tmp_path / 'a.yaml'}:3 | give this entry")


def test_an_included_file_does_not_choose_hosts(tmp_path: Path) -> None:
    """Its `applies_to` would be passed over without a word, so it is refused."""
    write(tmp_path, web="include: db.yaml\n", db="applies_to: {groups: [db]}\nallow: [{port: 5432/tcp}]\n")
    [problem] = problems_of(tmp_path)
    assert problem.startswith("3:10 db.yaml has applies_to, and what is included holds wherever this policy does | ")
