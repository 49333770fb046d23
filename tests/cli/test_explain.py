"""`netaudit explain` and `netaudit policy explain`: from a kernel line to its verdict, of a socket the test opened."""

import json
import socket
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.cli.site import LOCAL, netaudit

POLICY = """\
version: 1
policy: here
default: ignore
raw_sockets: ignore
allow:
  - {{id: inside, port: {port}/tcp, bind: 10.0.0.0/8}}
  - {{id: elsewhere, port: 1/tcp, required: true}}
waivers:
  - {{id: w-1, rule: exposed-listener, hosts: "db-*", reason: r, owner: o, expires: 2020-01-01}}
"""


class Site(NamedTuple):
    """A folder with the report of a run, and the port of a socket that listened on 127.0.0.1 then."""

    folder: Path
    port: int


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("explain")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        (folder / "inventory.yaml").write_text(LOCAL)
        (folder / "policies").mkdir()
        (folder / "policies" / "here.yaml").write_text(POLICY.format(port=port))
        done = netaudit("run", "inventory.yaml", "-q", "-o", "json=report.json", cwd=folder)
    assert done.returncode == 1, done.stderr
    return Site(folder, port)


def explain(site: Site, *arguments: str) -> tuple[int, str, str]:
    done = netaudit("explain", "report.json", *arguments, cwd=site.folder)
    return done.returncode, done.stdout, done.stderr


def test_a_verdict_is_explained_from_the_kernels_line_on(site: Site) -> None:
    code, text, _ = explain(site, "here", f"{site.port}/tcp")
    first, *rest = text.splitlines()
    said = "\n".join(rest)
    # The kernel prints the address of loopback as 0100007F (little-endian) or 7F000001, and the port in hexadecimal.
    assert first.startswith("here  ")
    assert f":{site.port:04X} 00000000:0000 0A" in first
    assert f"is 127.0.0.1:{site.port}: its address in" in said
    assert "  here applies  [policies/here.yaml:2]" in said
    assert (
        f"  allow here/inside: {site.port}/tcp on 10.0.0.0/8: names its port, and does not hold all its addresses"
        "  [policies/here.yaml:6]" in said
    )
    assert "    - its bind 10.0.0.0/8 does not hold 127.0.0.1 (scope loopback)" in said
    assert "  1 line more of these policies: on other ports" in said
    assert "  w-1: does not cover it  [policies/here.yaml:9]" in said
    assert "    - it is for hosts db-*" in said
    assert "    - it ended with 2020-01-01 (UTC); today is " in said
    assert "verdict  unexpected" in said
    assert f"  high  exposed-listener: {site.port}/tcp is allowed on 10.0.0.0/8, found on 127.0.0.1" in said
    assert code == 0


def test_the_same_as_json(site: Site) -> None:
    code, text, _ = explain(site, "here", f"{site.port}/tcp", "--json")
    [found] = json.loads(text)
    assert code == 0
    assert (found["listener"]["verdict"], found["listener"]["port"]) == ("unexpected", site.port)
    assert [(line["entry"], line["origin"]["line"]) for line in found["lines"]] == [("inside", 6)]
    assert [finding["rule"] for finding in found["findings"]] == ["exposed-listener"]


def test_nothing_on_the_port_is_said_too(site: Site) -> None:
    code, text, _ = explain(site, "here", "1/tcp")
    assert text.splitlines()[0] == "nothing was seen on 1/tcp of here"
    assert "  high  missing-listener: nothing listens on 1/tcp, and here requires it" in text.splitlines()
    assert code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("heer", "22/tcp"), "error: heer is not in the report\n  hint: did you mean here?"),
        (("here", "22"), "error: 22 without a protocol\n  hint: write 22/tcp, or 22/udp"),
        (("here", "1-2/tcp"), "error: 1-2/tcp is more than one port"),
        (("here", "22/tcp", "-p", "nowhere"), "error: there is no policy nowhere"),
    ],
)
def test_what_cannot_be_explained(site: Site, arguments: tuple[str, ...], message: str) -> None:
    if arguments[1] == "22/tcp" and "-p" in arguments:
        arguments = (arguments[0], f"{site.port}/tcp", *arguments[2:])
    code, text, errors = explain(site, *arguments)
    assert (code, text) == (2, "")
    assert errors.startswith(message)


def test_policies_that_changed_since_the_run_are_named(site: Site, tmp_path: Path) -> None:
    other = tmp_path / "here.yaml"
    other.write_text(POLICY.format(port=site.port).replace("10.0.0.0/8", "loopback"))
    code, text, errors = explain(site, "here", f"{site.port}/tcp", "-p", str(other))
    assert "here is not what it was in the run: this is what it says now" in errors
    assert "verdict  allowed" in text
    assert "the report, made with other policies, says unexpected" in text
    assert code == 0


def test_without_a_run(tmp_path: Path) -> None:
    (tmp_path / "web.yaml").write_text(
        "version: 1\npolicy: web\napplies_to: {groups: [web], labels: {env: prod}}\n"
        "allow: [{id: https, service: https/tcp, process: nginx}]\n"
    )
    arguments = ["policy", "explain", "-p", "web.yaml", "--host", "web-01", "--group", "web", "--label", "env=prod"]
    listeners = [
        "--listener",
        "tcp 0.0.0.0:443 nginx",
        "--listener",
        "tcp 0.0.0.0:443 nc",
        "--listener",
        "tcp [::]:443",
    ]
    done = netaudit(*arguments, *listeners, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("verdict")] == [
        "verdict  allowed",
        "verdict  unexpected",
        "verdict  unknown",
    ]
    assert "    - it is for process nginx, and nc holds it" in done.stdout
    assert "    ? it is for process nginx, and who holds it is not seen (owners were not collected)" in done.stdout


def test_a_host_of_the_inventory_brings_its_groups(tmp_path: Path) -> None:
    (tmp_path / "i.yaml").write_text("version: 1\nhosts: {web-01: {groups: [web]}}\n")
    (tmp_path / "p.yaml").write_text("version: 1\npolicy: p\napplies_to: {groups: [web]}\nallow: [{port: 22/tcp}]\n")
    arguments = ["policy", "explain", "-p", "p.yaml", "-i", "i.yaml", "--listener", "tcp 0.0.0.0:22"]
    assert "verdict  allowed" in netaudit(*arguments, "--host", "web-01", cwd=tmp_path).stdout
    lost = netaudit(*arguments, "--host", "web-02", cwd=tmp_path)
    assert (lost.returncode, lost.stderr.splitlines()[0]) == (2, "error: web-02 is not in i.yaml")
