"""The fleet: every job once, results as they come, and an end when it is asked for."""

import threading
from collections.abc import Iterator
from time import monotonic

import pytest

from auditor.audit import Fleet


@pytest.mark.parametrize("jobs", [1, 3, 50])
def test_every_job_is_done_once(jobs: int) -> None:
    fleet: Fleet[int, int] = Fleet(lambda number: number * number, jobs)
    assert sorted(fleet.run(range(20))) == [number * number for number in range(20)]


def test_no_more_than_so_many_at_a_time() -> None:
    lock, running, most = threading.Lock(), 0, 0

    def work(number: int) -> int:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1
        return number

    assert len(list(Fleet(work, 4).run(range(30)))) == 30
    assert most <= 4


def test_an_error_of_whatever_supplies_the_jobs_comes_through() -> None:
    def supply() -> Iterator[int]:
        yield 1
        raise ValueError("the file is cut off")

    fleet: Fleet[int, int] = Fleet(lambda number: number, 4)
    with pytest.raises(ValueError, match="cut off"):
        list(fleet.run(supply()))


def test_an_empty_fleet_is_done_at_once() -> None:
    fleet: Fleet[int, int] = Fleet(lambda number: number, 4)
    assert list(fleet.run([])) == []


def test_stopping_starts_nothing_new_and_waits_only_so_long_for_the_rest() -> None:
    release = threading.Event()
    started: list[int] = []

    def work(number: int) -> int:
        started.append(number)
        if number:
            release.wait(30)
        return number

    fleet = Fleet(work, jobs=2, grace=0.3)
    results = fleet.run(range(10))
    assert next(results) == 0
    fleet.stop()
    before = monotonic()
    assert list(results) == []
    assert monotonic() - before < 5
    release.set()
    assert len(started) <= 3


def test_what_is_in_flight_when_it_stops_may_still_arrive() -> None:
    def work(number: int) -> int:
        if number:
            threading.Event().wait(0.2)
        return number

    fleet = Fleet(work, jobs=2, grace=5.0)
    results = fleet.run([0, 1])
    assert next(results) == 0
    fleet.stop()
    assert list(results) == [1]
