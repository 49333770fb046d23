"""A process of a crew, from inside: orders from standard input, their answers on standard output, until the input ends.

It does what a host's worker does, with threads of its own, and nothing else: no policy, no report and no file of a run
ever gets here. It ends at once when its input does, so that it does not outlive the process that started it, however
that came to its end; signals to the group are that one's to obey.
"""

import gc
import os
import signal
import sys
import threading
from collections import deque
from contextlib import suppress
from io import FileIO
from queue import SimpleQueue
from typing import BinaryIO, NoReturn

from auditor.errors import TransportError
from auditor.model.host import Host
from auditor.transport import Transport
from auditor.transport.crew_messages import Answer, Farewell, News, Order, Setting, read_message, write_message
from auditor.transport.timeline import Step, watch

_NEWS_S = 0.1
"""How long news of phases may wait for an answer to go along with."""


def serve() -> NoReturn:
    """Work for whoever started this process, and end it."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    # As in auditor.cli: lighter imports, and garbage is looked for where there is some.
    sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]  # documented: importing it is an ImportError
    gc.set_threshold(100_000, 20, 50)
    _work(*_take_pipes())


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Return standard input and output, and leave nothing in their place that a stray print could spoil."""
    orders, answers = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    os.close(nothing)
    return os.fdopen(orders, "rb"), FileIO(answers, "wb")


def _work(orders: BinaryIO, answers: BinaryIO) -> NoReturn:
    setting = read_message(orders)
    from auditor.transport.host_keys import HostKeys
    from auditor.transport.ssh import SshTransport

    if not isinstance(setting, Setting):
        raise TypeError(setting)
    transport = SshTransport(clock=setting.clock, host_keys=HostKeys(policy=setting.host_keys))
    outbox = _Outbox(answers)
    hands = _Hands(transport, outbox)
    gc.freeze()
    with suppress(EOFError):
        while isinstance(order := read_message(orders), Order):
            hands.take(order)
    outbox.send(Farewell(transport.warnings))
    os._exit(0)  # whatever is still in flight: nobody waits for it


class _Outbox:
    """Sends answers at once, and news of phases along with them, or soon. Safe to use from several threads."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._news: deque[News] = deque()
        self._lock = threading.Lock()
        threading.Thread(target=self._send_news, name="netaudit-news", daemon=True).start()

    def tell(self, news: News) -> None:
        self._news.append(news)

    def send(self, *said: Answer | Farewell) -> None:
        """Send the news that there are, and then this. The end of the process when nobody reads it any more."""
        with self._lock:
            news = [self._news.popleft() for _ in range(len(self._news))]
            if not news and not said:
                return
            try:
                write_message(self._pipe, (*news, *said))
            except BrokenPipeError:
                os._exit(0)

    def _send_news(self) -> None:
        tick = threading.Event()
        while not tick.wait(_NEWS_S):
            self.send()


class _Reporter:
    """Tells of the phases of one order; a Watcher."""

    def __init__(self, number: int, outbox: _Outbox) -> None:
        self._number = number
        self._outbox = outbox

    def begin(self, _host: Host, step: Step) -> None:
        # A copy: the step goes on taking notes while this waits.
        self._outbox.tell(News(self._number, Step(step.phase, step.via, began=step.began), over=False))

    def end(self, _host: Host, step: Step) -> None:
        self._outbox.tell(News(self._number, step, over=True))


class _Hands:
    """As many threads as there are orders at the same time. Their number is for who gives the orders to decide."""

    def __init__(self, transport: Transport, outbox: _Outbox) -> None:
        self._transport = transport
        self._outbox = outbox
        self._orders: SimpleQueue[Order] = SimpleQueue()
        self._lock = threading.Lock()
        self._in_flight = 0
        self._threads = 0

    def take(self, order: Order) -> None:
        with self._lock:
            self._in_flight += 1
            more = self._threads < self._in_flight
        self._orders.put(order)
        if more:
            try:
                threading.Thread(target=self._drain, name="netaudit-worker", daemon=True).start()
            except RuntimeError:  # threading's word for the process or memory limit: those there are do it
                if not self._threads:
                    raise
            else:
                self._threads += 1

    def _drain(self) -> None:
        while True:
            order = self._orders.get()
            answer = self._execute(order)
            with self._lock:
                self._in_flight -= 1
            self._outbox.send(answer)

    def _execute(self, order: Order) -> Answer:
        try:
            if not order.watched:
                return Answer(order.number, self._transport.run(order.host, order.script))
            with watch(order.host, _Reporter(order.number, self._outbox)):
                return Answer(order.number, self._transport.run(order.host, order.script))
        except TransportError as error:
            return Answer(order.number, error)
        except Exception as error:  # noqa: BLE001 - as in audit.collect_host: a defect costs one host
            return Answer(order.number, f"{type(error).__name__}: {error}")
