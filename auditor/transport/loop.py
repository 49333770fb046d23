"""Many hosts in one thread: whoever waits lets the others go on, until what he waits for is there.

A thread for each host wakes at every packet and then queues for the interpreter: fifty switches for a host, and a fifth
of its CPU. Here each job is a greenlet, a stack that is left and taken up again within one thread. Its code reads as it
would in a thread of its own; only it must wait by what is in here: `wait_for` sockets, `pause`, an `Inbox`. What cannot
goes into a thread, by `blocking`. Outside of a loop all of these simply wait.

No lock that others ask for may be held while waiting: it is the same thread that asks. Whoever has much to do without
waiting (a flood of messages) pauses for nothing now and then, for nobody else will take the thread from him.
"""

import heapq
import itertools
import os
import select
import socket
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Collection
from contextvars import copy_context
from math import inf
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

from greenlet import getcurrent, greenlet

T = TypeVar("T")
Job = TypeVar("Job")
_LONGEST_S = 3600.0
_LINGER_S = 0.5
_MOST_EVENTS = 64
_STALE = 1000


class _Here(threading.local):
    loop: "Loop[Any] | None" = None


_here = _Here()


def wait_for(sockets: Collection[socket.socket], event: int, seconds: float) -> Collection[int]:
    """Wait until a socket is ready (POLLIN, POLLOUT; its end counts), or time is up; return descriptors, maybe none.

    What is ready is seen even when the time is up: look again rather than trust an empty answer.
    """
    seconds = min(seconds, _LONGEST_S)
    if _here.loop is not None:
        return _here.loop.await_sockets(sockets, event, seconds)
    poll = select.poll()
    for each in sockets:
        poll.register(each, event)
    return [descriptor for descriptor, _ in poll.poll(1000 * seconds)]


def pause(seconds: float) -> None:
    """Wait for so long."""
    if _here.loop is None:
        time.sleep(seconds)
    else:
        _here.loop.await_sockets((), 0, seconds)


def blocking(work: Callable[[], T], threads: "Threads | None" = None) -> T:
    """Return what `work` returns or raise what it raises; it may wait for whatever it likes, at nobody's cost.

    `threads`: where, in a loop; None: in one of the loop's own, of which there are as many as it takes.
    """
    if _here.loop is None:
        return work()
    try:
        return (threads or _here.loop.threads).call(work)
    except NoThreadError:  # better late than not at all
        return work()


class NoThreadError(RuntimeError):
    """There is not one thread to do it, nor can one be started: the process or memory limit."""


class Inbox(Generic[T]):
    """A value from another thread, for one who waits."""

    def __init__(self) -> None:
        self._values: SimpleQueue[T] = SimpleQueue()
        self._ring: Callable[[], None] | None = None

    def put(self, value: T) -> None:
        self._values.put(value)
        if self._ring is not None:
            self._ring()

    def get(self, seconds: float = inf) -> T:
        """Return the value. Raises queue.Empty when it has not come in time."""
        if _here.loop is None:
            return self._values.get(timeout=None if seconds == inf else seconds)
        ticket, self._ring = _here.loop.draw_ticket()
        if self._values.empty():
            _here.loop.park(ticket, seconds)
        return self._values.get_nowait()


class Threads:
    """Threads for what cannot be waited for otherwise: as many as there is to do at once, `most` at a time.

    They are daemons, and end when there has been nothing to do for a while.
    """

    def __init__(self, name: str, most: float = inf) -> None:
        self._name = name
        self._most = most
        self._changed = threading.Condition()
        self._calls: deque[_Call] = deque()
        self._count = 0
        self._free = 0

    def call(self, work: Callable[[], T], seconds: float = inf) -> T:
        """Return what `work` returns or raise what it raises. Raises queue.Empty when that takes longer.

        Raises NoThreadError when it was not begun.
        """
        context = copy_context()
        call = _Call(lambda: context.run(work))
        with self._changed:
            self._calls.append(call)
            if self._free >= len(self._calls):
                self._changed.notify()
            elif self._count < self._most:
                self._start()
        try:
            value, error = call.inbox.get(seconds)
        except Empty:
            call.wanted = False
            raise
        if error is not None:
            raise error
        return value  # type: ignore[no-any-return]  # what `work` returned

    def _start(self) -> None:
        try:
            threading.Thread(target=self._drain, name=self._name, daemon=True).start()
        except RuntimeError as limit:  # threading's word for it: those there are do it
            if not self._count:
                self._calls.pop()
                raise NoThreadError(*limit.args) from limit
        else:
            self._count += 1

    def _drain(self) -> None:
        while (call := self._take()) is not None:
            if call.wanted:
                call.execute()

    def _take(self) -> "_Call | None":
        with self._changed:
            if not self._calls:
                self._free += 1
                self._changed.wait(_LINGER_S)
                self._free -= 1
            if self._calls:
                return self._calls.popleft()
            self._count -= 1
            return None


class _Call:
    """What is to be done in a thread, and where its outcome goes while it is `wanted`."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._work = work
        self.inbox: Inbox[tuple[Any, BaseException | None]] = Inbox()
        self.wanted = True

    def execute(self) -> None:
        try:
            self.inbox.put((self._work(), None))
        except BaseException as error:  # noqa: BLE001 - raised where it was called for
            self.inbox.put((None, error))


class Loop(Generic[Job]):
    """Does `work` for any number of jobs at the same time in one thread; what it raises is printed, and nothing else.

    The thread starts with the first job, is a daemon, and ends after `end`, with the last one. One thread submits.
    `fail` is told, there, when the loop itself cannot go on: no memory, mostly. No job is done any more then.
    """

    def __init__(self, work: Callable[[Job], None], fail: Callable[[BaseException], None]) -> None:
        self._work = work
        self._fail = fail
        self.threads = Threads("netaudit-worker")
        self._jobs: deque[Job] = deque()
        self._unfinished = 0
        self._begun = self._ended = False
        self._tickets = itertools.count()
        self._parked: dict[int, greenlet] = {}
        self._timers: list[tuple[float, int]] = []
        self._rung: deque[int] = deque()  # tickets, from other threads
        self._ringing = False
        self._pulling = threading.Lock()
        self._over = False
        self._sockets: dict[int, int] = {}  # by descriptor, the ticket of whoever waits for it

    def submit(self, job: Job) -> None:
        """Have a job done. Raises RuntimeError or OSError when the first finds no thread, or no descriptor."""
        if not self._begun:
            self._begin()
        self._jobs.append(job)
        self._ring()

    def end(self) -> None:
        """Take no more jobs; those submitted are done."""
        self._ended = True
        if self._begun:
            self._ring()

    # -- for a job, in the loop's thread

    def draw_ticket(self) -> tuple[int, Callable[[], None]]:
        """Return a ticket to park with, and what ends that from any thread, if need be before it began."""
        ticket = next(self._tickets)

        def ring() -> None:
            self._rung.append(ticket)
            self._ring()

        return ticket, ring

    def park(self, ticket: int, seconds: float) -> Collection[int]:
        """Let the others go on until the ticket is called, or time is up; return the descriptors that are ready."""
        self._parked[ticket] = getcurrent()
        if seconds != inf:
            heapq.heappush(self._timers, (time.monotonic() + seconds, ticket))
        return self._hub.switch()  # type: ignore[no-any-return]  # what `_call` hands over

    def await_sockets(self, sockets: Collection[socket.socket], event: int, seconds: float) -> Collection[int]:
        """See `wait_for`."""
        ticket = next(self._tickets)
        descriptors = [each.fileno() for each in sockets]
        try:
            for each in descriptors:
                self._poll.register(each, event)
                self._sockets[each] = ticket
            return self.park(ticket, seconds)
        finally:
            for each in descriptors:
                if self._sockets.pop(each, None) is not None:
                    self._poll.unregister(each)

    # -- the loop itself

    def _begin(self) -> None:
        self._poll = new_poll()
        self._bell, self._rope = os.pipe()  # no socket: netaudit would find it on its own machine
        try:
            self._poll.register(self._bell, select.POLLIN)
            threading.Thread(target=self._run, name="netaudit-loop", daemon=True).start()
        except BaseException:
            os.close(self._bell)
            os.close(self._rope)
            raise
        self._begun = True

    def _ring(self) -> None:
        if not self._ringing:
            self._ringing = True
            with self._pulling:
                if not self._over:  # else it may be another's descriptor by now
                    os.write(self._rope, b"\0")

    def _run(self) -> None:
        _here.loop = self
        self._hub = getcurrent()
        try:
            while not self._ended or self._jobs or self._unfinished:
                if self._jobs:  # one at a time: those that wait have their turn, too
                    greenlet(self._do).switch(self._jobs.popleft())
                self._call_ready()
                self._call_late()
        except BaseException as error:  # noqa: BLE001 - for whoever waits for what the jobs have to say
            self._fail(error)
        with self._pulling, self._poll:
            self._over = True
            os.close(self._bell)
            os.close(self._rope)

    def _do(self, job: Job) -> None:
        self._unfinished += 1
        try:
            self._work(job)
        except BaseException:  # noqa: BLE001 - a defect: the others are not to hang for it
            traceback.print_exc()
        finally:
            self._unfinished -= 1

    def _call_ready(self) -> None:
        """Wait until something is ready or late or new, and take up whoever waits for it."""
        ready = []  # tickets: while the first are at work, descriptors may change hands
        for descriptor, _ in self._poll.poll(self._patience(), _MOST_EVENTS):
            if descriptor == self._bell:
                os.read(self._bell, _MOST_EVENTS)
                self._ringing = False  # after that: who finds it ringing still has said before what there is to do
            elif descriptor in self._sockets:
                ready.append((self._sockets[descriptor], (descriptor,)))
        for ticket, descriptors in ready:
            self._call(ticket, descriptors)
        while self._rung:
            self._call(self._rung.popleft())

    def _patience(self) -> float | None:
        """Return the seconds until somebody's time is up; None: nobody's."""
        if self._jobs:
            return 0.0
        timers = self._timers
        if len(timers) > 2 * len(self._parked) + _STALE:
            timers[:] = [timer for timer in timers if timer[1] in self._parked]
            heapq.heapify(timers)
        while timers and timers[0][1] not in self._parked:
            heapq.heappop(timers)
        return max(0.0, timers[0][0] - time.monotonic()) if timers else None

    def _call_late(self) -> None:
        """Take up whoever's time is up."""
        now = time.monotonic()
        while self._timers and self._timers[0][0] <= now:
            self._call(heapq.heappop(self._timers)[1])

    def _call(self, ticket: int, ready: Collection[int] = ()) -> None:
        if (sleeper := self._parked.pop(ticket, None)) is not None:
            sleeper.switch(ready)


class Polling:
    """poll(2) in the words of epoll(7), for systems that have none: it takes longer the more sockets there are."""

    def __init__(self) -> None:
        poll = select.poll()
        self.register, self.unregister, self._poll = poll.register, poll.unregister, poll.poll

    def poll(self, seconds: float | None, most: int) -> list[tuple[int, int]]:
        return self._poll(None if seconds is None else 1000 * seconds)[:most]

    def __enter__(self) -> "Polling":
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass


def new_poll() -> "select.epoll | Polling":
    """Return what waits for many descriptors."""
    return select.epoll() if sys.platform == "linux" else Polling()
