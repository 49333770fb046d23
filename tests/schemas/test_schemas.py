"""The schemas for editors: fresh, draft-07, with a word about every key; they take our files and refuse broken ones."""

import json
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from auditor.cases.file import CasesFile
from auditor.document import FileModel, parse_document, read_document
from auditor.document.schema import render_schema
from auditor.errors import DocumentError
from auditor.inventory.file import InventoryFile
from auditor.policies import load_policies
from auditor.policies.file import PolicyFile

ROOT = Path(__file__).parents[2]
MODELS: dict[str, tuple[type[FileModel], str]] = {
    "policy": (PolicyFile, "netaudit policy"),
    "inventory": (InventoryFile, "netaudit inventory"),
    "cases": (CasesFile, "netaudit policy cases"),
}
SCHEMAS: dict[str, dict[str, Any]] = {
    name: json.loads(files("auditor.schemas").joinpath(f"{name}.json").read_text(encoding="utf-8")) for name in MODELS
}
OURS = [
    *(("policy", path) for path in sorted((ROOT / "policies").glob("*.yaml"))),
    *(("cases", path) for path in sorted((ROOT / "policies/tests").glob("*.yaml"))),
    ("inventory", ROOT / "inventory.example.yaml"),
]

POLICY = "version: 1\npolicy: p\n"
BROKEN_POLICIES = {
    "no version": "policy: p\n",
    "another version": "version: 2\npolicy: p\n",
    "version as text": 'version: "1"\npolicy: p\n',
    "no name": "version: 1\n",
    "a name with a slash": "version: 1\npolicy: a/b\n",
    "an unknown key": f"{POLICY}alow: []\n",
    "an unknown key of an entry": f"{POLICY}allow: [{{port: 443/tcp, prot: tcp}}]\n",
    "an unknown default": f"{POLICY}default: allow\n",
    "an unknown severity": f"{POLICY}severity: severe\n",
    "a port without a protocol": f"{POLICY}allow: [{{port: 443}}]\n",
    "a port in base 60": f"{POLICY}allow: [{{port: 22:22}}]\n",
    "an octal port": f"{POLICY}allow: [{{port: 022/tcp}}]\n",
    "an unknown protocol": f"{POLICY}allow: [{{port: 443/http}}]\n",
    "a name for a port": f"{POLICY}allow: [{{port: https/tcp}}]\n",
    "a family of packet sockets": f"{POLICY}allow: [{{port: 3/packet4}}]\n",
    "a range with three ends": f"{POLICY}allow: [{{port: 1-2-3/tcp}}]\n",
    "an empty list of ports": f"{POLICY}allow: [{{ports: []}}]\n",
    "an entry without a port": f"{POLICY}allow: [{{id: x}}]\n",
    "an entry with port and service": f"{POLICY}allow: [{{port: 443/tcp, service: https}}]\n",
    "an unknown scope": f"{POLICY}allow: [{{port: 443/tcp, bind: localhost}}]\n",
    "an address with a zone": f"{POLICY}allow: [{{port: 443/tcp, bind: fe80::1%eth0}}]\n",
    "required in words": f"{POLICY}allow: [{{port: 443/tcp, required: always}}]\n",
    "an id with a blank": f"{POLICY}allow: [{{port: 443/tcp, id: a b}}]\n",
    "an unknown class of owner": f"{POLICY}allow: [{{port: 443/tcp, owner: nginx}}]\n",
    "an unknown namespace": f"{POLICY}allow: [{{port: 443/tcp, netns: blue}}]\n",
    "at least none": f"{POLICY}allow: [{{port: 443/tcp, required: true, at_least: 0}}]\n",
    "an entry that is a word": f"{POLICY}allow: [443/tcp]\n",
    "allow as a mapping": f"{POLICY}allow: {{port: 443/tcp}}\n",
    "hosts in the policy": f"{POLICY}hosts: [a]\n",
    "no groups at all": f"{POLICY}applies_to: {{groups: []}}\n",
    "labels as a list": f"{POLICY}applies_to: {{labels: [prod]}}\n",
    "an unknown selector": f"{POLICY}applies_to: {{group: web}}\n",
    "a waiver without an end": f"{POLICY}waivers: [{{rule: wrong-owner, hosts: a, reason: r, owner: o}}]\n",
    "a waiver without a reason": f"{POLICY}waivers: [{{rule: wrong-owner, hosts: a, owner: o, expires: 2026-12-31}}]\n",
    "a waiver until 31.12.": (
        f"{POLICY}waivers: [{{rule: wrong-owner, hosts: a, reason: r, owner: o, expires: 31.12.2026}}]\n"
    ),
    "a waiver of a gap": (
        f"{POLICY}waivers: [{{rule: evidence-gap, hosts: a, reason: r, owner: o, expires: 2026-12-31}}]\n"
    ),
}
BROKEN_INVENTORIES = {
    "no version": "hosts: {}\n",
    "hosts as a list": "version: 1\nhosts: [a, b]\n",
    "an unknown key": "version: 1\nhosts: {a: {prot: 22}}\n",
    "a port out of range": "version: 1\nhosts: {a: {port: 65536}}\n",
    "a port as text": 'version: 1\nhosts: {a: {port: "22"}}\n',
    "a key without a value": "version: 1\nhosts: {a: {port: }}\n",
    "an unknown connection": "version: 1\nhosts: {a: {connection: winrm}}\n",
    "a password": "version: 1\nhosts: {a: {password: hunter2}}\n",
    "a timeout of none": "version: 1\ndefaults: {timeout: 0}\n",
    "labels with numbers": "version: 1\nhosts: {a: {labels: {rack: 7}}}\n",
}
BROKEN_CASES = {
    "no cases": "version: 1\ncases: []\n",
    "a case without a name": "version: 1\ncases: [{groups: [web]}]\n",
    "listeners as a list": "version: 1\ncases: [{case: c, listeners: [tcp 0.0.0.0:22]}]\n",
    "nothing expected": "version: 1\ncases:\n  - case: c\n    listeners:\n      tcp 0.0.0.0:22:\n",
}
BROKEN = [
    *(("policy", text) for text in BROKEN_POLICIES.values()),
    *(("inventory", text) for text in BROKEN_INVENTORIES.values()),
    *(("cases", text) for text in BROKEN_CASES.values()),
]
BROKEN_IDS = [*BROKEN_POLICIES, *BROKEN_INVENTORIES, *BROKEN_CASES]


def validator(name: str) -> jsonschema.Draft7Validator:
    return jsonschema.Draft7Validator(SCHEMAS[name])


@pytest.mark.parametrize("name", MODELS)
def test_it_is_fresh(name: str) -> None:
    """To renew it: python -m tests.schemas.renew."""
    published = files("auditor.schemas").joinpath(f"{name}.json").read_text(encoding="utf-8")
    assert published == render_schema(*MODELS[name])


@pytest.mark.parametrize("name", MODELS)
def test_it_is_draft_07_and_nothing_younger(name: str) -> None:
    schema = SCHEMAS[name]
    assert schema["$schema"] == "http://json-schema.org/draft-07/schema#"
    jsonschema.Draft7Validator.check_schema(schema)
    words = {word for part in walk(schema) for word in part}
    assert words & {"$defs", "prefixItems", "dependentRequired", "unevaluatedProperties", "discriminator"} == set()
    assert [part for part in walk(schema) if "$ref" in part and len(part) > 1] == []


@pytest.mark.parametrize("name", MODELS)
def test_an_editor_has_something_to_say_about_every_key(name: str) -> None:
    silent = [
        f"{where}.{key}"
        for where, part in [("", SCHEMAS[name]), *SCHEMAS[name]["definitions"].items()]
        for key, prop in part.get("properties", {}).items()
        if len(prop.get("description", "")) < 4
    ]
    assert silent == []


def walk(schema: object) -> Iterator[dict[str, Any]]:
    """Yield every schema within, its properties as such and not as words of the language."""
    if isinstance(schema, list):
        for item in schema:
            yield from walk(item)
    elif isinstance(schema, dict):
        yield {word: part for word, part in schema.items() if word not in ("properties", "definitions")}
        for word, part in schema.items():
            yield from walk(list(part.values()) if word in ("properties", "definitions") else part)


@pytest.mark.parametrize(("name", "path"), OURS, ids=lambda value: value.name if isinstance(value, Path) else value)
def test_it_takes_our_own_files(name: str, path: Path) -> None:
    assert [error.message for error in validator(name).iter_errors(read_document(path).tree())] == []


@pytest.mark.parametrize(("name", "text"), BROKEN, ids=BROKEN_IDS)
def test_it_refuses_a_broken_file(name: str, text: str) -> None:
    assert not validator(name).is_valid(parse_document(text.encode(), "x.yaml").tree())


@pytest.mark.parametrize("text", BROKEN_POLICIES.values(), ids=BROKEN_POLICIES)
def test_what_the_schema_refuses_a_run_refuses_too(text: str, tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text(text)
    with pytest.raises(DocumentError):
        load_policies([path])


def test_enough_files_are_broken() -> None:
    assert len(BROKEN_POLICIES) >= 30


WHOLE = """\
version: 1
policy: whole
description: Everything a policy can say.
controls: [CIS-2.1.22]
applies_to: {groups: web, hosts: ["edge-*"], labels: {env: prod}, except: {hosts: [edge-lab]}}
include: other.yaml
default: warn
severity: low
services: {metrics: 9100/tcp, pair: [1/tcp, 1/udp]}
allow:
  - {id: https, service: https/tcp, bind: any, process: nginx, required: true, at_least: 2, reason: public}
  - {port: 8000-8100/tcp4, bind: [private, 10.0.0.1, "::1", "[fd00::1]", fd00::/8], exe: /bin/nginx, user: www-data}
  - {ports: [58/raw, 3/packet, 2905/sctp6], unit: [a.service], container: "*", netns: any, owner: [kernel, kubelet]}
deny:
ephemeral_udp: deny
raw_sockets: warn
exposures: deny
states: {CLOSE_WAIT: {max: 500, severity: low, reason: the pool, remediation: restart it}}
accept_queue: {max: 100}
max_waiver_days: 30
waivers:
  - {rule: [wrong-owner], hosts: [a], port: 1/tcp, reason: r, owner: o, ticket: T-1, expires: 2026-12-31}
"""


def test_it_takes_everything_the_language_has() -> None:
    tree = parse_document(WHOLE.encode(), "x.yaml").tree()
    assert [error.message for error in validator("policy").iter_errors(tree)] == []
    assert isinstance(tree, dict)
    fields = {field.alias or key for key, field in PolicyFile.model_fields.items()}
    assert fields - tree.keys() == set()
