"""Deadlines fire, once, in order, and leave no thread."""

import threading
import time

import pytest

from auditor.transport.deadline import Deadline, Watchdog

pytestmark = pytest.mark.usefixtures("nothing_left_behind")


def test_left_and_within() -> None:
    deadline = Deadline(60)
    assert 59 < deadline.left() <= 60
    assert deadline.left(5) == 5
    assert not deadline.passed
    assert deadline.within(100).at == deadline.at
    assert deadline.within(1).at < deadline.at
    assert Deadline(0).passed
    assert Deadline(-5).left() == 0


def test_callback_comes_when_time_is_up() -> None:
    """A later guard that is due earlier comes first."""
    watchdog, fired, done = Watchdog(), [], threading.Event()

    def last() -> None:
        fired.append("last")
        done.set()

    with watchdog.guard(Deadline(0.4), last), watchdog.guard(Deadline(0.1), lambda: fired.append("first")):
        assert done.wait(5)
    assert fired == ["first", "last"]


def test_block_that_ends_in_time_is_left_alone() -> None:
    watchdog, fired = Watchdog(), []
    for _ in range(200):
        with watchdog.guard(Deadline(0.2), lambda: fired.append(1)):
            pass
    time.sleep(0.4)
    assert fired == []


def test_long_guard_that_ended_keeps_no_thread() -> None:
    """The thread goes when nothing is left to guard, however far off the deadline was."""
    with Watchdog().guard(Deadline(3600), lambda: None):
        assert any(thread.name == "netaudit-watchdog" for thread in threading.enumerate())
    end = time.monotonic() + 3
    while any(thread.name == "netaudit-watchdog" for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_many_guards_at_once() -> None:
    watchdog = Watchdog()
    fired = []
    lock = threading.Lock()

    def guard(number: int) -> None:
        came = threading.Event()

        def note() -> None:
            with lock:
                fired.append(number)
            came.set()

        with watchdog.guard(Deadline(0.05 * (number % 5)), note):
            came.wait(5)

    threads = [threading.Thread(target=guard, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(fired) == list(range(50))
