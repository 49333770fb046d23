"""What holds for every host and every set of policies."""

from collections import Counter
from random import Random
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from auditor.evaluate import compile_policies, evaluate
from auditor.model.facts import HostFacts, Listener
from auditor.model.policy import Entry, Policy
from auditor.model.report import JudgedListener, Judgement, judge_host
from tests.builders import NOW, a_host, a_policy_set, some_facts
from tests.evaluate.strategies import entries, facts, listeners, policy_lists


def judge(seen: HostFacts, policies: tuple[Policy, ...]) -> Judgement:
    return evaluate(a_host(), seen, a_policy_set(*policies), NOW)


def add_line(policies: tuple[Policy, ...], entry: Entry) -> tuple[Policy, ...]:
    """Return the policies with one more line at the end of the last of them."""
    *others, last = policies
    lines = last.allow if entry.action == "allow" else last.deny
    return (*others, last.model_copy(update={entry.action: (*lines, entry)}))


def bad(judgement: Judgement) -> Counter[str]:
    """Return the rows (as JSON) that a finding is about."""
    return Counter(row.model_dump_json(exclude={"verdict", "decided_by"}) for row in judgement.listeners if is_bad(row))


def is_bad(row: JudgedListener) -> bool:
    return row.verdict in {"denied", "unexpected", "waived"}


@given(facts(), policy_lists)
def test_any_host_can_be_judged_and_a_doubt_is_never_compliant(seen: HostFacts, policies: tuple[Policy, ...]) -> None:
    judgement = judge(seen, policies)
    assert len(judgement.listeners) == len(seen.listeners)
    assert len({finding.id for finding in judgement.findings}) == len(judgement.findings)
    if seen.gaps or not policies or any(row.verdict == "unknown" for row in judgement.listeners):
        assert judge_host(judgement.findings, None, "low") != "compliant"


@given(facts(), policy_lists, st.randoms(use_true_random=False))
def test_order_does_not_matter(seen: HostFacts, policies: tuple[Policy, ...], random: Random) -> None:
    def shuffled(values: tuple[object, ...]) -> tuple[object, ...]:
        mixed = list(values)
        random.shuffle(mixed)
        return tuple(mixed)

    other = seen.model_copy(update={"listeners": shuffled(seen.listeners), "gaps": shuffled(seen.gaps)})
    mixed = a_policy_set().model_copy(update={"policies": shuffled(policies)})
    assert evaluate(a_host(), other, mixed, NOW) == judge(seen, policies)


@given(facts(), policy_lists)
def test_compiling_once_for_many_hosts_changes_nothing(seen: HostFacts, policies: tuple[Policy, ...]) -> None:
    compiled = compile_policies(a_policy_set(*policies))
    evaluate(a_host("other"), some_facts(), compiled, NOW)
    assert evaluate(a_host(), seen, compiled, NOW) == judge(seen, policies)


@given(facts(), policy_lists.filter(len), entries(action="deny"))
def test_one_more_deny_never_lets_anything_through(seen: HostFacts, policies: tuple[Policy, ...], entry: Entry) -> None:
    before = judge(seen, policies).listeners
    after = judge(seen, add_line(policies, entry)).listeners
    for old, new in zip(before, after, strict=True):
        assert new.verdict not in {"allowed", "ignored"} or new.verdict == old.verdict


@given(facts(), policy_lists.filter(len), entries(action="allow", bind="any"))
def test_one_more_allow_for_any_address_makes_no_finding(
    seen: HostFacts, policies: tuple[Policy, ...], entry: Entry
) -> None:
    """A line for both families that requires nothing can only take findings away."""
    free = entry.model_copy(
        update={
            "required": False,
            "service": None,
            "owner": None,
            "netns": "any",
            "ports": tuple(ports.model_copy(update={"family": None}) for ports in entry.ports),
        }
    )
    before, after = judge(seen, policies), judge(seen, add_line(policies, free))
    assert bad(after) <= bad(before)
    # What was found before may now depend on a deny line whose owner is not seen: that is a gap, and no pass.
    left = {finding.id for finding in after.findings if finding.rule != "evidence-gap"}
    assert left <= {finding.id for finding in before.findings}


@given(facts(), policy_lists.filter(len), entries(action="allow"))
def test_one_more_allow_of_any_kind_makes_no_listener_bad_where_all_must_be_listed(
    seen: HostFacts, policies: tuple[Policy, ...], entry: Entry
) -> None:
    """With a restricted bind a finding may change its rule (exposed for unexpected), but no row becomes bad."""
    strict = tuple(each.model_copy(update={"default": "deny", "ephemeral_udp": "deny"}) for each in policies)
    seen = seen.model_copy(
        update={"listeners": tuple(one for one in seen.listeners if one.proto not in {"raw", "packet"})}
    )
    assert bad(judge(seen, add_line(strict, entry))) <= bad(judge(seen, strict))


@given(st.lists(listeners(), max_size=5), policy_lists)
def test_every_bad_row_is_in_a_finding_and_every_verdict_has_a_reason(
    rows: list[Listener], policies: tuple[Policy, ...]
) -> None:
    judgement = judge(some_facts(*rows), policies)
    about = " ".join(finding.subject for finding in judgement.findings)
    for row in judgement.listeners:
        assert (row.decided_by is None) is (not policies)
        if is_bad(row):
            assert f":{row.port}" in about


@given(facts(), policy_lists)
def test_listeners_that_are_plainly_allowed_are_judged_as_all_others(
    seen: HostFacts, policies: tuple[Policy, ...]
) -> None:
    with patch("auditor.evaluate.rulebook.accepts_plainly", return_value=False):
        careful = judge(seen, policies)
    assert judge(seen, policies) == careful
