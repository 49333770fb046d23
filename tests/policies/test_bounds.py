"""How many connections a policy allows: what is read, and what is refused."""

from pathlib import Path

import pytest

from auditor.errors import DocumentError
from auditor.model.policy import TCP_STATES, Bound
from auditor.policies import load_policies
from tests.builders import told

HEAD = "version: 1\npolicy: web\n"


def read(folder: Path, text: str, **others: str) -> tuple[Bound, ...]:
    for name, content in others.items():
        (folder / f"{name}.yaml").write_text(content)
    path = folder / "web-policy.yaml"
    path.write_text(HEAD + text)
    (policy,) = load_policies([path]).policies
    return policy.bounds


def test_states_and_queues_are_bounded(tmp_path: Path) -> None:
    states, queue = read(
        tmp_path,
        "states:\n  CLOSE_WAIT: {max: 500, severity: low, reason: the pool, remediation: restart it}\n"
        "accept_queue:\n  max: 100\n",
    )
    assert (states.state, states.most, states.severity, states.reason) == ("CLOSE_WAIT", 500, "low", "the pool")
    assert (states.remediation, str(states.origin)) == ("restart it", f"{tmp_path}/web-policy.yaml:4")
    assert (queue.state, queue.most, queue.severity, queue.policy) == (None, 100, None, "web")


def test_every_state_netstat_knows_can_be_bounded(tmp_path: Path) -> None:
    text = "states:\n" + "".join(f"  {state}: {{max: 0}}\n" for state in reversed(TCP_STATES))
    assert [bound.state for bound in read(tmp_path, text)] == list(TCP_STATES)


def test_included_bounds_hold_beside_ones_own_and_keep_their_severity(tmp_path: Path) -> None:
    base = "version: 1\npolicy: base\nseverity: medium\nstates: {SYN_RECV: {max: 9}, CLOSE_WAIT: {max: 5}}\n"
    mine, queue, *others = read(
        tmp_path, "include: [base.yaml]\nstates: {CLOSE_WAIT: {max: 7}}\naccept_queue: {max: 1}\n", base=base
    )
    assert (mine.most, queue.state) == (7, None)
    assert [(bound.state, bound.most, bound.severity, bound.policy) for bound in others] == [
        ("SYN_RECV", 9, "medium", "web"),
        ("CLOSE_WAIT", 5, "medium", "web"),
    ]
    assert {bound.origin.file for bound in others} == {str(tmp_path / "base.yaml")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("states: {§CLOSED_WAIT: {max: 5}}", "unknown key 'CLOSED_WAIT' | did you mean 'CLOSE_WAIT'?"),
        ("states: {§TIME-WAIT: {max: 5}}", "unknown key 'TIME-WAIT' | here it is written: TIME_WAIT"),
        ("states: {CLOSE_WAIT: {§limit: 5}}", "unknown key 'limit' | here it is written: max"),
        ("states: {CLOSE_WAIT: {max: §-1}}", "expected at least 0, found -1"),
        ("states: {CLOSE_WAIT: {max: §many}}", "'many'"),
        ("states: {CLOSE_WAIT: §500}", "mapping"),
        ("accept_queue: {max: 5, severity: §bad}", "'bad'"),
        ("accept_queue: §100", "mapping"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, text: str, expected: str) -> None:
    column = text.index("§") + 1
    with pytest.raises(DocumentError) as caught:
        read(tmp_path, text.replace("§", "") + "\n")
    problems = [line for line in told(caught.value) if line.startswith(f"3:{column} ")]
    assert [line for line in problems if expected.partition(" | ")[0] in line], told(caught.value)


def test_a_waiver_for_states_is_for_the_whole_host(tmp_path: Path) -> None:
    waiver = "waivers:\n  - {rule: [connection-states], hosts: [a], reason: r, owner: o, expires: 2026-12-31%s}\n"
    read(tmp_path, waiver % "")
    for more in (", port: 443/tcp", ", bind: private", ", user: www"):
        with pytest.raises(DocumentError) as caught:
            read(tmp_path, waiver % more)
        assert any("connection-states is about" in line for line in told(caught.value))
    read(tmp_path, (waiver % ", port: 443/tcp").replace("connection-states", "accept-queue"))
