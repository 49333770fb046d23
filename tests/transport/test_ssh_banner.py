"""The greeting, where the server is quicker than we are."""

import socket

import pytest

from auditor.errors import TransportError
from auditor.transport.deadline import Deadline
from auditor.transport.ssh_banner import exchange_versions
from auditor.transport.ssh_wire import Wire


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\n", "not-ssh"),
        (b"Exceeded MaxStartups\r\n", "throttled"),
        (b"Not allowed at this time\r\n", "penalised"),
        (b"", "closed-before-banner"),
    ],
)
def test_what_was_said_before_hanging_up_is_read_though_nothing_can_be_sent(said: bytes, code: str) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            theirs.sendall(said)
        with pytest.raises(TransportError) as caught:
            exchange_versions(Wire(ours), b"SSH-2.0-us\r\n", Deadline(5.0))
    assert (caught.value.phase, caught.value.code) == ("banner", code)
