"""Resolving and dialling: dead addresses, slow resolvers, full queues, all on the loopback."""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from auditor.errors import TransportError
from auditor.transport.deadline import Deadline
from auditor.transport.ssh_dial import Endpoint, Resolver, dial
from tests.servers.hostile import unused_port

pytestmark = pytest.mark.usefixtures("nothing_left_behind")


@contextlib.contextmanager
def listening() -> Iterator[Endpoint]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield Endpoint(socket.AF_INET, server.getsockname())


@contextlib.contextmanager
def black_hole() -> Iterator[Endpoint]:
    """Give an address that answers no SYN: the kernel drops them while the accept queue is full."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket())
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        time.sleep(0.1)
        yield Endpoint(socket.AF_INET, server.getsockname())


def refusing() -> Endpoint:
    return Endpoint(socket.AF_INET, ("127.0.0.1", unused_port()))


def unreachable() -> Endpoint:
    """An address no route leads to: link-local without a scope."""
    return Endpoint(socket.AF_INET6, ("fe80::1", 22, 0, 0))


def test_dead_addresses_do_not_matter_when_one_lives() -> None:
    """Refused, unreachable, silent: the last address still wins, long before the limit."""
    with black_hole() as silent, listening() as alive:
        started = time.monotonic()
        sock, endpoint = dial([refusing(), unreachable(), silent, alive], Deadline(10))
        with sock:
            assert endpoint == alive
            assert sock.getpeername() == alive.sockaddr
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert time.monotonic() - started < 5


def test_refused() -> None:
    endpoint = refusing()
    with pytest.raises(TransportError) as failure:
        dial([endpoint], Deadline(5))
    assert (failure.value.phase, failure.value.code) == ("tcp", "tcp-refused")
    assert failure.value.message == f"{endpoint}: Connection refused"


def test_black_hole() -> None:
    with black_hole() as silent:
        started = time.monotonic()
        with pytest.raises(TransportError) as failure:
            dial([refusing(), silent], Deadline(1))
        assert 1 <= time.monotonic() - started < 2
    assert failure.value.code == "tcp-timeout"
    assert f"{silent}: no answer within 1 s" in failure.value.message


def test_no_route() -> None:
    with pytest.raises(TransportError) as failure:
        dial([unreachable()], Deadline(5))
    assert failure.value.code in {"tcp-unreachable", "tcp-failed"}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_addresses_and_names_resolve(address: str) -> None:
    found = Resolver().resolve(address, 22, Deadline(10))
    assert {endpoint.sockaddr[0] for endpoint in found} <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a" * 64 + ".invalid", "a..b", "", "a b", "x\0y"])
def test_names_that_do_not_resolve(name: str) -> None:
    with pytest.raises(TransportError) as failure:
        Resolver().resolve(name, 22, Deadline(10))
    assert failure.value.phase == "dns"


def test_slow_resolver(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends with the limit, not with getaddrinfo, which cannot be interrupted."""
    release = threading.Event()

    def slow(*args: object, flags: int = 0, **kwargs: object) -> list[object]:
        if not flags:
            release.wait(10)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    started = time.monotonic()
    with pytest.raises(TransportError) as failure:
        Resolver().resolve("slow.example", 22, Deadline(0.5))
    assert time.monotonic() - started < 1.5
    release.set()
    assert (failure.value.phase, failure.value.code) == ("dns", "dns-timeout")


def test_a_name_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def count(host: str, port: int, *, flags: int = 0, **kwargs: object) -> list[object]:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "not a literal")
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", count)
    resolver = Resolver()
    assert resolver.resolve("a.example", 22, Deadline(5)) == resolver.resolve("a.example", 22, Deadline(5))
    assert asked == ["a.example"]
