"""Many jobs in one thread: whoever waits lets the others go on, and nobody waits longer than for what he waits for."""

import gc
import select
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from queue import Empty, SimpleQueue
from typing import TypeVar

import pytest

from auditor.transport.loop import Inbox, Loop, Polling, Threads, blocking, pause, wait_for
from auditor.transport.timeline import watch, watching
from tests.builders import a_host
from tests.transport.conftest import count_descriptors

T = TypeVar("T")
LONG_S = 30.0

pytestmark = pytest.mark.usefixtures("nothing_left_behind")


@pytest.fixture(params=["linux", "elsewhere"], autouse=True)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """With epoll(7), and with poll(2) alone."""
    if request.param == "elsewhere":
        monkeypatch.setattr("auditor.transport.loop.new_poll", Polling)
    elif sys.platform != "linux":
        pytest.skip("needs epoll(7), which is Linux' own")


def broken(error: BaseException) -> None:
    raise AssertionError from error


def run(*works: Callable[[], T]) -> list[T | BaseException]:
    """Do all of it in one loop; return what came of each, in order of completion."""
    done: SimpleQueue[T | BaseException] = SimpleQueue()

    def work(job: Callable[[], T]) -> None:
        try:
            done.put(job())
        except BaseException as error:  # noqa: BLE001 - for the test to look at
            done.put(error)

    loop = Loop(work, broken)
    try:
        for each in works:
            loop.submit(each)
        return [done.get(timeout=LONG_S) for _ in works]
    finally:
        loop.end()


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    near, far = socket.socketpair()
    with near, far:
        near.setblocking(False)
        yield near, far


def read(sock: socket.socket, seconds: float = LONG_S) -> bytes:
    wait_for((sock,), select.POLLIN, seconds)
    try:
        return sock.recv(100)
    except BlockingIOError:
        return b"nothing"


def test_five_hundred_wait_in_one_thread() -> None:
    """Each for the one before it."""
    count, threads = 500, set[str]()
    with ExitStack() as stack:
        pairs = [socket.socketpair() for _ in range(count)]
        for near, far in pairs:
            stack.enter_context(near)
            stack.enter_context(far)

        def pass_on(number: int) -> int:
            threads.add(threading.current_thread().name)
            if number < count - 1:
                assert read(pairs[number][0]) == b"go"
            pairs[number - 1][1].send(b"go")
            return number

        works: list[Callable[[], int]] = [lambda number=number: pass_on(number) for number in range(count)]  # type: ignore[misc]  # a default argument, to bind it
        assert run(*works) == list(reversed(range(count)))
    assert threads == {"netaudit-loop"}


def test_time_is_up_for_each_by_itself(pair: tuple[socket.socket, socket.socket]) -> None:
    def late(seconds: float) -> float:
        before = time.monotonic()
        pause(seconds)
        assert time.monotonic() - before >= seconds
        return seconds

    works = (lambda: read(pair[0], 0.9), lambda: late(0.6), lambda: late(0.3), lambda: late(0.0))
    assert run(*works) == [0.0, 0.3, 0.6, b"nothing"]


def test_what_came_while_others_were_at_work_is_not_too_late(pair: tuple[socket.socket, socket.socket]) -> None:
    def hog() -> bytes:
        pair[1].send(b"in time")
        time.sleep(0.3)
        return b"hog"

    assert run(lambda: read(pair[0], 0.1), hog) == [b"hog", b"in time"]


def test_an_end_wakes_who_waits(pair: tuple[socket.socket, socket.socket]) -> None:
    """As the watchdog's, from its own thread."""
    timer = threading.Timer(0.1, lambda: pair[0].shutdown(socket.SHUT_RDWR))
    timer.start()
    assert run(lambda: read(pair[0])) == [b""]
    timer.join()


def test_who_reads_without_end_lets_others_go_on(pair: tuple[socket.socket, socket.socket]) -> None:
    near, far = pair
    far.send(b"x")
    stop = threading.Event()

    def flood() -> str:
        while not stop.is_set():
            wait_for((near,), select.POLLIN, LONG_S)
            near.recv(1, socket.MSG_PEEK)  # always more
        return "flooded"

    def other() -> str:
        for _ in range(20):
            pause(0.0)
        stop.set()
        return "other"

    assert run(flood, other) == ["other", "flooded"]


def test_the_first_of_several_sockets_ends_the_wait() -> None:
    """Also where a descriptor is another one's by the time its turn comes: both were ready, and one is closed."""
    a, b = socket.socketpair(), socket.socketpair()
    with ExitStack() as stack:
        for each in (*a, *b):
            stack.enter_context(each)

        def race() -> int:
            ready = wait_for((a[0], b[0]), select.POLLIN, LONG_S)
            loser = b[0] if a[0].fileno() in ready else a[0]
            loser.close()
            near, far = socket.socketpair()  # takes the number that was given back
            with near, far:
                assert not list(wait_for((near,), select.POLLIN, 0.1))
            return len(ready)

        def both() -> int:
            a[1].send(b"x")
            b[1].send(b"x")
            return 0

        assert run(race, both) == [0, 1]


def test_values_of_other_threads_arrive_all_of_them() -> None:
    """Thousands, from threads that ring at any moment: what is rung while it is being answered is not lost."""
    rounds, count = 400, 8
    ask: SimpleQueue[Inbox[int] | None] = SimpleQueue()

    def serve() -> None:
        while (inbox := ask.get()) is not None:
            inbox.put(1)

    def want() -> int:
        total = 0
        for _ in range(rounds):
            inbox = Inbox[int]()
            ask.put(inbox)
            total += inbox.get(LONG_S)
        return total

    threads = [threading.Thread(target=serve) for _ in range(3)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for each in threads:
            each.start()
        assert run(*[want] * count) == [rounds] * count
    finally:
        sys.setswitchinterval(interval)
        for _ in threads:
            ask.put(None)
        for each in threads:
            each.join()


def test_an_inbox_that_stays_empty() -> None:
    before = time.monotonic()
    (error,) = run(lambda: Inbox[int]().get(0.2))
    assert isinstance(error, Empty)
    assert time.monotonic() - before < 5
    with pytest.raises(Empty):
        Inbox[int]().get(0.01)  # outside of a loop


def test_what_blocks_is_done_elsewhere_and_holds_up_nobody() -> None:
    release = threading.Event()

    def block() -> str:
        return blocking(lambda: threading.current_thread().name if release.wait(LONG_S) else "")

    def other() -> str:
        pause(0.05)
        release.set()
        return threading.current_thread().name

    assert run(block, block, other) == ["netaudit-loop", "netaudit-worker", "netaudit-worker"]
    assert blocking(threading.current_thread) is threading.current_thread()  # outside of a loop


def test_what_is_raised_elsewhere_comes_through() -> None:
    def fail() -> None:
        raise ZeroDivisionError("a defect")

    (error,) = run(lambda: blocking(fail))
    assert isinstance(error, ZeroDivisionError)


def test_each_has_its_own_watcher_wherever_it_is_at_work() -> None:
    class Nobody:
        def begin(self, *_: object) -> None: ...
        def end(self, *_: object) -> None: ...

    def work(name: str) -> Sequence[str]:
        def told() -> str:
            return "" if (found := watching()) is None else found[0].name

        before = told()
        with watch(a_host(name), Nobody()):
            pause(0.05)
            return before, told(), blocking(told)

    assert run(lambda: work("a"), lambda: work("b")) == [("", "a", "a"), ("", "b", "b")]


def test_no_more_threads_than_so_many_and_what_is_not_wanted_any_more_is_not_begun() -> None:
    threads, release, begun = Threads("netaudit-test", 2), threading.Event(), list[int]()

    def hang(number: int) -> int:
        begun.append(number)
        release.wait(LONG_S)
        return number

    def try_it(number: int, seconds: float) -> int:
        return threads.call(lambda: hang(number), seconds)

    def let_go() -> int:
        pause(0.3)
        assert sum(each.name == "netaudit-test" for each in threading.enumerate()) == 2
        release.set()
        return 0

    outcome = run(
        lambda: try_it(1, LONG_S), lambda: try_it(2, LONG_S), lambda: try_it(3, 0.1), lambda: try_it(4, LONG_S), let_go
    )
    assert isinstance(outcome[0], Empty)
    assert sorted(each for each in outcome if isinstance(each, int)) == [0, 1, 2, 4]
    assert begun == [1, 2, 4]


def test_a_thread_serves_again() -> None:
    threads, seen = Threads("netaudit-test"), set[int]()
    for _ in range(20):
        seen.add(threads.call(threading.get_ident))
    assert len(seen) == 1


def test_no_thread_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    threads = Threads("netaudit-test")
    for _ in range(2):  # nothing is left of the first
        with pytest.raises(RuntimeError, match="can't start"):
            threads.call(lambda: 1)


def test_a_loop_without_a_job_takes_nothing() -> None:
    before = count_descriptors(), threading.active_count()
    loop: Loop[int] = Loop(lambda _: None, broken)
    loop.end()
    assert (count_descriptors(), threading.active_count()) == before


def test_thousands_of_waits_that_are_over_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their moments are far away; what is kept of them is bounded all the same."""
    monkeypatch.setattr("auditor.transport.loop._STALE", 10)
    most = 0

    def work() -> int:
        nonlocal most
        near, far = socket.socketpair()
        with near, far:
            for _ in range(200):
                far.send(b"x")
                assert read(near) == b"x"
                most = max(most, len(loop._timers))
        return 1

    loop: Loop[SimpleQueue[int]] = Loop(lambda done: done.put(work()), broken)
    done: SimpleQueue[int] = SimpleQueue()
    loop.submit(done)
    assert done.get(timeout=LONG_S) == 1
    loop.end()
    assert most < 20


def test_those_who_wait_have_their_turn_among_those_who_never_do() -> None:
    def often() -> str:
        for _ in range(10):
            pause(0.001)
        return "waits"

    def busy() -> str:
        time.sleep(0.002)
        return "busy"

    done = run(*[often] * 5, *[busy] * 400)
    assert "waits" not in done[-200:]


def test_a_defect_in_a_job_is_printed_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    done: SimpleQueue[int] = SimpleQueue()

    def work(job: int) -> None:
        pause(0.01)
        if job == 3:
            raise SystemExit("a defect")
        done.put(job)

    loop = Loop(work, broken)
    for job in range(10):
        loop.submit(job)
    assert sorted(done.get(timeout=LONG_S) for _ in range(9)) == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    loop.end()
    assert "SystemExit: a defect" in capsys.readouterr().err


def test_a_loop_that_finds_no_descriptor_or_no_thread_says_so_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("too many open files")

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    for name, failing in (("auditor.transport.loop.new_poll", fail), ("threading.Thread.start", refuse)):
        loop: Loop[int] = Loop(lambda _: None, broken)
        with monkeypatch.context() as patch:
            patch.setattr(name, failing)
            for _ in range(2):
                with pytest.raises((OSError, RuntimeError)):
                    loop.submit(1)
        loop.end()
        del loop
    gc.collect()


def test_a_socket_that_cannot_be_waited_for_spoils_nothing(pair: tuple[socket.socket, socket.socket]) -> None:
    gone = socket.socket()
    gone.close()

    def fail() -> None:
        wait_for((pair[0], gone), select.POLLIN, LONG_S)

    def go_on() -> bytes:
        pause(0.05)
        pair[1].send(b"x")
        return read(pair[0])

    error, found = run(fail, go_on)
    assert isinstance(error, (OSError, ValueError))
    assert found == b"x"


def test_without_a_thread_what_blocks_is_done_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name != "netaudit-loop":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert run(lambda: blocking(lambda: threading.current_thread().name)) == ["netaudit-loop"]


def test_a_loop_that_cannot_go_on_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    told: SimpleQueue[BaseException] = SimpleQueue()

    def fail(_: Loop[int]) -> None:
        raise MemoryError

    monkeypatch.setattr(Loop, "_call_late", fail)
    loop: Loop[int] = Loop(lambda _: pause(0.1), told.put)
    loop.submit(1)
    assert isinstance(told.get(timeout=LONG_S), MemoryError)
    loop.submit(2)
    loop.end()
