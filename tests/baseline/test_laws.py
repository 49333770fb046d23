"""The law of the baseline: a host that was read completely passes its own baseline, and whatever is added is found."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from auditor.baseline import Baseline, Habits, baseline, render_baseline
from auditor.evaluate import evaluate
from auditor.model.facts import Gap, HostFacts, Listener
from auditor.model.finding import Finding
from auditor.model.host import Host
from auditor.model.policy import PolicySet
from auditor.policies import load_policies
from auditor.policies.services import bundled_services
from tests.baseline.fleets import facts, fleets, listeners, place_of, scope_covers
from tests.builders import NOW, a_host

ALL = Habits(min_share=0)
FEW = settings(max_examples=50, deadline=None)
"""Each example writes files and reads them again."""
SERVICES = bundled_services()


def load_text(drawn: Sequence[Baseline]) -> PolicySet:
    """Return the policies as they are after they were written to files and read again."""
    with tempfile.TemporaryDirectory() as folder:
        for one in drawn:
            (Path(folder) / one.policy.path).write_text(render_baseline(one), encoding="utf-8")
        return load_policies([Path(folder)])


def judge(host: Host, seen: HostFacts, policies: PolicySet) -> tuple[Finding, ...]:
    return evaluate(host, seen, policies, NOW).findings


def in_memory(drawn: Sequence[Baseline]) -> PolicySet:
    return PolicySet(policies=tuple(one.policy for one in drawn))


@FEW
@given(facts(), st.booleans())
def test_a_host_passes_its_own_baseline(seen: HostFacts, owners: bool) -> None:
    host = a_host()
    drawn = baseline([(host, seen)], SERVICES, Habits(owners=owners))
    assert judge(host, seen, in_memory(drawn)) == ()
    assert judge(host, seen, load_text(drawn)) == ()


@FEW
@given(facts(), listeners())
def test_whatever_is_added_is_found(seen: HostFacts, added: Listener) -> None:
    """Added is what is on another port, or takes addresses of a wider scope, than anything before; clients are not."""
    assume(not any(scope_covers(one, added) or place_of(one) == place_of(added) for one in seen.listeners))
    assume(added.kind == "listener")
    host = a_host()
    drawn = baseline([(host, seen)], SERVICES)
    more = seen.model_copy(update={"listeners": (*seen.listeners, added)})
    found = judge(host, more, load_text(drawn))
    assert [finding.rule for finding in found if finding.rule in ("unexpected-listener", "exposed-listener")] != []


@FEW
@given(facts(), listeners())
def test_another_process_on_a_known_port_is_found(seen: HostFacts, added: Listener) -> None:
    named = {"owner_status": "known", "owners": ({"pid": 500, "comm": "nginx"},)}
    mine = [Listener.model_validate({**one.__dict__, **named}) for one in (*seen.listeners, added)]
    assume(added.kind == "listener" and place_of(added) not in map(place_of, seen.listeners))
    other = Listener.model_validate({**mine[-1].__dict__, "owners": ({"pid": 501, "comm": "nc"},)})
    host = a_host()
    policies = load_text(baseline([(host, seen.model_copy(update={"listeners": tuple(mine)}))], SERVICES))
    changed = seen.model_copy(update={"listeners": (*mine[:-1], other)})
    assert "wrong-owner" in [finding.rule for finding in judge(host, changed, policies)]


@FEW
@given(fleets())
def test_a_fleet_passes_when_nothing_is_left_out(fleet: list[tuple[Host, HostFacts]]) -> None:
    policies = load_text(baseline(fleet, SERVICES, ALL))
    assert [judge(host, seen, policies) for host, seen in fleet] == [()] * len(fleet)


@FEW
@given(fleets())
def test_only_what_is_told_to_be_left_out_is_found(fleet: list[tuple[Host, HostFacts]]) -> None:
    drawn = baseline(fleet, SERVICES)
    policies = load_text(drawn)
    rare = {host for one in drawn for outlier in one.outliers for host in outlier.hosts}
    failing = {host.name for host, seen in fleet if judge(host, seen, policies)}
    assert failing <= rare


@FEW
@given(fleets(), st.randoms(use_true_random=False))
def test_the_order_of_hosts_leaves_no_trace(fleet: list[tuple[Host, HostFacts]], random: object) -> None:
    shuffled = list(fleet)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    assert [*map(render_baseline, baseline(shuffled, SERVICES))] == [*map(render_baseline, baseline(fleet, SERVICES))]


@FEW
@given(fleets(), facts())
def test_a_host_with_a_gap_teaches_nothing(fleet: list[tuple[Host, HostFacts]], seen: HostFacts) -> None:
    half = seen.model_copy(update={"gaps": (Gap(source="tcp", reason="cut off"),)})
    drawn = baseline([*fleet, (a_host("half", groups=("web",)), half)], SERVICES)
    assert [one.policy for one in drawn] == [one.policy for one in baseline(fleet, SERVICES)]
    assert drawn[0].unread == {"half": "tcp: cut off"}
