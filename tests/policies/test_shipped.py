"""The policies that come with netaudit: they load, and an auditor can read them."""

import re
from pathlib import Path

import pytest

from auditor.model.policy import Entry, Policy
from auditor.policies import load_policies

FOLDER = Path(__file__).parents[2] / "policies"
DOCS = FOLDER.parent / "docs/policies.md"
POLICIES = {policy.name: policy for policy in load_policies([FOLDER]).policies}


def entry_of(policy: str, name: str) -> Entry:
    return next(entry for entry in (*POLICIES[policy].allow, *POLICIES[policy].deny) if entry.id == name)


def test_one_for_every_role_and_one_for_all() -> None:
    applies = {name: policy.applies_to.groups if policy.applies_to else None for name, policy in POLICIES.items()}
    assert applies == {
        "base": None,
        "bastion": ("bastion",),
        "container-host": ("containers",),
        "database": ("db",),
        "dns": ("dns",),
        "kubernetes-node": ("kubernetes",),
        "mail": ("mail",),
        "web": ("web",),
    }


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_a_reader_learns_why(policy: Policy) -> None:
    assert policy.description
    assert policy.default == "deny"
    assert [entry.id for entry in (*policy.allow, *policy.deny) if not entry.reason] == []
    assert [entry.id for entry in policy.deny if not (entry.remediation and entry.severity)] == []


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_every_entry_has_an_id_of_its_own_choice(policy: Policy) -> None:
    assert [entry.id for entry in (*policy.allow, *policy.deny) if entry.id.startswith(("allow-", "deny-"))] == []


def test_a_control_that_is_named_is_one_that_was_looked_up() -> None:
    """docs/policies.md says what each asks for."""
    documented = set(re.findall(r"^\| ([A-Z]+[A-Z-]*-[0-9.]+|NIST-[A-Z]+-[0-9]+) \|", DOCS.read_text(), re.MULTILINE))
    of_policies = {control for policy in POLICIES.values() for control in policy.controls}
    entries = [entry for policy in POLICIES.values() for entry in (*policy.allow, *policy.deny)]
    named = of_policies | {control for entry in entries for control in entry.controls}
    assert named == documented


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
