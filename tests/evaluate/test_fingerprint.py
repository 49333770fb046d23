"""The identity of a finding: what changes it and what does not."""

from hashlib import sha256

from hypothesis import given
from hypothesis import strategies as st

from auditor.evaluate import evaluate
from auditor.evaluate.fingerprint import Identity, fingerprint
from auditor.model.facts import Owner
from auditor.model.origin import Origin
from tests.builders import NOW, a_host, a_listener, a_policy, a_policy_set, an_entry, some_facts


def test_it_is_the_start_of_sha256_over_the_joined_parts() -> None:
    identity = Identity("forbidden-listener", "web-01", "host", "tcp", "wildcard", "23")
    assert fingerprint(identity) == sha256(b"forbidden-listener|web-01|host|tcp|wildcard|23").hexdigest()[:32]


def test_a_separator_in_a_name_is_not_a_separator() -> None:
    assert fingerprint(Identity("no-policy", "a|b", "c")) != fingerprint(Identity("no-policy", "a", "b|c"))
    assert fingerprint(Identity("no-policy", "a\\", "b")) != fingerprint(Identity("no-policy", "a", "\\b"))


parts = st.text(alphabet="a|\\\ud800", max_size=4)


@given(st.tuples(parts, parts, parts, parts, parts), st.tuples(parts, parts, parts, parts, parts))
def test_different_matters_have_different_fingerprints(
    one: tuple[str, str, str, str, str], other: tuple[str, str, str, str, str]
) -> None:
    same = fingerprint(Identity("no-policy", *one)) == fingerprint(Identity("no-policy", *other))
    assert same is (one == other)


def test_restarts_and_edits_of_the_policy_leave_it_alone() -> None:
    before = a_listener("0.0.0.0", 9100, raw="one row")
    after = a_listener("0.0.0.0", 9100, raw="another", uid=7, sockets=3, owners=(Owner(pid=9),), service="jetdirect")
    old = a_policy(an_entry("telnet", "23/tcp", action="deny"))
    new = a_policy(
        an_entry("renamed", "23/tcp", action="deny"), origin=Origin(file="moved.yaml", line=99), severity="low"
    )
    [one] = evaluate(a_host(), some_facts(before), a_policy_set(old), NOW).findings
    [two] = evaluate(a_host(), some_facts(after), a_policy_set(new), NOW).findings
    assert one.id == two.id
    assert one.severity != two.severity
