"""What lint warns of, at which place, and what it leaves alone."""

from pathlib import Path

import pytest

from auditor.lint import CODES, lint_policies
from auditor.model.host import Host
from auditor.policies import load_policies
from tests.builders import a_host

HEAD = "version: 1\npolicy: p\n"


def warn(folder: Path, body: str, hosts: list[Host] | None = None, **others: str) -> list[str]:
    """Return each warning as `line:column message | hint` of p.yaml, or with the name of another file."""
    (folder / "p.yaml").write_text(f"{HEAD}{body}")
    for name, text in others.items():
        (folder / f"{name}.yaml").write_text(text)
    found = lint_policies(load_policies([folder]), hosts)
    assert all(problem.level == "warning" for problem in found)
    names = {problem: "" if problem.file.endswith("/p.yaml") else f"{Path(problem.file).name}:" for problem in found}
    return [f"{names[one]}{one.line}:{one.column} {one.message} | {one.hint}" for one in found]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            "allow:\n  - {id: x, port: 1-65535/tcp}\n",
            "4:19 x allows every port of tcp at any address [allows-everything] | name the ports that are needed, or",
        ),
        (
            "default: ignore\n",
            "3:10 p has default: ignore, so whatever it does not list may listen [allows-everything]",
        ),
        (
            "allow:\n  - {id: x, ports: [80/tcp, 1000-2000/udp]}\n",
            "4:20 x allows 1,001 ports (1000-2000/udp) [wide-range] | name the ports that are needed, 1,000 at most",
        ),
        (
            "allow:\n  - {id: x, port: 1-65535/tcp, bind: loopback}\n",
            "4:19 x allows 65,535 ports (1-65535/tcp) [wide-range] |",
        ),
        (
            "allow:\n  - id: x\n    service: postgresql\n",
            "5:14 x opens 5432 (PostgreSQL) at every address of the host [bind-missing] | say where: `bind: private`;",
        ),
        (
            "allow:\n  - {id: x, port: 82/tcp4, bind: '::1'}\n",
            "4:34 x matches nothing: 82/tcp4 is not for IPv6 [never-matches] | write tcp without a family, or tcp6; or",
        ),
        (
            "deny:\n  - {id: x, ports: [82/tcp6, 83/udp6], bind: 10.0.0.0/8}\n",
            "4:46 x matches nothing: 82/tcp6, 83/udp6 are not for IPv4 [never-matches] | write tcp without a family",
        ),
        (
            "allow:\n  - {id: x, port: 82/tcp4, bind: [private, fd00::1, 10.0.0.1]}\n",
            "4:34 fd00::1 adds nothing to x: 82/tcp4 is not for IPv6 [never-matches] |",
        ),
        (
            "deny:\n  - {id: a, port: 20-30/tcp}\n  - {id: b, port: 23/tcp}\n",
            "5:19 b denies nothing that a (",
        ),
        (
            "deny:\n  - {id: a, port: 23/tcp}\n  - {id: b, port: 23/tcp}\n",
            "5:19 b denies nothing that a (",
        ),
        (
            "allow: [{id: a, port: 5432/tcp, bind: 10.1.0.0/16}]\ndeny: [{id: b, port: 1-9999/tcp, bind: private}]\n",
            "3:23 a allows nothing: b (",
        ),
    ],
)
def test_a_warning_stands_at_its_place(body: str, expected: str, tmp_path: Path) -> None:
    (told,) = warn(tmp_path, body)
    assert told.startswith(expected)


@pytest.mark.parametrize(
    "body",
    [
        "allow:\n  - {port: 1000-1999/tcp}\n",
        "allow:\n  - {port: 82/tcp4, bind: [loopback, 10.0.0.1, '::ffff:10.0.0.2']}\n",
        "allow:\n  - {ports: [82/tcp4, 83/tcp], bind: '::1'}\n",
        "allow:\n  - {ports: [82/tcp4, 82/tcp6], bind: '::1'}\n",
        "allow:\n  - {service: ssh, bind: any}\n",
        "allow:\n  - {service: postgresql, bind: loopback}\n",
        "deny:\n  - {port: 5432/tcp}\n",
        "deny:\n  - {port: 1-65535/tcp}\n",
        "default: warn\n",
        "deny:\n  - {id: a, port: 20-30/tcp, severity: low}\n  - {id: b, port: 23/tcp, severity: critical}\n",
        "deny:\n  - {id: a, port: 23/tcp4}\n  - {id: b, port: 23/tcp6}\n",
        "deny:\n  - {id: a, port: 23/tcp, process: nc}\n  - {id: b, port: 23/tcp, process: nginx}\n",
        "deny:\n  - {id: a, port: 23/tcp, netns: containers}\n  - {id: b, port: 23/tcp}\n",
        "allow:\n  - {port: 23/tcp}\ndeny:\n  - {port: 23/tcp, bind: loopback}\n",
        "allow:\n  - {port: 23/tcp, bind: [10.0.0.1, 8.8.8.8]}\ndeny:\n  - {port: 23/tcp, bind: private}\n",
    ],
)
def test_what_is_meant_is_left_alone(body: str, tmp_path: Path) -> None:
    assert warn(tmp_path, body) == []


def test_another_policy_shadows_where_it_holds_on_the_same_hosts(tmp_path: Path) -> None:
    everywhere = "version: 1\npolicy: base\ndeny: [{id: all, port: 20-30/tcp}]\n"
    elsewhere = "version: 1\npolicy: db\napplies_to: {groups: [db]}\ndeny: [{id: db, port: 1-1000/tcp}]\n"
    body = "applies_to: {groups: [web]}\ndeny: [{id: telnet, port: 23/tcp}]\n"
    assert warn(tmp_path, body, other=elsewhere) == []
    (told,) = warn(tmp_path, body, other=everywhere)
    assert told.startswith("4:27 telnet denies nothing that all (")


def test_names_are_compared_with_the_inventory(tmp_path: Path) -> None:
    hosts = [a_host("web-01", groups=("web",), labels={"env": "prod"})]
    body = (
        "applies_to:\n  groups: [web, wbe]\n  hosts: ['web-*', 'db-*']\n"
        "  labels: {env: prd, site: x}\n  except: {hosts: [lab]}\n"
    )
    assert warn(tmp_path, body) == []
    assert warn(tmp_path, body, hosts) == [
        "4:17 p: no host of the inventory is in the group 'wbe' [unknown-group] | did you mean 'web'?",
        "5:20 p: no host of the inventory has a name like 'db-*' [unknown-host] | ",
        "6:17 p: no host of the inventory has the label env=prd [unknown-label] | env is one of: prod",
        "6:28 p: no host of the inventory has the label site=x [unknown-label] | ",
        "7:20 p: no host of the inventory has a name like 'lab' [unknown-host] | ",
    ]


def test_an_included_entry_is_told_where_it_is_written(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts/more.yaml").write_text("version: 1\npolicy: more\nallow:\n  - {id: x, port: 5432/tcp}\n")
    (told,) = warn(tmp_path, "include: parts/more.yaml\n")
    assert told.startswith("more.yaml:4:19 x opens 5432")


def test_every_warning_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs/policies.md").read_text()
    assert [code for code in CODES if f"`{code}`" not in text] == []
