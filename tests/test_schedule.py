"""The order of calls: every host once, the living before the dead, retries last; a model of a fleet plays along."""

from collections import Counter
from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.model.host import Host, SshOptions
from auditor.model.transcript import Failure, Transcript
from auditor.schedule import MOST_BEHIND_JUMP, Schedule, Turn
from tests.builders import a_host
from tests.collect.answers import a_transcript

ALIVE = a_transcript(b"")
Play = Callable[[Turn], Transcript | Failure]


def failure(code: str) -> Failure:
    return Failure(phase="tcp", code=code, message="no", hint="")


def subnet(net: str, count: int, **fields: object) -> list[Host]:
    return [a_host(f"{net}-{number}", address=f"10.{net}.{number}", **fields) for number in range(1, count + 1)]


def play(schedule: Schedule, outcome: Play, *, jobs: int = 8, seconds: float = 1.0) -> list[Turn]:
    """Work through a schedule, the oldest of `jobs` turns in flight ending first; return all turns in their order."""
    taken: list[Turn] = []
    flying: list[Turn] = []
    while True:
        while len(flying) < jobs and (turn := schedule.take()) is not None:
            taken.append(turn)
            flying.append(turn)
        if not flying:
            return taken
        done = flying.pop(0)
        schedule.settle(done, outcome(done), seconds)


def names(turns: Iterable[Turn]) -> list[str]:
    return [turn.host.name for turn in turns]


@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from(["ok", "tcp-timeout", "tcp-refused"])), max_size=40),
    st.integers(1, 10),
)
def test_every_host_has_its_turn_and_none_more_than_two(fleet: list[tuple[int, str]], jobs: int) -> None:
    hosts = [a_host(f"h{number}", address=f"10.0.{net}.{number}") for number, (net, _) in enumerate(fleet)]
    fates = {f"h{number}": fate for number, (_, fate) in enumerate(fleet)}

    def outcome(turn: Turn) -> Transcript | Failure:
        fate = fates[turn.host.name]
        return ALIVE if fate == "ok" else failure(fate)

    turns = play(Schedule(hosts, "run"), outcome, jobs=jobs)
    count = Counter(names(turns))
    assert set(count) == set(fates)
    assert all(times == 1 or (times == 2 and fates[name] == "tcp-timeout") for name, times in count.items())
    again = [turn.again for turn in turns]
    assert again == sorted(again), "second turns come after all first ones"


def test_order_depends_on_the_run_and_on_nothing_else() -> None:
    hosts = subnet("1.0", 40)
    order = names(play(Schedule(hosts, "a"), lambda _: ALIVE))
    assert order == names(play(Schedule(reversed(hosts), "a"), lambda _: ALIVE))
    assert order != names(play(Schedule(hosts, "b"), lambda _: ALIVE))
    assert order != sorted(order)


def test_subnets_take_turns() -> None:
    """Not one after the other, however the inventory lists them."""
    turns = play(Schedule([*subnet("1.0", 50), *subnet("2.0", 50)], "run"), lambda _: ALIVE)
    first = Counter(name.split("-")[0] for name in names(turns)[:50])
    assert abs(first["1.0"] - first["2.0"]) <= 10


def test_dead_subnet_does_not_hold_up_the_living() -> None:
    """Half the fleet is dead, and each of them costs a hundred times as long: the living hardly notice."""
    dead = {host.name for host in subnet("66.0", 200)}
    hosts = [*subnet("66.0", 200), *subnet("1.0", 100), *subnet("2.0", 100)]
    schedule = Schedule(hosts, "run")
    clock, flying, finished = 0.0, list[tuple[float, Turn]](), dict[str, float]()
    while True:
        while len(flying) < 32 and (turn := schedule.take()) is not None:
            flying.append((clock + (10.0 if turn.host.name in dead else 0.1), turn))
        if not flying:
            break
        flying.sort(key=lambda entry: entry[0])
        clock, done = flying.pop(0)
        finished[done.host.name] = clock
        is_dead = done.host.name in dead
        schedule.settle(done, failure("tcp-timeout") if is_dead else ALIVE, 10.0 if is_dead else 0.1)
    living = max(at for name, at in finished.items() if name not in dead)
    assert living < 5.0, "with sixteen of the thirty-two, two hundred take 1.25 seconds"
    # Nobody else waits then: all hands go to the dead, once each but for a few.
    assert clock <= living + 10.0 * ((200 + 8) / 32 + 2)


def test_jump_host_is_never_overrun() -> None:
    hosts = subnet("1.0", 200, jump=("bastion",)) + subnet("2.0", 20)
    schedule = Schedule(hosts, "run")
    turns = []
    while (turn := schedule.take()) is not None:
        turns.append(turn)
    behind = [turn for turn in turns if turn.host.jump]
    assert (len(behind), len(turns)) == (MOST_BEHIND_JUMP, MOST_BEHIND_JUMP + 20)
    schedule.settle(behind[0], ALIVE, 1.0)
    following = schedule.take()
    assert following is not None
    assert following.host.jump == ("bastion",)
    assert schedule.take() is None


@pytest.mark.parametrize("code", ["tcp-timeout", "tcp-reset", "closed-before-banner", "throttled", "jump-failed"])
def test_what_may_go_better_is_tried_once_more_in_what_is_left_of_its_time(code: str) -> None:
    schedule = Schedule([a_host("web", timeout=60.0)], "run")
    first = schedule.take()
    assert first is not None
    assert not schedule.settle(first, failure(code), 10.0)
    second = schedule.take()
    assert second is not None
    assert (second.host, second.seconds, second.again) == (first.host, 50.0, True)
    assert schedule.settle(second, failure(code), 10.0)
    assert schedule.take() is None


@pytest.mark.parametrize(
    "code", ["tcp-refused", "auth-refused", "penalised", "hostkey-mismatch", "read-timeout", "dns-not-found"]
)
def test_what_was_said_is_not_asked_again(code: str) -> None:
    schedule = Schedule([a_host("web")], "run")
    turn = schedule.take()
    assert turn is not None
    assert schedule.settle(turn, failure(code), 1.0)
    assert schedule.take() is None


def test_host_without_time_is_not_tried_again() -> None:
    schedule = Schedule([a_host("web", timeout=10.0)], "run")
    turn = schedule.take()
    assert turn is not None
    assert schedule.settle(turn, failure("tcp-timeout"), 9.5)


def test_dead_subnet_is_not_tried_all_over_again() -> None:
    turns = play(Schedule(subnet("66.0", 100), "run"), lambda _: failure("tcp-timeout"))
    assert sum(turn.again for turn in turns) == 8


def test_hosts_that_share_a_way_share_a_lane() -> None:
    """Seen from outside: once one lane is slow, which hosts wait for others."""
    pairs = [
        (a_host("a", address="10.0.0.1"), a_host("b", address="10.0.0.254"), True),
        (a_host("a", address="10.0.0.1"), a_host("b", address="10.0.1.1"), False),
        (a_host("a", address="2001:db8::1"), a_host("b", address="2001:db8::ffff:1"), True),
        (a_host("a", address="2001:db8:0:1::1"), a_host("b", address="2001:db8::1"), False),
        (a_host("a", address="fe80::1%eth0"), a_host("b", address="fe80::2%eth0"), True),
        (a_host("a", address="web-01.site-b.example"), a_host("b", address="db.Site-B.example"), True),
        (a_host("a", address="web-01.site-b.example"), a_host("b", address="web-01.site-c.example"), False),
        (a_host("a", jump=("j", "k")), a_host("b", jump=("j",)), True),
        (a_host("a", jump=("j",)), a_host("b", jump=("k",)), False),
        (a_host("a", ssh=SshOptions(proxy_command="x")), a_host("b", ssh=SshOptions(proxy_command="y")), True),
    ]
    for one, other, together in pairs:
        turns = play(Schedule([one, other], "run"), lambda _: ALIVE)
        assert (turns[0].lane is turns[1].lane) == together, (one.address, other.address)
