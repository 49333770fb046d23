"""A process of a crew, from inside: orders from standard input, their answers on standard output, until the input ends.

It does what is done for a host, in a loop of its own, and nothing else: no policy, no report and no file of a run
ever gets here. It ends at once when its input does, so that it does not outlive the process that started it, however
that came to its end; signals to the group are that one's to obey.
"""

import gc
import os
import signal
import sys
import threading
import traceback
from collections import deque
from contextlib import suppress
from io import FileIO
from queue import Empty, SimpleQueue
from typing import BinaryIO, NoReturn

from auditor.errors import TransportError
from auditor.model.host import Host
from auditor.transport import Transport
from auditor.transport.crew_messages import Answer, Farewell, News, Order, Setting, read_message, write_message
from auditor.transport.loop import Loop
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
    loop = Loop[Order](lambda order: outbox.put(_execute(order, transport, outbox)), _give_up)
    gc.freeze()
    with suppress(EOFError):
        while isinstance(order := read_message(orders), Order):
            loop.submit(order)
    outbox.close(Farewell(transport.warnings))
    os._exit(0)  # whatever is still in flight: nobody waits for it


def _execute(order: Order, transport: Transport, outbox: "_Outbox") -> Answer:
    try:
        if not order.watched:
            return Answer(order.number, transport.run(order.host, order.script))
        with watch(order.host, _Reporter(order.number, outbox)):
            return Answer(order.number, transport.run(order.host, order.script))
    except TransportError as error:
        return Answer(order.number, error)
    except BaseException as error:  # noqa: BLE001 - as in audit.collect_host: a defect costs one host
        return Answer(order.number, f"{type(error).__name__}: {error}")


def _give_up(error: BaseException) -> NoReturn:
    """End the process, for whoever started it to see, and why."""
    traceback.print_exception(error)
    os._exit(1)


class _Outbox:
    """Sends answers at once, and news of phases along with them, or soon; in a thread, for it may take time.

    Safe to use from several threads.
    """

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe = pipe
        self._news: deque[News] = deque()
        self._said: SimpleQueue[Answer | Farewell] = SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name="netaudit-answers", daemon=True)
        self._thread.start()

    def tell(self, news: News) -> None:
        self._news.append(news)

    def put(self, answer: Answer) -> None:
        self._said.put(answer)

    def close(self, farewell: Farewell) -> None:
        """Send what there is, and this last."""
        self._said.put(farewell)
        self._thread.join()

    def _serve(self) -> None:
        """Send until the farewell. The end of the process when nobody reads it any more, or by a defect."""
        try:
            while not self._send():
                pass
        except BrokenPipeError:
            os._exit(0)
        except BaseException as error:  # noqa: BLE001 - whatever it is, nothing more would be sent
            _give_up(error)

    def _send(self) -> bool:
        """Send what there is to say by now, or soon; return whether that was all."""
        said: list[Answer | Farewell] = []
        with suppress(Empty):
            said.append(self._said.get(timeout=_NEWS_S))
            while True:
                said.append(self._said.get_nowait())
        # After the answers were taken: what was told before one goes before it.
        news = [self._news.popleft() for _ in range(len(self._news))]
        if news or said:
            write_message(self._pipe, (*news, *said))
        return any(isinstance(each, Farewell) for each in said)


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
