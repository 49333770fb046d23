"""The policies that come with netaudit: they load, and an auditor can read them."""

from pathlib import Path

import jsonschema
import pytest

from auditor.document import read_document
from auditor.model.policy import Entry, Policy
from auditor.policies import load_policies
from auditor.policies.file import PolicyFile

FOLDER = Path(__file__).parents[2] / "policies"
POLICIES = {policy.name: policy for policy in load_policies([FOLDER]).policies}


def entry_of(policy: str, name: str) -> Entry:
    return next(entry for entry in (*POLICIES[policy].allow, *POLICIES[policy].deny) if entry.id == name)


def test_one_for_every_role_and_one_for_all() -> None:
    applies = {name: policy.applies_to.groups if policy.applies_to else None for name, policy in POLICIES.items()}
    assert applies == {"base": None, "bastion": ("bastion",), "database": ("db",), "web": ("web",)}


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_a_reader_learns_why(policy: Policy) -> None:
    assert policy.description
    assert policy.default == "deny"
    assert [entry.id for entry in (*policy.allow, *policy.deny) if not entry.reason] == []
    assert [entry.id for entry in policy.deny if not (entry.remediation and entry.severity)] == []


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_every_entry_has_an_id_of_its_own_choice(policy: Policy) -> None:
    assert [entry.id for entry in (*policy.allow, *policy.deny) if entry.id.startswith(("allow-", "deny-"))] == []


def test_databases_never_face_the_internet() -> None:
    for name in ("postgresql", "mysql"):
        assert {str(bind) for bind in entry_of("database", name).bind} == {"private", "loopback"}


@pytest.mark.parametrize("name", ["telnet", "rlogin", "docker-api"])
def test_what_gives_a_host_away_is_critical(name: str) -> None:
    entry = entry_of("base", name)
    assert (entry.action, entry.severity, entry.bind) == ("deny", "critical", ())


def test_no_role_allows_what_the_base_denies() -> None:
    """A deny wins over every allow, so such an allow would be dead."""
    denied = [ports for entry in POLICIES["base"].deny for ports in entry.ports]
    clashes = [
        f"{policy.name}: {entry.id}"
        for policy in POLICIES.values()
        for entry in policy.allow
        for mine in entry.ports
        for theirs in denied
        if mine.proto == theirs.proto and mine.first <= theirs.last and theirs.first <= mine.last
    ]
    assert clashes == []


def test_the_schema_for_editors_accepts_them_and_refuses_an_unknown_key() -> None:
    validator = jsonschema.Draft202012Validator(PolicyFile.model_json_schema())
    for path in FOLDER.glob("*.yaml"):
        validator.validate(read_document(path).tree())
    assert not validator.is_valid({"version": 1, "policy": "p", "alow": []})
    assert not validator.is_valid({"version": 1, "policy": "p", "applies_to": {"except": {"labels": {}}}})
