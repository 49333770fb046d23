"""What comes over a wire in pieces is read together, and nothing is lost, late or waited for in vain."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from auditor.transport import ssh_wire
from auditor.transport.deadline import Deadline
from auditor.transport.ssh_wire import Lull, Wire

LONG_S = 20.0


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Yield the two ends of a TCP connection."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near = socket.create_connection(server.getsockname())
        far, _ = server.accept()
        far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with near, far:
            yield near, far


@pytest.fixture(params=["linux", "elsewhere"], autouse=True)
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where poll(2) waits for a number of bytes, and where it does not."""
    if request.param == "elsewhere":
        monkeypatch.setattr(ssh_wire, "_QUICKACK", None)


def test_pieces_are_read_together(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    pieces = [b"%03d\n" % number for number in range(20)]

    def drip() -> None:
        for piece in pieces:
            far.send(piece)
            time.sleep(0.01)
        far.close()

    sender = threading.Thread(target=drip)
    sender.start()
    wire, reads = Wire(near), []
    while data := wire.receive(Deadline(LONG_S), Lull(0.5, 1000)):
        reads.append(data)
    sender.join()
    assert b"".join(reads) == b"".join(pieces)
    assert len(reads) <= 3


def test_enough_is_read_at_once(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    far.send(bytes(100))
    began = time.monotonic()
    assert Wire(near).receive(Deadline(LONG_S), Lull(5.0, 100, sure=True)) == bytes(100)
    assert time.monotonic() - began < 4.0


def test_too_little_is_read_after_the_lull(ends: tuple[socket.socket, socket.socket]) -> None:
    near, far = ends
    far.send(b"no")
    assert Wire(near).receive(Deadline(LONG_S), Lull(0.05, 1000)) == b"no"


def test_end_is_not_waited_for(ends: tuple[socket.socket, socket.socket]) -> None:
    """Too little, and the end behind it; then the end alone."""
    near, far = ends
    far.send(b"bye")
    far.close()
    wire = Wire(near)
    assert wire.receive(Deadline(LONG_S), Lull(0.2, 1000)) == b"bye"
    assert wire.receive(Deadline(LONG_S), Lull(0.2, 1000)) == b""


def test_deadline_holds(ends: tuple[socket.socket, socket.socket]) -> None:
    began = time.monotonic()
    assert Wire(ends[0]).receive(Deadline(0.2), Lull(0.05, 1000)) is None
    assert 0.2 <= time.monotonic() - began < 5.0


def test_single_bytes_come_through_after_a_lull(ends: tuple[socket.socket, socket.socket]) -> None:
    """Whoever reads next need not know that more was waited for before: not even paramiko."""
    near, far = ends
    wire = Wire(near)
    far.send(b"1")
    assert wire.receive(Deadline(LONG_S), Lull(0.05, 1000)) == b"1"
    far.send(b"2")
    assert wire.receive(Deadline(LONG_S)) == b"2"
    far.send(b"3")
    assert wire.receive(Deadline(LONG_S), Lull(0.05, 1000)) == b"3"
    wire.settimeout(5.0)
    far.send(b"4")
    assert wire.recv(10) == b"4"
