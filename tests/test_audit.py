"""The fleet: every job once, results as they come, and an end when it is asked for."""

import subprocess
import threading
from collections.abc import Callable, Iterator
from time import monotonic, sleep

import pytest

from auditor.audit import Fleet, collect_host, judge_evidence
from auditor.collect import build_script
from auditor.evaluate import compile_policies
from auditor.model.host import Host
from auditor.model.transcript import Evidence, Failure, Transcript
from auditor.transport import Script
from auditor.transport.loop import blocking, pause
from tests.builders import NOW, a_host, a_policy, a_policy_set
from tests.sources import InOrder


class PanicException(BaseException):
    """As PyO3's, which is no Exception."""


@pytest.mark.parametrize("jobs", [1, 3, 50])
def test_every_job_is_done_once(jobs: int) -> None:
    fleet: Fleet[int, int] = Fleet(lambda number: number * number, jobs)
    assert sorted(fleet.run(InOrder(range(20)))) == [number * number for number in range(20)]


@pytest.mark.parametrize("wait", [pause, lambda seconds: blocking(lambda: sleep(seconds))])
def test_so_many_at_a_time_and_no_more(wait: Callable[[float], None]) -> None:
    lock, running, most = threading.Lock(), 0, 0

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        wait(0.01)
        with lock:
            running -= 1
        return number

    assert len(list(Fleet(work, 4).run(InOrder(range(30))))) == 30
    assert most == 4


def test_an_error_of_whatever_supplies_the_jobs_comes_through() -> None:
    def supply() -> Iterator[int]:
        yield 1
        raise ValueError("the file is cut off")

    fleet: Fleet[int, int] = Fleet(lambda number: number, 4)
    with pytest.raises(ValueError, match="cut off"):
        list(fleet.run(InOrder(supply())))


def test_an_empty_fleet_is_done_at_once() -> None:
    fleet: Fleet[int, int] = Fleet(lambda number: number, 4)
    assert list(fleet.run(InOrder([]))) == []


def test_stopping_starts_nothing_new_and_waits_only_so_long_for_the_rest() -> None:
    release = threading.Event()
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        if number:
            blocking(lambda: release.wait(30))
        return number

    fleet = Fleet(work, jobs=2, grace=0.3)
    results = fleet.run(InOrder(range(10)))
    assert next(results) == 0
    fleet.stop()
    before = monotonic()
    assert list(results) == []
    assert monotonic() - before < 5
    release.set()
    assert len(started) <= 3


def test_what_is_in_flight_when_it_stops_may_still_arrive() -> None:
    def work(number: int) -> int:
        pause(0.3 if number else 0.1)
        return number

    fleet = Fleet(work, jobs=2, grace=5.0)
    results = fleet.run(InOrder([0, 1]))
    assert next(results) == 0
    fleet.stop()
    assert list(results) == [1]


def test_a_defect_in_the_work_comes_through_and_nobody_waits_for_ever() -> None:
    def work(number: int) -> int:
        if number == 3:
            raise ZeroDivisionError("a defect")
        return number

    with pytest.raises(ZeroDivisionError, match="a defect"):
        list(Fleet(work, 4).run(InOrder(range(10))))


def test_what_is_no_exception_comes_through_too() -> None:
    def work(_: int) -> int:
        raise PanicException

    with pytest.raises(PanicException):
        list(Fleet(work, 4).run(InOrder(range(10))))


def begin(jobs: int, hosts: int) -> tuple[threading.Semaphore, Callable[[], None]]:
    """Start a fleet whose work goes on until it is let go; return what counts its starts, and what lets go."""
    release, started = threading.Event(), threading.Semaphore(0)

    def work(number: int) -> int:
        started.release()
        blocking(lambda: release.wait(30))
        return number

    collector = threading.Thread(target=lambda: list(Fleet(work, jobs).run(InOrder(range(hosts)))))
    collector.start()

    def let_go() -> None:
        release.set()
        collector.join(10)
        assert not collector.is_alive()

    return started, let_go


def test_it_begins_with_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auditor.audit._RAMP_S", 30.0)
    started, let_go = begin(60, 100)
    assert all(started.acquire(timeout=10) for _ in range(16))
    assert not started.acquire(timeout=0.3)
    let_go()


def test_it_widens_when_they_take_long_and_only_so_far() -> None:
    started, let_go = begin(60, 100)
    assert all(started.acquire(timeout=10) for _ in range(60))
    assert not started.acquire(timeout=0.6)
    let_go()


def test_where_no_more_threads_can_be_started_those_there_are_do_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the limit of processes (RLIMIT_NPROC, or a container's)."""
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def limited(thread: threading.Thread) -> None:
        if len(started) == 3:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", limited)
    fleet: Fleet[int, int] = Fleet(lambda number: blocking(lambda: number), 20)
    assert sorted(fleet.run(InOrder(range(50)))) == list(range(50))
    assert len(started) == 3


class Twice:
    """A source that has every job done a second time."""

    def __init__(self, jobs: list[int]) -> None:
        self.waiting = jobs
        self.settled: list[tuple[int, int]] = []

    def take(self) -> int | None:
        return self.waiting.pop(0) if self.waiting else None

    def settle(self, job: int, done: int) -> bool:
        self.settled.append((job, done))
        if job >= 100:
            return True
        self.waiting.append(job + 100)
        return False


def test_a_result_that_is_not_final_is_not_handed_out() -> None:
    source = Twice([1, 2, 3])
    fleet: Fleet[int, int] = Fleet(lambda number: -number, 2)
    assert sorted(fleet.run(source)) == [-103, -102, -101]
    assert sorted(source.settled) == [(1, -1), (2, -2), (3, -3), (101, -101), (102, -102), (103, -103)]


@pytest.mark.parametrize("error", [MemoryError(), RecursionError("too deep"), KeyError("x"), PanicException("in Rust")])
def test_a_host_on_which_we_break_costs_only_itself(error: Exception) -> None:
    class Breaking:
        def run(self, host: Host, script: Script) -> Transcript:  # noqa: ARG002  # the protocol's
            raise error

    evidence = collect_host(a_host(), {"ssh": Breaking()}, lambda: NOW)
    assert isinstance(evidence.outcome, Failure)
    assert evidence.outcome.code == "internal-error"
    assert type(error).__name__ in evidence.outcome.message


def test_a_host_whose_answer_lacks_the_namespaces_asked_for_is_incomplete() -> None:
    """A collector that is installed on the host answers whatever is asked for with what it has."""
    script = build_script("5" * 32)
    stdout = subprocess.run(["sh", "-s"], input=script.text, capture_output=True, check=True).stdout
    outcome = Transcript(nonce=script.nonce, stdout=stdout, exit_status=0, started_at=NOW, finished_at=NOW)
    policies = compile_policies(a_policy_set(a_policy(default="ignore")))
    for wanted in (False, True):
        evidence = Evidence(host=a_host(namespaces=wanted), outcome=outcome, finished_at=NOW)
        report = judge_evidence(evidence, policies, NOW, "high")
        assert [gap.source for gap in report.gaps].count("namespaces") == wanted
        assert [one.subject for one in report.findings if one.rule == "evidence-gap"].count("namespaces") == wanted
        assert not (wanted and report.status == "compliant")
