"""Resolving and dialling: dead addresses, slow resolvers, full queues, all on the loopback."""

import contextlib
import errno
import socket
import threading
import time
from collections.abc import Iterator
from typing import Literal

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
def black_hole(address: str = "127.0.0.1") -> Iterator[Endpoint]:
    """Give an address that answers no SYN: the kernel drops them while the accept queue is full."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(socket.socket(family))
        server.bind((address, 0))
        server.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket(family))
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
        time.sleep(0.1)
        yield Endpoint(family, server.getsockname())


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


def test_dead_ipv6_beside_a_living_ipv4_costs_a_quarter_of_a_second() -> None:
    with black_hole("::1") as silent, listening() as alive:
        started = time.monotonic()
        sock, endpoint = dial([silent, alive], Deadline(10))
        sock.close()
        assert endpoint == alive
        assert 0.2 < time.monotonic() - started < 5, "the limit is ten"


def test_connection_comes_from_the_address_it_is_to_come_from() -> None:
    """And addresses of the other family are not tried."""
    with listening() as alive, black_hole("::1") as other:
        sock, _ = dial([other, alive], Deadline(5), "127.0.0.9")
        with sock:
            assert sock.getsockname()[0] == "127.0.0.9"


@pytest.mark.parametrize("source", ["192.0.2.1", "::1", "no-such-host.invalid"])
def test_address_to_come_from_that_is_not_ours(source: str) -> None:
    with listening() as alive, pytest.raises(TransportError) as failure:
        dial([alive], Deadline(5), source)
    assert (failure.value.phase, failure.value.code) == ("tcp", "bind-failed")
    assert f"{alive}: cannot come from {source}: " in failure.value.message
    assert "BindAddress" in failure.value.hint


def test_no_descriptor_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(*args: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", exhausted)
    with pytest.raises(TransportError) as failure:
        dial([Endpoint(socket.AF_INET, ("127.0.0.1", 1))], Deadline(5))
    assert (failure.value.phase, failure.value.code) == ("tcp", "out-of-descriptors")
    assert "ulimit -n" in failure.value.hint


@pytest.mark.parametrize(
    ("family", "found"), [("any", {"127.0.0.1", "::1"}), ("inet", {"127.0.0.1"}), ("inet6", {"::1"})]
)
def test_address_family(
    monkeypatch: pytest.MonkeyPatch, family: Literal["any", "inet", "inet6"], found: set[str]
) -> None:
    both = [(socket.AF_INET6, 1, 6, "", ("::1", 22, 0, 0)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", 22))]

    def look_up(host: str, port: int, *, flags: int = 0, **kwargs: object) -> list[object]:
        if flags:
            raise socket.gaierror(socket.EAI_NONAME, "not a literal")
        return list(both)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    resolver = Resolver()
    assert {endpoint.sockaddr[0] for endpoint in resolver.resolve("both.example", 22, Deadline(5), family)} == found
    assert len(resolver.resolve("both.example", 22, Deadline(5))) == 2, "another host may want the other"


def test_no_address_of_the_family() -> None:
    with pytest.raises(TransportError) as failure:
        Resolver().resolve("127.0.0.1", 22, Deadline(5), "inet6")
    assert (failure.value.phase, failure.value.code) == ("dns", "dns-no-address")
    assert failure.value.message == "127.0.0.1 has no IPv6 address"


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
        assert 1 <= time.monotonic() - started < 5
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
    assert time.monotonic() - started < 5
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
