"""Ports that are dead on every loopback address, each in its own way; only the kernel is at work here."""

import contextlib
import socket
import time
from collections.abc import Iterator

from tests.servers.responder import listen


@contextlib.contextmanager
def refusing() -> Iterator[int]:
    """Give a port on which nobody listens, and nobody will meanwhile: bound, which is not listening."""
    with socket.socket() as holder:
        holder.bind(("0.0.0.0", 0))
        yield int(holder.getsockname()[1])


@contextlib.contextmanager
def stalling() -> Iterator[int]:
    """Give a port on which the kernel accepts, and nobody ever says a word."""
    with listen() as listener:
        yield int(listener.getsockname()[1])


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """Give a port that answers no SYN: the kernel drops them while the queue of accepted connections is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(listen(backlog=0))
        port = int(listener.getsockname()[1])
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(("127.0.0.1", port))
        time.sleep(0.1)
        yield port
